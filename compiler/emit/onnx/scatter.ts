import { constant, type Dim, one, product } from '../../dims/dim.ts';
import { type IndexUse, indexUseIn } from '../../graphs/index-check.ts';
import type { NodeOf, Value } from '../../ir/graph.ts';
import { elementCount, tensor } from '../../ir/tensor-data.ts';
import type { DType } from '../../ir/types.ts';
import { toAttribute } from './element-types.ts';
import type { Emission } from './emission.ts';
import { inputOf, type Lowering } from './lowering.ts';
import { graphOf, int, string, tensorOf } from './model.ts';
import { known, knownShape } from './reshape-target.ts';
import { reshaped } from './reshaped.ts';

/**
 * onnxruntime's ScatterND adds whole rows, but from several threads without a lock: it loses updates where rows repeat
 * (1.30, CPU). Only from a certain number of elements on does it give an operator to several threads, though; so where there
 * are more they are added part by part. ScatterElements is always right, and takes up to 16 times as long.
 */
export const scatterAdd: Lowering<'scatter_add'> = (node, emission) => {
  const [index, updates] = [inputOf(node, 0), inputOf(node, 1)];
  // Neither operator has f16 there.
  const half = updates.type.dtype === 'f16';
  const added = half ? emission.node('Cast', [emission.use(updates)], toAttribute('f32')) : emission.use(updates);
  const scattered: Scattered = {
    use: indexUseIn(node),
    index,
    updates,
    added,
    dtype: half ? 'f32' : updates.type.dtype,
    result: node.outputs[0].type.shape,
  };
  const parts = serialParts(node, emission);
  const total = parts === undefined ? byElements(scattered, emission) : byRows(scattered, parts, emission);
  return [half ? emission.node('Cast', [total], toAttribute('f16')) : total];
};

interface Scattered {
  readonly use: IndexUse;
  readonly index: Value;
  readonly updates: Value;
  /** The updates in a dtype that can be added. */
  readonly added: string;
  readonly dtype: DType;
  readonly result: readonly Dim[];
}

/** How many updates each ScatterND takes: one behind the other in each of `parts`, whose sizes are known then. */
interface Parts {
  readonly parts: number;
  readonly steps: readonly number[];
}

/** The whole at once. */
const whole: Parts = { parts: 1, steps: [] };

/** Undefined where it would be no gain: each step copies what those before it have added up. */
function serialParts(node: NodeOf<'scatter_add'>, { facts, serialScatter }: Emission): Parts | undefined {
  if (serialScatter === Number.POSITIVE_INFINITY) return whole;
  const [places, result] = [
    knownShape(facts, inputOf(node, 0).type.shape),
    knownShape(facts, node.outputs[0].type.shape),
  ];
  if (places === undefined || result === undefined) return undefined;
  const parts = node.attributes.apart ? places[0]! : 1;
  const [count, size] = [elementCount(places) / parts, elementCount(result) / parts];
  const row = elementCount(result.slice(1));
  const most = Math.floor(serialScatter / row);
  if (most < 1 || !Number.isInteger(size / row)) return undefined;
  const steps = Math.ceil(count / most);
  if (steps > mostSteps || (steps - 1) * size > copiesForAnUpdate * count * row) return undefined;
  return { parts, steps: Array.from({ length: steps }, (_, i) => Math.min(most, count - i * most)) };
}

/** A graph gets no longer than this. */
const mostSteps = 128;
/** So many elements are copied in the time that ScatterElements takes longer for one. */
const copiesForAnUpdate = 16;

function byRows(
  { use, index, updates, added, dtype, result }: Scattered,
  { parts, steps }: Parts,
  emission: Emission,
): string {
  const places = index.type.shape;
  const width = result.slice(1);
  if (steps.length === 0) {
    const at = reshaped(emission, emission.rowIndex64(use), places, [...places, one]);
    return addRows(emission, zeros(emission, dtype, result), at, added);
  }
  const count = constant(steps.reduce((a, b) => a + b));
  const rows = constant(known(emission.facts, result[0]!)! / parts);
  const chain = ([at, more]: readonly string[]): readonly string[] => {
    const cut = (name: string): readonly string[] =>
      steps.length === 1
        ? [name]
        : emission.results('Split', [name, emission.i64(steps)], { axis: int(0) }, steps.length);
    const [tuples, chunks] = [cut(at!), cut(more!)];
    const nothing = zeros(emission, dtype, [rows, ...width]);
    return [steps.reduce((sum, _, i) => addRows(emission, sum, tuples[i]!, chunks[i]!), nothing)];
  };
  if (parts === 1) {
    const at = reshaped(emission, emission.rowIndex64(use), places, [count, one]);
    return chain([at, reshaped(emission, added, updates.type.shape, [count, ...width])])[0]!;
  }
  // Each part by itself, with rows counted from its own first one.
  const each = constant(parts);
  const global = reshaped(emission, emission.rowIndex64(use), places, [each, count, one]);
  const firsts = Array.from({ length: parts }, (_, i) => i * known(emission.facts, rows)!);
  const local = emission.node('Sub', [global, emission.data(tensor('i64', [parts, 1, 1], firsts))]);
  const given = reshaped(emission, added, updates.type.shape, [each, count, ...width]);
  const sizes = (shape: readonly Dim[]) => knownShape(emission.facts, shape)!;
  const body = emission.subgraph(
    'sums',
    {
      inputs: [
        { dtype: 'i64', shape: sizes([count, one]) },
        { dtype, shape: sizes([count, ...width]) },
      ],
      outputs: [{ dtype, shape: sizes([rows, ...width]) }],
    },
    chain,
  );
  const sums = emission.node('Scan', [local, given], { body: graphOf(body), num_scan_inputs: int(2) });
  return reshaped(emission, sums, [each, rows, ...width], result);
}

function addRows(emission: Emission, to: string, at: string, rows: string): string {
  return emission.node('ScatterND', [to, at, rows], { reduction: string('add') });
}

function zeros(emission: Emission, dtype: DType, shape: readonly Dim[]): string {
  return emission.node('ConstantOfShape', [emission.dims.vector(shape)], { value: tensorOf(tensor(dtype, [1], [0])) });
}

/** Along one axis, where ScatterElements takes a third of the time that it takes along one of several. */
function byElements({ use, index, updates, added, dtype, result }: Scattered, emission: Emission): string {
  const { facts, dims } = emission;
  const { shape } = updates.type;
  const row = product(result.slice(1));
  const width = known(facts, row);
  const places = product(index.type.shape);
  let at: string;
  if (width === 1) at = reshaped(emission, emission.rowIndex(use), index.type.shape, [places]);
  else {
    // A row that is none, times the length of a row, may be one in 32 bits.
    const whole = emission.indexCheck(use).kind === 'run' ? 'i64' : 'i32';
    const n = width === undefined ? dims.scalar(row, whole) : emission.number(width, whole);
    const rows = whole === 'i64' ? emission.rowIndex64(use) : emission.use(index);
    const starts = emission.node('Mul', [reshaped(emission, rows, index.type.shape, [places]), n]);
    const columns = reshaped(emission, starts, [places], [places, one]);
    const within = emission.shared('Range', [emission.number(0, whole), n, emission.number(1, whole)]);
    at = reshaped(emission, emission.node('Add', [columns, within]), [places, row], [product(shape)]);
  }
  const empty = zeros(emission, dtype, [product(result)]);
  const flat = reshaped(emission, added, shape, [product(shape)]);
  const total = emission.node('ScatterElements', [empty, at, flat], { axis: int(0), reduction: string('add') });
  return reshaped(emission, total, [product(result)], result);
}
