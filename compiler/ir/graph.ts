import type { Span } from '../../grammar/span.ts';
import type { Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { NonEmpty } from '../lists.ts';
import type { BinaryName, OpAttributes, OpName, UnaryName } from './names.ts';
import type { TensorType } from './types.ts';

/** Where a node comes from. */
export interface Origin {
  /** The place in the source; undefined for nodes that a pass created. */
  readonly span: Span | undefined;
  /** Module path, dots between: `backbone.layers.0.blocks.1.attn`; '' for the model's own body. */
  readonly path: string;
  /** The name of the operation in provenance chains, in the user's terms: `conv stride 2`, `rearrange`. */
  readonly label: string;
}

/** How a weight is initialised: the name of an initialiser and its arguments. */
export interface Init {
  readonly name: string;
  readonly args: Readonly<Record<string, number | readonly number[]>>;
}

export interface WeightAttributes {
  /** Its name in checkpoints. */
  readonly path: string;
  readonly role: 'param' | 'buffer';
  readonly init: Init;
  readonly decay: boolean;
  /** Stays float32 in a half-precision build. */
  readonly keepF32: boolean;
}

/** Attributes by operator; `input` and `weight` are sources without inputs. */
export interface NodeAttributes extends OpAttributes {
  readonly input: { readonly name: string };
  readonly weight: WeightAttributes;
}
export type NodeOp = keyof NodeAttributes;
export type SourceOp = 'input' | 'weight';

export type AnyOp = OpName | SourceOp;

type Arity<O extends PropertyKey, Inputs> = { readonly [Op in O]: Inputs };
type None = readonly [];
type One = readonly [Value];
type Two = readonly [Value, Value];
type Three = readonly [Value, Value, Value];

/** The inputs of each operator. */
export interface NodeInputs
  extends Arity<SourceOp | 'constant' | 'full' | 'iota' | 'dim' | 'uniform', None>,
    Arity<UnaryName, One>,
    Arity<'stop_gradient' | 'reshape' | 'transpose' | 'broadcast' | 'slice' | 'pad' | 'cast', One>,
    Arity<'sum' | 'reduce_max' | 'mean' | 'topk' | 'softmax' | 'log_softmax' | 'gelu' | 'max_pool2d', One>,
    Arity<BinaryName, Two>,
    Arity<'barrier' | 'gather' | 'scatter_add' | 'matmul' | 'conv2d' | 'conv2d_dx' | 'conv2d_dw' | 'grid_sample', Two>,
    Arity<'select' | 'layer_norm', Three>,
    Arity<'concat', NonEmpty<Value>> {}

/** One operator application. Nodes and values are immutable; a pass builds new ones. */
export interface NodeOf<O extends NodeOp> {
  readonly id: number;
  readonly op: O;
  readonly inputs: NodeInputs[O];
  readonly attributes: NodeAttributes[O];
  /** One value, or two for topk. Filled once by the builder. */
  readonly outputs: NonEmpty<Value>;
  readonly origin: Origin;
}
/** A union over operators, so that `switch (node.op)` narrows `attributes`. */
export type Node = { [O in NodeOp]: NodeOf<O> }[NodeOp];

export interface Value {
  readonly id: number;
  readonly type: TensorType;
  readonly node: Node;
  /** Which output of `node`. */
  readonly index: number;
}

/** A condition on input dims that the host checks before a run. */
export interface Guard {
  readonly text: string;
  readonly left: Dim;
  readonly relation: '==' | '<=' | '<' | '%';
  readonly right: Dim;
  /** With `%`: left % right == remainder. */
  readonly remainder?: number;
  readonly span: Span | undefined;
}

export interface GraphInput {
  readonly name: string;
  readonly value: Value;
  readonly docs: string;
}
export interface GraphOutput {
  readonly name: string;
  readonly value: Value;
  readonly docs: string;
}

/**
 * A flat typed graph. `nodes` is in topological order and contains exactly the nodes that the outputs need, and all
 * inputs.
 */
export interface Graph {
  readonly name: string;
  readonly docs: string;
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphOutput[];
  readonly nodes: readonly Node[];
  /** What is known of the free dims: the model's `where` clauses and the bindings of `--set`. */
  readonly facts: Facts;
  /**
   * Sizes that open dims are expected to take. The optimiser compares costs at these sizes; no computed result depends
   * on them.
   */
  readonly expected?: ReadonlyMap<string, Dim>;
  readonly guards: readonly Guard[];
}
