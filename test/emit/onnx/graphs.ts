import { constant, type Dim, variable } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import type { Attribute, OnnxModel } from '../../../compiler/emit/onnx/model.ts';
import { Builder } from '../../../compiler/graphs/builder.ts';
import { indexInputs } from '../../../compiler/graphs/index-check.ts';
import { finish } from '../../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../../compiler/ir/graph.ts';
import type { DType, TensorType } from '../../../compiler/ir/types.ts';

type Size = number | string | Dim;

/** `type('f32', 'B', 3, 'H')`: names are dims. */
export function type(dtype: DType, ...shape: Size[]): TensorType {
  return { dtype, shape: shape.map(dim) };
}

export function dim(size: Size): Dim {
  return typeof size === 'number' ? constant(size) : typeof size === 'string' ? variable(size) : size;
}

/** Makes inputs and weights as they are asked for. */
export class GraphBuilder extends Builder {
  readonly #inputs: Graph['inputs'][number][] = [];

  given(name: string, dtype: DType, ...shape: Size[]): Value {
    const value = this.input(name, type(dtype, ...shape));
    this.#inputs.push({ name, value, docs: '' });
    return value;
  }

  param(path: string, ...shape: number[]): Value {
    const init = { name: 'zeros', args: {} };
    return this.weight({ path, role: 'param', init, decay: true, keepF32: false }, type('f32', ...shape));
  }

  graph(outputs: Readonly<Record<string, Value>>): Graph {
    const named = Object.entries(outputs).map(([name, value]) => ({ name, value, docs: '' }));
    const parts = { name: 'Test', docs: '', inputs: this.#inputs, outputs: named, facts: this.facts, guards: [] };
    return finish(parts, this.nodes);
  }
}

export function graphOf(
  outputs: (build: GraphBuilder) => Readonly<Record<string, Value>>,
  facts: Facts = Facts.none,
): Graph {
  const build = new GraphBuilder(facts);
  return build.graph(outputs(build));
}

/** As commands have it, which look at indices that come in themselves. */
export function emitted(graph: Graph): OnnxModel {
  return emitOnnx(graph, { producerVersion: 'test', hostChecks: indexInputs(graph) });
}

/** One line a node: `y = Reshape(x, [0, -1])`; small integer constants are shown in place. */
export function lines({ graph }: OnnxModel): string[] {
  const integers = new Map<string, string>();
  for (const { name, source, dims } of graph.initialisers)
    if (source.kind === 'data' && source.tensor.data.length <= 8) {
      const text = Array.from(source.tensor.data).join(', ');
      integers.set(name, dims.length === 0 ? text : `[${text}]`);
    }
  return graph.nodes.map(({ op, inputs, outputs, attributes }) => {
    const given = inputs.map((input) => integers.get(input) ?? input);
    const named = Object.entries(attributes).map(([name, attribute]) => `${name}=${show(attribute)}`);
    return `${outputs.join(', ')} = ${op}(${[...given, ...named].join(', ')})`;
  });
}

function show(attribute: Attribute): string {
  if (attribute.kind === 'tensor') return `[${Array.from(attribute.value.data).join(', ')}]`;
  return attribute.kind === 'ints' ? `[${attribute.value.join(', ')}]` : String(attribute.value);
}
