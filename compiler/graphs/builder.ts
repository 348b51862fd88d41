import { asConstant, type Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Node, NodeAttributes, NodeOp, Origin, Value, WeightAttributes } from '../ir/graph.ts';
import type { ConvAttributes, OpAttributes, OpName } from '../ir/names.ts';
import { identicalTypes, sameDim, sameShape } from '../ir/shapes.ts';
import type { DType, TensorData, TensorType } from '../ir/types.ts';
import { mapped, type NonEmpty } from '../lists.ts';
import type { OpFault, OpRow } from '../ops/row.ts';
import { ops } from '../ops/table.ts';

/** Arguments that an operator's shape rule rejects: the data of a diagnostic, for callers that know the source. */
export interface Refusal {
  readonly op: OpName;
  readonly inputs: readonly Value[];
  readonly fault: OpFault;
}

export type Emitted = { readonly values: NonEmpty<Value> } | Refusal;

/** Passes the single value of an operator to `next`; returns the refusal unchanged if the arguments were rejected. */
export function andThen(emitted: Emitted, next: (value: Value) => Emitted): Emitted {
  return 'fault' in emitted ? emitted : next(emitted.values[0]);
}

/**
 * Thrown by `emit` for arguments that the shape rule rejects. Callers of `emit` pass well-typed arguments, so this is a
 * bug.
 */
export class OpError extends Error {
  override readonly name = 'OpError';
  constructor({ op, fault }: Refusal) {
    super(`bug in crobc: ${op}: ${fault.constraint}`);
  }
}

// Ids are unique across all graphs of a process; nothing that is printed or hashed depends on them.
let lastId = 0;
const noValues: readonly Value[] = [];

/**
 * Appends typed nodes. It emits exactly the operators that are requested, except no-ops, for which it returns the
 * input: reshape and broadcast to the same shape, identity transpose, full-size slice, zero pad, cast to the same
 * dtype, and concat of one input.
 */
export class Builder {
  readonly facts: Facts;
  /** In emission order, which is topological. */
  readonly nodes: Node[] = [];
  /** The origin of every node that is emitted. */
  origin: Origin = { span: undefined, path: '', label: '' };

  constructor(facts: Facts) {
    this.facts = facts;
  }

  /**
   * Emits an operator with arguments that are known to be well typed, like every method below that is named after an
   * operator. Throws `OpError` if they are not.
   */
  emit<O extends OpName>(op: O, inputs: readonly Value[], attributes: OpAttributes[O]): NonEmpty<Value> {
    const emitted = this.tryEmit(op, inputs, attributes);
    if ('fault' in emitted) throw new OpError(emitted);
    return emitted.values;
  }

  /** Emits an operator with arguments that come from the source; returns its values, or why they were rejected. */
  tryEmit<O extends OpName>(op: O, inputs: readonly Value[], attributes: OpAttributes[O]): Emitted {
    const row: OpRow<O> = ops[op];
    const inferred = row.infer(
      inputs.map((input) => input.type),
      attributes,
      this.facts,
    );
    if ('fault' in inferred) return { op, inputs, fault: inferred.fault };
    const same = unchangedInput(op, inputs, inferred.types, attributes as NodeAttributes[OpName], this.facts);
    return {
      values: same === undefined ? this.append(op, inputs, attributes as NodeAttributes[O], inferred.types) : [same],
    };
  }

  /**
   * Emits the operator of a node with other inputs, keeping the node's origin. Reuses the node itself if its inputs did
   * not change, and its types if the types of its inputs did not change.
   */
  copy(node: Node, inputs: readonly Value[]): NonEmpty<Value> {
    if (inputs.every((input, i) => input === node.inputs[i])) {
      this.nodes.push(node);
      return node.outputs;
    }
    const op = node.op as OpName;
    const attributes = node.attributes as OpAttributes[OpName];
    const outer = this.origin;
    this.origin = node.origin;
    try {
      if (inputs.every((input, i) => identicalTypes(input.type, node.inputs[i]!.type))) {
        const types = mapped(node.outputs, (output) => output.type);
        return this.append(op, inputs, attributes, types);
      }
      return this.emit(op, inputs, attributes);
    } finally {
      this.origin = outer;
    }
  }

  input(name: string, type: TensorType): Value {
    return this.append('input', [], { name }, [type])[0];
  }

  weight(attributes: WeightAttributes, type: TensorType): Value {
    return this.append('weight', [], attributes, [type])[0];
  }

  /** Appends a node with the given types and does not check them, for types that are already known, as in IR text. */
  append<O extends NodeOp>(
    op: O,
    inputs: readonly Value[],
    attributes: NodeAttributes[O],
    types: NonEmpty<TensorType>,
  ): NonEmpty<Value> {
    const node = { id: ++lastId, op, inputs, attributes, outputs: noValues, origin: this.origin } as Node;
    // There is almost always one output; a growing array would reserve room for seventeen.
    const outputs: NonEmpty<Value> =
      types.length === 1
        ? [{ id: ++lastId, type: types[0], node, index: 0 }]
        : mapped(types, (type, index) => ({ id: ++lastId, type, node, index }));
    (node as { outputs: NonEmpty<Value> }).outputs = outputs;
    this.nodes.push(node);
    return outputs;
  }

  private one<O extends OpName>(op: O, inputs: readonly Value[], attributes: OpAttributes[O]): Value {
    return this.emit(op, inputs, attributes)[0];
  }

  constant(tensor: TensorData): Value {
    return this.one('constant', [], { tensor });
  }
  full(value: number, dtype: DType, shape: readonly Dim[]): Value {
    return this.one('full', [], { value, dtype, shape });
  }
  iota(n: Dim): Value {
    return this.one('iota', [], { n });
  }
  dim(value: Dim): Value {
    return this.one('dim', [], { value });
  }
  uniform(shape: readonly Dim[], key: string): Value {
    return this.one('uniform', [], { shape, key });
  }
  stopGradient(x: Value): Value {
    return this.one('stop_gradient', [x], {});
  }
  barrier(x: Value, signal: Value): Value {
    return this.one('barrier', [x, signal], {});
  }
  reshape(x: Value, shape: readonly Dim[]): Value {
    return this.one('reshape', [x], { shape });
  }
  transpose(x: Value, perm: readonly number[]): Value {
    return this.one('transpose', [x], { perm });
  }
  broadcast(x: Value, shape: readonly Dim[]): Value {
    return this.one('broadcast', [x], { shape });
  }
  concat(xs: readonly Value[], axis: number): Value {
    return this.one('concat', xs, { axis });
  }
  slice(x: Value, start: readonly Dim[], stop: readonly Dim[], step: readonly number[]): Value {
    return this.one('slice', [x], { start, stop, step });
  }
  pad(x: Value, low: readonly Dim[], high: readonly Dim[], value: number): Value {
    return this.one('pad', [x], { low, high, value });
  }
  gather(x: Value, index: Value): Value {
    return this.one('gather', [x, index], {});
  }
  scatterAdd(index: Value, updates: Value, rows: Dim, apart = false): Value {
    return this.one('scatter_add', [index, updates], { rows, apart });
  }
  select(condition: Value, a: Value, b: Value): Value {
    return this.one('select', [condition, a, b], {});
  }
  cast(x: Value, dtype: DType): Value {
    return this.one('cast', [x], { dtype });
  }

  neg(x: Value): Value {
    return this.one('neg', [x], {});
  }
  abs(x: Value): Value {
    return this.one('abs', [x], {});
  }
  exp(x: Value): Value {
    return this.one('exp', [x], {});
  }
  log(x: Value): Value {
    return this.one('log', [x], {});
  }
  sqrt(x: Value): Value {
    return this.one('sqrt', [x], {});
  }
  sin(x: Value): Value {
    return this.one('sin', [x], {});
  }
  cos(x: Value): Value {
    return this.one('cos', [x], {});
  }
  tanh(x: Value): Value {
    return this.one('tanh', [x], {});
  }
  erf(x: Value): Value {
    return this.one('erf', [x], {});
  }
  sigmoid(x: Value): Value {
    return this.one('sigmoid', [x], {});
  }
  softplus(x: Value): Value {
    return this.one('softplus', [x], {});
  }
  relu(x: Value): Value {
    return this.one('relu', [x], {});
  }
  floor(x: Value): Value {
    return this.one('floor', [x], {});
  }
  not(x: Value): Value {
    return this.one('not', [x], {});
  }

  add(a: Value, b: Value): Value {
    return this.one('add', [a, b], {});
  }
  sub(a: Value, b: Value): Value {
    return this.one('sub', [a, b], {});
  }
  mul(a: Value, b: Value): Value {
    return this.one('mul', [a, b], {});
  }
  div(a: Value, b: Value): Value {
    return this.one('div', [a, b], {});
  }
  pow(a: Value, b: Value): Value {
    return this.one('pow', [a, b], {});
  }
  max(a: Value, b: Value): Value {
    return this.one('max', [a, b], {});
  }
  min(a: Value, b: Value): Value {
    return this.one('min', [a, b], {});
  }
  mod(a: Value, b: Value): Value {
    return this.one('mod', [a, b], {});
  }
  floordiv(a: Value, b: Value): Value {
    return this.one('floordiv', [a, b], {});
  }
  eq(a: Value, b: Value): Value {
    return this.one('eq', [a, b], {});
  }
  lt(a: Value, b: Value): Value {
    return this.one('lt', [a, b], {});
  }
  le(a: Value, b: Value): Value {
    return this.one('le', [a, b], {});
  }
  and(a: Value, b: Value): Value {
    return this.one('and', [a, b], {});
  }
  or(a: Value, b: Value): Value {
    return this.one('or', [a, b], {});
  }

  sum(x: Value, axes: readonly number[], keep = false): Value {
    return this.one('sum', [x], { axes, keep });
  }
  reduceMax(x: Value, axes: readonly number[], keep = false): Value {
    return this.one('reduce_max', [x], { axes, keep });
  }
  mean(x: Value, axes: readonly number[], keep = false): Value {
    return this.one('mean', [x], { axes, keep });
  }
  /** Returns the values, then their i32 indices. */
  topk(x: Value, k: number): [Value, Value] {
    const [values, index] = this.emit('topk', [x], { k });
    return [values!, index!];
  }
  matmul(a: Value, b: Value): Value {
    return this.one('matmul', [a, b], {});
  }
  conv2d(x: Value, w: Value, attributes: ConvAttributes): Value {
    return this.one('conv2d', [x, w], attributes);
  }
  conv2dDx(dy: Value, w: Value, attributes: OpAttributes['conv2d_dx']): Value {
    return this.one('conv2d_dx', [dy, w], attributes);
  }
  conv2dDw(x: Value, dy: Value, attributes: OpAttributes['conv2d_dw']): Value {
    return this.one('conv2d_dw', [x, dy], attributes);
  }
  softmax(x: Value, axis: number): Value {
    return this.one('softmax', [x], { axis });
  }
  logSoftmax(x: Value, axis: number): Value {
    return this.one('log_softmax', [x], { axis });
  }
  layerNorm(x: Value, scale: Value, bias: Value, eps: number): Value {
    return this.one('layer_norm', [x, scale, bias], { eps });
  }
  gelu(x: Value, approximate: boolean): Value {
    return this.one('gelu', [x], { approximate });
  }
  maxPool2d(x: Value, attributes: OpAttributes['max_pool2d']): Value {
    return this.one('max_pool2d', [x], attributes);
  }
  gridSample(x: Value, at: Value): Value {
    return this.one('grid_sample', [x, at], {});
  }
}

/** Returns the input that an application leaves unchanged, if the application is a no-op. */
function unchangedInput<O extends OpName>(
  op: O,
  inputs: readonly Value[],
  types: readonly TensorType[],
  attributes: NodeAttributes[OpName],
  facts: Facts,
): Value | undefined {
  const x = inputs[0];
  const type = types[0];
  if (x === undefined || type === undefined) return undefined;
  switch (op) {
    case 'reshape':
    case 'broadcast':
      return sameShape(facts, x.type.shape, type.shape) ? x : undefined;
    case 'cast':
      return x.type.dtype === type.dtype ? x : undefined;
    case 'concat':
      return inputs.length === 1 ? x : undefined;
    case 'transpose':
      return (attributes as OpAttributes['transpose']).perm.every((from, to) => from === to) ? x : undefined;
    case 'slice': {
      const { start, stop, step } = attributes as OpAttributes['slice'];
      const whole = x.type.shape.every(
        (size, axis) => step[axis] === 1 && isZero(facts, start[axis]!) && sameDim(facts, stop[axis]!, size),
      );
      return whole ? x : undefined;
    }
    case 'pad': {
      const { low, high } = attributes as OpAttributes['pad'];
      return [...low, ...high].every((dim) => isZero(facts, dim)) ? x : undefined;
    }
    default:
      return undefined;
  }
}

function isZero(facts: Facts, dim: Dim): boolean {
  return asConstant(dim) === 0 || asConstant(facts.normalize(dim)) === 0;
}
