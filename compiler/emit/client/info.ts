import { asVariable, type Dim, variables } from '../../dims/dim.ts';
import { type IndexInput, indexInputs } from '../../graphs/index-check.ts';
import type { Graph } from '../../ir/graph.ts';
import { type PortDType, portDType, type TensorType } from '../../ir/types.ts';
import type { ReferringClient } from './referring.ts';

/** The data that a client is generated from. */
export interface ClientInfo {
  readonly model: string;
  readonly docs: string;
  readonly inputs: readonly ClientTensor[];
  readonly outputs: readonly ClientTensor[];
  /** The variables of the shapes; each is the size of an axis of some input. */
  readonly dims: readonly string[];
  readonly guards: readonly ClientGuard[];
  /** Integer inputs whose elements must be in 0..rows-1. */
  readonly rowNumbers: readonly { readonly name: string; readonly rows: Dim }[];
  /** Paths relative to the client. */
  readonly files: { readonly onnx: string };
  /** The hash of the graph. */
  readonly hash: string;
  /** Set for a model of images and words, whose client prepares both. */
  readonly referring?: ReferringClient | undefined;
}

export interface ClientTensor {
  readonly name: string;
  readonly dtype: PortDType;
  /** The shape as shown to the user: `H/4`. */
  readonly shape: readonly string[];
  readonly dims: readonly Dim[];
  readonly docs: string;
}

/** A condition on the dims; the fields are those of `Guard`. */
export interface ClientGuard {
  readonly text: string;
  readonly left: Dim;
  readonly relation: '==' | '<=' | '<' | '%';
  readonly right: Dim;
  readonly remainder?: number;
}

/**
 * Collects the data of a client. `onnx` is the name of the model file next to the client, `hash` the graph's hash; the
 * client checks `rowNumbers`.
 */
export function clientInfo(
  graph: Graph,
  onnx: string,
  hash: string,
  rowNumbers: readonly IndexInput[] = indexInputs(graph),
): ClientInfo {
  const tensor = (name: string, { dtype, shape }: TensorType, docs: string): ClientTensor => ({
    name,
    dtype: portDType(dtype),
    shape: shape.map((dim) => graph.facts.show(dim)),
    dims: shape,
    docs,
  });
  const dims = new Set(graph.inputs.flatMap(({ value }) => value.type.shape.flatMap((dim) => asVariable(dim) ?? [])));
  const used = [...graph.inputs, ...graph.outputs].flatMap(({ value }) => value.type.shape);
  const asked = [...graph.guards.flatMap(({ left, right }) => [left, right]), ...rowNumbers.map(({ rows }) => rows)];
  for (const dim of [...used, ...asked]) {
    for (const name of variables(dim)) {
      if (!dims.has(name)) throw new Error(`bug in crobc: no input has the dim ${name} as its size`);
    }
  }
  return {
    model: graph.name,
    docs: graph.docs,
    inputs: graph.inputs.map(({ name, value, docs }) => tensor(name, value.type, docs)),
    outputs: graph.outputs.map(({ name, value, docs }) => tensor(name, value.type, docs)),
    dims: [...dims],
    guards: graph.guards,
    rowNumbers,
    files: { onnx },
    hash,
  };
}
