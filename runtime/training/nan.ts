import { constant } from '../../compiler/dims/dim.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { Builder } from '../../compiler/ir/builder.ts';
import type { Graph, Node, NodeOp, Origin, Value } from '../../compiler/ir/graph.ts';
import { finish } from '../../compiler/ir/rebuild.ts';
import { encodeOnnx } from '../onnx-file.ts';
import { packageVersion } from '../package-root.ts';
import { type Device, type Feeds, openSession } from '../session.ts';
import { allFinite } from './state.ts';

/** The operator whose result first was not finite. */
export interface NonFinite {
  readonly op: NodeOp;
  readonly origin: Origin;
  readonly made: 'NaN' | 'Inf';
  /** Which micro-batch of the step, where there are several. */
  readonly micro?: number;
}

/** Whether a value holds NaN, and whether it holds NaN or an infinity. */
interface Holds {
  readonly nan: boolean;
  readonly nonFinite: boolean;
}
const finite: Holds = { nan: false, nonFinite: false };

/** Operators that move elements and make none: their results are as their inputs are. */
const moves: ReadonlySet<NodeOp> = new Set<NodeOp>([
  'reshape',
  'transpose',
  'broadcast',
  'slice',
  'concat',
  'gather',
  'cast',
  'stop_gradient',
  'iota',
  'dim',
  'uniform',
]);

/**
 * Runs a graph once with two numbers more for every result of an operator, one that says NaN and one that says
 * infinity, and gives the operator that made what was not finite out of what was. Infinities that a source writes down
 * (a mask of -inf) are no fault by themselves. Undefined when everything is finite.
 */
export async function firstNonFinite(
  graph: Graph,
  feeds: Feeds,
  options: { readonly device: Device; readonly threads: number | undefined },
): Promise<NonFinite | undefined> {
  const looked = graph.nodes.flatMap((node) =>
    isSource(node) || moves.has(node.op) ? [] : node.outputs.filter(({ type }) => type.dtype === 'f32'),
  );
  const holds = new Map<Value, Holds>();
  if (looked.length > 0) {
    const { nan, nonFinite } = await run(withChecks(graph, looked), feeds, options);
    for (const [i, value] of looked.entries())
      holds.set(value, { nan: nan[i]! > 0, nonFinite: Number.isNaN(nonFinite[i]) });
  }
  for (const node of graph.nodes) {
    if (node.op === 'input') holds.set(node.outputs[0]!, ofData(feeds[node.attributes.name]?.data));
    else if (node.op === 'constant') holds.set(node.outputs[0]!, ofData(node.attributes.tensor.data));
    else if (node.op === 'full') holds.set(node.outputs[0]!, ofData([node.attributes.value]));
    else if (moves.has(node.op)) {
      const all = node.inputs.map((input) => holds.get(input) ?? finite);
      const either = { nan: all.some((h) => h.nan), nonFinite: all.some((h) => h.nonFinite) };
      for (const output of node.outputs) holds.set(output, either);
    }
  }
  const of = (value: Value): Holds => holds.get(value) ?? finite;
  const made = graph.nodes.filter((node) => !isSource(node) && !moves.has(node.op));
  const firstNan = made.find((node) => node.outputs.some((v) => of(v).nan) && !node.inputs.some((v) => of(v).nan));
  const first = firstNan
    ? (overflowBefore(firstNan, of) ?? firstNan)
    : made.find((node) => node.outputs.some((v) => of(v).nonFinite) && !node.inputs.some((v) => of(v).nonFinite));
  if (first === undefined) return undefined;
  return { op: first.op, origin: first.origin, made: first.outputs.some((v) => of(v).nan) ? 'NaN' : 'Inf' };
}

function isSource(node: Node): boolean {
  return node.op === 'input' || node.op === 'constant' || node.op === 'full' || node.op === 'weight';
}

function ofData(data: ArrayLike<number> | BigInt64Array | undefined): Holds {
  if (data === undefined || data instanceof BigInt64Array || allFinite(data)) return finite;
  let nan = false;
  for (let i = 0; i < data.length && !nan; i++) nan = Number.isNaN(data[i]);
  return { nan, nonFinite: true };
}

/** Inf - Inf is NaN: what is to blame is the operator that overflowed, unless the infinity was written down. */
function overflowBefore(node: Node, of: (value: Value) => Holds): Node | undefined {
  let at = node;
  for (;;) {
    const from: Value | undefined = at.inputs.find((value) => of(value).nonFinite);
    if (from === undefined) return at;
    if (isSource(from.node)) return undefined;
    at = from.node;
  }
}

/** The graph with two vectors for outputs: for each of `values` how many NaN it holds, and 0 or, if not all is finite, NaN. */
function withChecks(graph: Graph, values: readonly Value[]): Graph {
  const build = new Builder(graph.facts);
  build.nodes.push(...graph.nodes);
  build.origin = { span: undefined, path: '', label: '' };
  const total = (x: Value): Value => {
    const axes = x.type.shape.map((_, axis) => axis);
    return build.reshape(axes.length === 0 ? x : build.sum(x, axes), [constant(1)]);
  };
  const nan = values.map((x) => total(build.cast(build.not(build.eq(x, x)), 'f32')));
  const nonFinite = values.map((x) => total(build.sub(x, x)));
  const outputs = [
    { name: 'crobc:nan', value: build.concat(nan, 0), docs: '' },
    { name: 'crobc:non_finite', value: build.concat(nonFinite, 0), docs: '' },
  ];
  return finish({ ...graph, outputs }, build.nodes);
}

async function run(
  graph: Graph,
  feeds: Feeds,
  { device, threads }: { readonly device: Device; readonly threads: number | undefined },
): Promise<{ readonly nan: ArrayLike<number>; readonly nonFinite: ArrayLike<number> }> {
  const bytes = await encodeOnnx(emitOnnx(graph, { producerVersion: packageVersion() }), {
    read(path): never {
      throw new Error(`bug in crobc: the weight ${path} is in a graph whose state are inputs`);
    },
  });
  const session = await openSession(bytes, { device, ...(threads === undefined ? {} : { threads }) });
  try {
    const known = new Set(session.inputs.map(({ name }) => name));
    const wanted = Object.fromEntries(Object.entries(feeds).filter(([name]) => known.has(name)));
    const results = await session.run(wanted);
    return {
      nan: results['crobc:nan']!.data as Float32Array,
      nonFinite: results['crobc:non_finite']!.data as Float32Array,
    };
  } finally {
    await session.release();
  }
}
