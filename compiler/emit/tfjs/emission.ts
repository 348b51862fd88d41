import { definitions } from '../../definitions/table.ts';
import { asConstant, type Dim } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import { Builder } from '../../graphs/builder.ts';
import { type IndexCheck, type IndexUse, indexChecks } from '../../graphs/index-check.ts';
import type { Node, NodeOf, Value } from '../../ir/graph.ts';
import type { CompositeName } from '../../ir/names.ts';
import { elementCount, scalar } from '../../ir/tensor-data.ts';
import type { DType, TensorData } from '../../ir/types.ts';
import { aligned, runsOf, sameSizes } from './axes.ts';
import { type Argument, type Call, type Constant, type Temp, type TfType, tfType } from './program.ts';

export type Lower = (node: Node, emission: Emission) => readonly Temp[];

const dtypes = { float32: 'f32', int32: 'i32', bool: 'bool' } as const satisfies Readonly<Record<TfType, DType>>;

/** How a tensor was made, if undoing it costs nothing. */
type Made =
  | { readonly by: 'reshape'; readonly from: Temp }
  | { readonly by: 'transpose'; readonly from: Temp; readonly perm: readonly number[] };

/**
 * The calls of a generated function under construction. All methods take and return tensors of known shape. Calls whose
 * results are not needed are removed in the end, so a lowering may emit freely.
 */
export class Emission {
  readonly calls: Call[] = [];
  /** Random numbers that the host feeds, by the key of their `uniform`. */
  readonly draws = new Map<string, Temp>();
  readonly constants: Constant[];
  readonly facts: Facts;
  readonly #lower: Lower;
  readonly #indexCheck: (use: IndexUse) => IndexCheck;
  readonly #rowIndices = new Map<string, Temp>();
  readonly #temps = new Map<Value, Temp>();
  readonly #made = new Map<Temp, Made>();
  #path = '';

  /** `constants` may be shared by several functions of one program. */
  constructor(facts: Facts, constants: Constant[], lower: Lower) {
    this.facts = facts;
    this.constants = constants;
    this.#lower = lower;
    this.#indexCheck = indexChecks(facts);
  }

  /** Returns the tensor of a value; its node is emitted at the first request. */
  use(value: Value): Temp {
    let temp = this.#temps.get(value);
    if (temp === undefined) {
      this.lower(value.node);
      temp = this.#temps.get(value);
    }
    if (temp === undefined) throw new Error(`bug in crobc: ${value.node.op} gave no result ${value.index}`);
    return temp;
  }

  lower(node: Node): void {
    if (node.outputs.every((output) => this.#temps.has(output))) return;
    const outer = this.#path;
    this.#path = node.origin.path;
    const temps = this.#lower(node, this);
    this.#path = outer;
    for (const [i, output] of node.outputs.entries()) this.name(output, temps[i]!);
  }

  name(value: Value, temp: Temp): void {
    if (!sameSizes(temp.shape, this.shape(value)))
      throw new Error(`bug in crobc: ${value.node.op} gave [${temp.shape}], wanted [${this.shape(value)}]`);
    this.#temps.set(value, temp);
  }

  shape(value: Value): number[] {
    return this.sizes(value.type.shape);
  }

  sizes(dims: readonly Dim[]): number[] {
    return dims.map((dim) => this.size(dim));
  }

  size(dim: Dim): number {
    const size = asConstant(dim) ?? asConstant(this.facts.normalize(dim));
    if (size === undefined)
      throw new Error('bug in crobc: a size is not known when a TensorFlow.js program is written');
    return size;
  }

  /** Emits `tf.fn(...args)`, which returns a tensor of this shape and type. */
  call(fn: string, args: readonly Argument[], shape: readonly number[], dtype: TfType): Temp {
    const result: Temp = { owner: 'function', shape, dtype, hint: fn };
    this.calls.push({ results: [result], fn, args, path: this.#path });
    return result;
  }

  /** Emits `const { values, indices } = tf.fn(...args)`, both of this shape. */
  pair(fn: string, args: readonly Argument[], shape: readonly number[], dtypes: readonly [TfType, TfType]): Temp[] {
    const hints = ['values', 'indices'];
    const results = dtypes.map((dtype, i): Temp => ({ owner: 'function', shape, dtype, hint: hints[i]! }));
    this.calls.push({ results, fn, args, path: this.#path });
    return results;
  }

  /** Returns numbers in [0, 1) that the host draws, as in the ONNX target: `uniform/<key>` among the feeds. */
  draw(key: string, shape: readonly number[]): Temp {
    let temp = this.draws.get(key);
    if (temp === undefined) {
      temp = { owner: 'feeds', shape, dtype: 'float32', hint: `uniform/${key}` };
      this.draws.set(key, temp);
    }
    return temp;
  }

  /**
   * Returns row numbers, with a check unless they are proved to be in range or are checked as an input. A gather and its
   * gradient share the check.
   */
  rowIndex(use: IndexUse): Temp {
    const index = this.use(use.index);
    const check = this.#indexCheck(use);
    if (check.kind !== 'run') return index;
    const rows = this.size(use.rows);
    const key = `${use.index.id} ${rows}`;
    let looked = this.#rowIndices.get(key);
    if (looked === undefined) {
      const { path } = use.node.origin;
      looked = this.rowNumbers(index, rows, path === '' ? 'an index' : `an index in ${path}`);
      this.#rowIndices.set(key, looked);
    }
    return looked;
  }

  /** Checks that the elements of x are in 0..rows-1; errors refer to it by this name. */
  rowNumbers(x: Temp, rows: number, name: string): Temp {
    return this.call('rowNumbers', [x, rows, name], x.shape, x.dtype);
  }

  /** Returns a constant; equal constants are shared. */
  constant(tensor: TensorData): Temp {
    const dtype = tfType(tensor.dtype);
    const known = this.constants.find(
      (other) =>
        other.temp.dtype === dtype && sameSizes(other.tensor.shape, tensor.shape) && sameData(other.tensor, tensor),
    );
    if (known !== undefined) return known.temp;
    const temp: Temp = { owner: 'constants', shape: tensor.shape, dtype, hint: `constant${this.constants.length}` };
    this.constants.push({ temp, tensor });
    return temp;
  }

  /** A number as an operand in place of a tensor: a literal, which is float32 in TensorFlow.js, or a constant. */
  number(value: number, dtype: DType): Argument {
    return dtype === 'f32' ? value : this.constant(scalar(dtype, value));
  }

  fill(shape: readonly number[], value: number, dtype: DType): Temp {
    return this.call('fill', [shape, value, tfType(dtype)], shape, tfType(dtype));
  }

  cast(x: Temp, dtype: TfType): Temp {
    if (x.dtype === dtype) return x;
    // wasm's Cast to bool only keeps the low byte of the truncated number.
    if (dtype === 'bool') {
      const zero = this.number(0, x.dtype === 'float32' ? 'f32' : 'i32');
      return this.call('notEqual', [x, zero], x.shape, 'bool');
    }
    return this.call('cast', [x, dtype], x.shape, dtype);
  }

  reshape(x: Temp, shape: readonly number[]): Temp {
    if (sameSizes(x.shape, shape)) return x;
    const made = this.#made.get(x);
    if (made?.by === 'reshape') return this.reshape(made.from, shape);
    const result = this.call('reshape', [x, shape], shape, x.dtype);
    this.#made.set(result, { by: 'reshape', from: x });
    return result;
  }

  /** Merges transposes of transposes; axes that stay together are moved together. */
  transpose(x: Temp, perm: readonly number[]): Temp {
    if (perm.every((from, to) => from === to)) return x;
    const made = this.#made.get(x);
    if (made?.by === 'transpose')
      return this.transpose(
        made.from,
        perm.map((axis) => made.perm[axis]!),
      );
    const shape = perm.map((axis) => x.shape[axis]!);
    const result = this.#transposed(x, perm, shape);
    this.#made.set(result, { by: 'transpose', from: x, perm });
    return result;
  }

  #transposed(x: Temp, perm: readonly number[], shape: readonly number[]): Temp {
    if (perm.length <= 4) return this.call('transpose', [x, perm], shape, x.dtype);
    const place = new Map(perm.map((axis, to) => [axis, to]));
    // Axes belong together if they are also neighbours in the result.
    const solid = [...x.shape.keys()].filter((axis) => x.shape[axis] !== 1);
    const order = [...perm].filter((axis) => x.shape[axis] !== 1);
    const next = new Map(order.map((axis, i) => [axis, order[i + 1]]));
    const group = new Map<number, number>();
    for (const [i, axis] of solid.entries()) {
      const before = solid[i - 1];
      group.set(axis, before !== undefined && next.get(before) === axis ? group.get(before)! : axis);
    }
    const runs = runsOf(x.shape, (axis) => group.get(axis));
    const moved = [...runs.keys()].sort((a, b) => place.get(runs[a]!.axes[0]!)! - place.get(runs[b]!.axes[0]!)!);
    const flat = this.reshape(
      x,
      runs.map((run) => run.size),
    );
    const sizes = moved.map((run) => runs[run]!.size);
    const isIdentity = moved.every((run, i) => run === i);
    const turned = isIdentity ? flat : this.call('transpose', [flat, moved], sizes, x.dtype);
    return this.reshape(turned, shape);
  }

  /**
   * Repeats axes of size 1 and adds leading axes, up to `shape`. Multiplies by ones of only the repeated axes, because
   * wasm's tile computes the position of each element (200 times as slow).
   */
  expand(x: Temp, shape: readonly number[]): Temp {
    const from = aligned(x.shape, shape.length);
    if (sameSizes(from, shape)) return this.reshape(x, shape);
    const runs = runsOf(shape, (axis) => from[axis] === 1);
    const isNew = runs.map(({ axes }) => from[axes[0]!] === 1);
    if (runs.length <= 4) {
      const held = runs.map(({ size }, i) => (isNew[i] ? 1 : size));
      const repeats = runs.map(({ size }, i) => (isNew[i] ? size : 1));
      return this.reshape(this.#repeated(x, held, repeats), shape);
    }
    // Repeats one run at a time, between the runs before and after it.
    let [repeated, inner] = [x, 1];
    for (const [i, { size }] of [...runs.entries()].reverse()) {
      if (isNew[i]) repeated = this.#repeated(repeated, [elementCount(repeated.shape) / inner, 1, inner], [1, size, 1]);
      inner *= size;
    }
    return this.reshape(repeated, shape);
  }

  /** Multiplies x, reshaped to `held`, by ones. Along each axis, one of the two sizes is 1. */
  #repeated(x: Temp, held: readonly number[], repeats: readonly number[]): Temp {
    const whole = held.map((size, i) => size * repeats[i]!);
    const operands = [this.reshape(x, held), this.fill(repeats, 1, dtypes[x.dtype])];
    return this.call(x.dtype === 'bool' ? 'logicalAnd' : 'mul', operands, whole, x.dtype);
  }

  /** Returns the elements begin <= i < begin + size, without a step. */
  slice(x: Temp, begin: readonly number[], size: readonly number[]): Temp {
    if (sameSizes(x.shape, size)) return x;
    if (x.shape.length <= 4) return this.call('slice', [x, begin, size], size, x.dtype);
    // Axes that are kept whole are merged into the sliced axis before them: a slice of rows is a slice of their
    // elements.
    const cut = [...x.shape.keys()].filter((axis) => size[axis] !== x.shape[axis]);
    const starts = [0, ...cut.filter((axis) => axis > 0)];
    const merged = starts.map((start, i) => {
      const axes = [...x.shape.keys()].slice(start, starts[i + 1]);
      const rest = elementCount(axes.slice(1).map((axis) => x.shape[axis]!));
      return { length: x.shape[start]! * rest, begin: begin[start]! * rest, size: size[start]! * rest };
    });
    const flat = this.reshape(
      x,
      merged.map((run) => run.length),
    );
    const kept = merged.map((run) => run.size);
    const picked = this.call('slice', [flat, merged.map((run) => run.begin), kept], kept, x.dtype);
    return this.reshape(picked, size);
  }

  /** Adds rows before and after each axis; negative numbers crop. */
  pad(x: Temp, low: readonly number[], high: readonly number[], value = 0): Temp {
    const more = (width: number) => Math.max(0, width);
    const wide = this.#widen(x, low.map(more), high.map(more), value);
    const begin = low.map((width) => more(-width));
    return this.slice(
      wide,
      begin,
      x.shape.map((size, axis) => low[axis]! + size + high[axis]!),
    );
  }

  #widen(x: Temp, low: readonly number[], high: readonly number[], value: number): Temp {
    const shape = x.shape.map((size, axis) => low[axis]! + size + high[axis]!);
    if (sameSizes(shape, x.shape)) return x;
    // Unpadded axes are merged; padded axes stay separate.
    const isWider = (axis: number) => low[axis]! + high[axis]! > 0;
    const runs = shape.length <= 4 ? undefined : runsOf(shape, (axis) => (isWider(axis) ? axis : -1));
    const groups = runs?.map((run) => run.axes) ?? shape.map((_, axis) => [axis]);
    const sizes = groups.map((axes) => elementCount(axes.map((axis) => x.shape[axis]!)));
    const widths = groups.map((axes) => (axes.length === 1 ? [low[axes[0]!]!, high[axes[0]!]!] : [0, 0]));
    const padded = sizes.map((size, i) => size + widths[i]![0]! + widths[i]![1]!);
    return this.reshape(this.call('pad', [this.reshape(x, sizes), widths, value], padded, x.dtype), shape);
  }

  /** Emits a composite operator by its definition. */
  define<O extends CompositeName>({ op, inputs, attributes, origin }: NodeOf<O>): readonly Temp[] {
    const build = new Builder(this.facts);
    build.origin = origin;
    return definitions[op](build, inputs, attributes).map((value) => this.use(value));
  }
}

function sameData({ data: a }: TensorData, { data: b }: TensorData): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
