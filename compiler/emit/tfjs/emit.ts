import { indexInputs } from '../../graphs/index-check.ts';
import type { Graph, Node, Value } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';
import { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import { lowerings } from './lowerings.ts';
import { type Constant, type Port, type Temp, type TfjsFunction, type TfjsProgram, tfType } from './program.ts';
import { schedule } from './schedule.ts';

/** A graph that becomes a function of the program. All of its sizes must be known. */
export interface FunctionSource {
  readonly name: string;
  readonly docs: string;
  readonly graph: Graph;
  /** Inputs that persist between calls, and the output with the new value of each. */
  readonly state: ReadonlyMap<string, string | undefined>;
}

/**
 * Operators that move data and compute nothing. They are emitted when their result is requested, because the reader may
 * not need it: it may take a number for a full tensor, or the input of a broadcast.
 */
const onDemand = new Set<Node['op']>([
  'input',
  'weight',
  'constant',
  'full',
  'iota',
  'dim',
  'stop_gradient',
  'reshape',
  'transpose',
  'broadcast',
]);

/**
 * Returns graphs as the functions of one TensorFlow.js program, as plain data. `hash` is the graph hash that the
 * program states as its origin.
 */
export function emitTfjs(model: string, docs: string, hash: string, sources: readonly FunctionSource[]): TfjsProgram {
  const constants: Constant[] = [];
  const functions = sources.map((source) => emitFunction(source, constants));
  return { model, docs, hash, constants, functions };
}

function emitFunction({ name, docs, graph, state }: FunctionSource, constants: Constant[]): TfjsFunction {
  const emission = new Emission(graph.facts, constants, lower);
  const feeds: Port[] = [];
  const held = new Map<string, Temp>();
  for (const input of graph.inputs) {
    const temp = source(emission, input.value, input.name, state.has(input.name) ? 'state' : 'feeds');
    if (temp.owner === 'state') held.set(input.name, temp);
    else feeds.push({ name: input.name, temp, dtype: input.value.type.dtype, docs: input.docs });
  }
  for (const node of graph.nodes)
    if (node.op === 'weight')
      held.set(node.attributes.path, source(emission, node.outputs[0], node.attributes.path, 'state'));
  for (const { name: input, value, rows } of indexInputs(graph))
    emission.name(value, emission.rowNumbers(emission.use(value), emission.size(rows), input));
  for (const node of graph.nodes) if (!onDemand.has(node.op)) emission.lower(node);

  const next = new Set(state.values());
  const outputs: Port[] = graph.outputs
    .filter((output) => !next.has(output.name))
    .map(({ name: output, value, docs: text }) => ({
      name: output,
      temp: emission.use(value),
      dtype: value.type.dtype,
      docs: text,
    }));
  const replacements = new Map<string, Temp>();
  const byName = new Map(graph.outputs.map((output) => [output.name, output.value]));
  for (const [input, output] of state) {
    const value = output === undefined ? undefined : byName.get(output);
    if (value !== undefined && held.has(input)) replacements.set(input, emission.use(value));
  }
  const draws = [...emission.draws].map(([key, temp]): Port => {
    return { name: `uniform/${key}`, temp, dtype: 'f32', docs: 'numbers in [0, 1)' };
  });
  const scheduled = schedule(
    emission.calls,
    held,
    replacements,
    outputs.map((output) => output.temp),
  );
  return {
    name,
    docs,
    feeds: [...feeds, ...draws],
    state: [...held].map(([input, temp]) => ({ temp, replaced: replacements.has(input) })),
    outputs: outputs.map((output, i) => ({ ...output, temp: scheduled.outputs[i]! })),
    steps: scheduled.steps,
  };
}

function source(emission: Emission, value: Value, name: string, owner: 'feeds' | 'state'): Temp {
  const temp: Temp = { owner, shape: emission.shape(value), dtype: tfType(value.type.dtype), hint: name };
  emission.name(value, temp);
  return temp;
}

function lower(node: Node, emission: Emission): readonly Temp[] {
  if (node.op === 'input' || node.op === 'weight') throw new Error(`bug in crobc: a stray ${node.op} in a graph`);
  const lowering = lowerings[node.op] as Lowering<OpName>;
  return lowering(node as Parameters<typeof lowering>[0], emission);
}
