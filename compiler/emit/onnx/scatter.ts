import { constant, type Dim, one, product } from '../../dims/dim.ts';
import { type IndexUse, indexUseIn } from '../../graphs/index-check.ts';
import type { NodeOf, Value } from '../../ir/graph.ts';
import { elementCount, tensor } from '../../ir/tensor-data.ts';
import type { DType, TensorType } from '../../ir/types.ts';
import { toAttribute } from './element-types.ts';
import type { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import { graphOf, int, string, tensorOf } from './model.ts';
import { known, knownShape } from './reshape-target.ts';
import { reshaped } from './reshaped.ts';

/**
 * onnxruntime's ScatterND adds whole rows, but on several threads without a lock, so it loses updates if rows repeat
 * (1.30, CPU). It uses several threads only from a certain number of elements on, so larger updates are added part by
 * part. ScatterElements is always correct, but takes up to 16 times as long.
 */
export const scatterAdd: Lowering<'scatter_add'> = (node, emission) => {
  const [index, updates] = node.inputs;
  // Neither ScatterND nor ScatterElements supports f16.
  const half = updates.type.dtype === 'f16';
  const added = half
    ? emission.node('Cast', [emission.use(updates)], { dtype: 'f32', shape: updates.type.shape }, toAttribute('f32'))
    : emission.use(updates);
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
  return [half ? emission.node('Cast', [total], node.outputs[0].type, toAttribute('f16')) : total];
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

/**
 * The number of updates of each ScatterND: `steps` run one after another in each of `parts`. All sizes are known if
 * there are steps.
 */
interface Parts {
  readonly parts: number;
  readonly steps: readonly number[];
}

/** A single ScatterND for all updates. */
const whole: Parts = { parts: 1, steps: [] };

/** Returns undefined if it would not be faster: each step copies the sums of the steps before it. */
function serialParts(node: NodeOf<'scatter_add'>, { facts, serialScatter }: Emission): Parts | undefined {
  if (serialScatter === Number.POSITIVE_INFINITY) return whole;
  const [places, result] = [
    knownShape(facts, node.inputs[0].type.shape),
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

/** The largest number of steps in a graph. */
const mostSteps = 128;
/** The number of elements that can be copied in the additional time that ScatterElements takes for one element. */
const copiesForAnUpdate = 16;

function byRows(
  { use, index, updates, added, dtype, result }: Scattered,
  { parts, steps }: Parts,
  emission: Emission,
): string {
  const width = result.slice(1);
  const whole = { dtype, shape: result };
  if (steps.length === 0) {
    const { shape } = index.type;
    const at = reshaped(emission, emission.rowIndex64(use), { dtype: 'i64', shape }, [...shape, one]);
    return addRows(emission, zeros(emission, whole), at, added, whole);
  }
  const count = constant(steps.reduce((a, b) => a + b));
  const rows = constant(known(emission.facts, result[0]!)! / parts);
  const sum = { dtype, shape: [rows, ...width] };
  const rowsOf = (count: Dim): TensorType => ({ dtype, shape: [count, ...width] });
  const indicesOf = (count: Dim): TensorType => ({ dtype: 'i64', shape: [count, one] });
  const chain = ([at, more]: readonly string[]): readonly string[] => {
    const cut = (name: string, typeOf: (count: Dim) => TensorType): readonly string[] => {
      if (steps.length === 1) return [name];
      const types = steps.map((step) => typeOf(constant(step)));
      return emission.results('Split', [name, emission.i64(steps)], types, { axis: int(0) });
    };
    const [tuples, chunks] = [cut(at!, indicesOf), cut(more!, rowsOf)];
    const nothing = zeros(emission, sum);
    return [steps.reduce((name, _, i) => addRows(emission, name, tuples[i]!, chunks[i]!, sum), nothing)];
  };
  const places = { dtype: 'i64', shape: index.type.shape } as const;
  const given = { dtype, shape: updates.type.shape };
  if (parts === 1) {
    const at = reshaped(emission, emission.rowIndex64(use), places, [count, one]);
    return chain([at, reshaped(emission, added, given, [count, ...width])])[0]!;
  }
  // Processes each part separately, with rows counted from its own first row.
  const each = constant(parts);
  const global = reshaped(emission, emission.rowIndex64(use), places, [each, count, one]);
  const firsts = Array.from({ length: parts }, (_, i) => i * known(emission.facts, rows)!);
  const byPart = { dtype: 'i64', shape: [each, count, one] } as const;
  const local = emission.node('Sub', [global, emission.data(tensor('i64', [parts, 1, 1], firsts))], byPart);
  const apart = reshaped(emission, added, given, [each, count, ...width]);
  const port = ({ dtype, shape }: TensorType) => ({ dtype, shape: knownShape(emission.facts, shape)! });
  const body = emission.subgraph(
    'sums',
    { inputs: [port(indicesOf(count)), port(rowsOf(count))], outputs: [port(sum)] },
    chain,
  );
  const all = { dtype, shape: [each, rows, ...width] };
  const sums = emission.node('Scan', [local, apart], all, { body: graphOf(body), num_scan_inputs: int(2) });
  return reshaped(emission, sums, all, result);
}

function addRows(emission: Emission, to: string, at: string, rows: string, type: TensorType): string {
  return emission.node('ScatterND', [to, at, rows], type, { reduction: string('add') });
}

function zeros(emission: Emission, type: TensorType): string {
  const value = tensorOf(tensor(type.dtype, [1], [0]));
  return emission.node('ConstantOfShape', [emission.dims.vector(type.shape)], type, { value });
}

/** Scatters along one axis, because ScatterElements takes three times as long along one of several axes. */
function byElements({ use, index, updates, added, dtype, result }: Scattered, emission: Emission): string {
  const { facts, dims } = emission;
  const { shape } = updates.type;
  const row = product(result.slice(1));
  const width = known(facts, row);
  const places = product(index.type.shape);
  let at: string;
  if (width === 1) at = reshaped(emission, emission.rowIndex(use), emission.indexType(index), [places]);
  else {
    // In 32 bits, an invalid row number times the length of a row could wrap to a valid one.
    const whole = emission.indexCheck(use).kind === 'run' ? 'i64' : 'i32';
    const n = width === undefined ? dims.scalar(row, whole) : emission.number(width, whole);
    const rows = whole === 'i64' ? emission.rowIndex64(use) : emission.use(index);
    const flat = reshaped(emission, rows, { dtype: whole, shape: index.type.shape }, [places]);
    const startsType = { dtype: whole, shape: [places] } as const;
    const starts = emission.node('Mul', [flat, n], startsType);
    const columns = reshaped(emission, starts, startsType, [places, one]);
    const range = [emission.number(0, whole), n, emission.number(1, whole)];
    const within = emission.shared('Range', range, { dtype: whole, shape: [row] });
    const table = { dtype: whole, shape: [places, row] } as const;
    at = reshaped(emission, emission.node('Add', [columns, within], table), table, [product(shape)]);
  }
  const sums = { dtype, shape: [product(result)] };
  const empty = zeros(emission, sums);
  const flat = reshaped(emission, added, { dtype, shape }, [product(shape)]);
  const attributes = { axis: int(0), reduction: string('add') };
  const total = emission.node('ScatterElements', [empty, at, flat], sums, attributes);
  return reshaped(emission, total, sums, result);
}
