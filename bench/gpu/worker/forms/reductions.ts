import { float, int, ints } from '../../../../compiler/emit/onnx/model.ts';
import { type Form, type FormGraph, f32Bytes, repeat, type Scale } from './form.ts';

type Sizes = readonly [before: number, count: number, after: number];
type Reduce = (graph: FormGraph, x: string, sizes: Sizes) => string;

const keep = { keepdims: int(1) };

const whole =
  (op: 'ReduceSum' | 'ReduceMax'): Reduce =>
  (graph, x) =>
    graph.node(op, [x, graph.ints(1)], keep);

/** Poolings of windows of the axis, one after the other. */
const pooled =
  (op: 'AveragePool' | 'MaxPool', ...windows: readonly number[]): Reduce =>
  (graph, x, [before, count, after]) => {
    let [image, rows] = [graph.node('Reshape', [x, graph.ints(before, 1, count, after)]), count];
    for (const window of windows) {
      image = graph.node(op, [image], { kernel_shape: ints([window, 1]), strides: ints([window, 1]) });
      rows /= window;
    }
    if (rows !== 1) throw new Error('bug in crobc: windows that do not cover the axis');
    const sum = op === 'MaxPool' ? image : graph.node('Mul', [image, graph.constant('f32', [], [count])]);
    return graph.node('Reshape', [sum, graph.ints(before, 1, after)]);
  };

const parts: Reduce = (graph, x, [, count]) => {
  const ones = graph.ints(...new Array<number>(count).fill(1));
  return graph.node('Sum', graph.nodes('Split', [x, ones], count, { axis: int(1) }));
};

/** A product of a row of ones and a matrix, for each matrix. */
const product: Reduce = (graph, x, [before, count]) =>
  graph.node('MatMul', [graph.constant('f32', [before, 1, count], new Float32Array(before * count).fill(1)), x]);

interface Case {
  readonly sizes: Sizes;
  readonly small: Sizes;
  readonly windows?: readonly number[];
  readonly smallWindows?: readonly number[];
}

/** The axes between others over which the step of CroBIM sums most numbers, and two that are short. */
const sums: readonly Case[] = [
  { sizes: [16, 32, 76500], small: [2, 32, 765], windows: [32], smallWindows: [32] },
  { sizes: [512, 4, 19125], small: [16, 4, 191] },
  { sizes: [2, 14400, 256], small: [2, 144, 16], windows: [480, 30], smallWindows: [12, 12] },
  { sizes: [2, 19125, 192], small: [2, 153, 16], windows: [425, 45], smallWindows: [17, 9] },
  { sizes: [2, 900, 512], small: [2, 90, 16], windows: [450, 2], smallWindows: [45, 2] },
  { sizes: [128, 16, 19125], small: [8, 16, 191], windows: [16], smallWindows: [16] },
  { sizes: [16, 24, 32], small: [16, 24, 32], windows: [24], smallWindows: [24] },
];

export function reductionForms(scale: Scale): readonly Form[] {
  const form = (what: string, sizes: Sizes, how: string, reduce: Reduce): Form => {
    const [before, , after] = sizes;
    const bytes = f32Bytes(sizes, [before, after]);
    const times = bytes > 1e8 ? 2 : 8;
    return {
      ...{ what, how, size: `[${sizes.join(', ')}] over axis 1`, bytes, times },
      write: (graph) => repeat(times, () => graph.output(reduce(graph, graph.input(sizes), sizes), [before, 1, after])),
    };
  };
  const found: Form[] = [];
  for (const one of sums) {
    const [sizes, windows] = scale === 'full' ? [one.sizes, one.windows] : [one.small, one.smallWindows];
    const what = 'sum over an axis between others';
    found.push(form(what, sizes, 'ReduceSum', whole('ReduceSum')));
    if (windows === undefined) found.push(form(what, sizes, 'Split, Sum', parts));
    else found.push(form(what, sizes, `AveragePool ${windows.join(', ')}, Mul`, pooled('AveragePool', ...windows)));
    found.push(form(what, sizes, 'MatMul with ones', product));
  }
  const [sizes, ...windows] =
    scale === 'full' ? ([[2, 14400, 256], 480, 30] as const) : ([[2, 144, 16], 12, 12] as const);
  const what = 'maximum over an axis between others';
  found.push(form(what, sizes, 'ReduceMax', whole('ReduceMax')));
  found.push(form(what, sizes, `MaxPool ${windows.join(', ')}`, pooled('MaxPool', ...windows)));
  return found;
}

type Half = 'f32' | 'bf16' | 'f16';

/** A norm or a softmax of half precision, computed as such or in f32 with casts around; and the casts alone. */
export function halfForms(scale: Scale): readonly Form[] {
  const rows = scale === 'full' ? 38_250 : 383;
  const types = { f32: 1, f16: 10, bf16: 16 };
  const cast = (graph: FormGraph, x: string, to: Half) => graph.node('Cast', [x], { to: int(types[to]) });
  const norm = (graph: FormGraph, x: string, width: number, dtype: Half) => {
    const [ones, zeros] = [1, 0].map((n) => graph.constant(dtype, [width], new Float32Array(width).fill(n)));
    return graph.node('LayerNormalization', [x, ones!, zeros!], { axis: int(-1), epsilon: float(1e-5) });
  };
  const softmax = (graph: FormGraph, x: string) => graph.node('Softmax', [x], { axis: int(-1) });
  const made = (
    what: string,
    shape: readonly number[],
    half: Half,
    how: string,
    compute: (graph: FormGraph, x: string) => string,
  ): Form => {
    const bytes = (half === 'f32' ? 2 : 1) * f32Bytes(shape);
    return {
      ...{ what, how, size: `[${shape.join(', ')}] ${half}`, bytes, times: 4, onCuda: half !== 'f32' },
      write: (graph) =>
        repeat(4, () => {
          // A model's inputs and outputs are f32; what they are cast to is computed at the same time for all forms.
          const x = half === 'f32' ? graph.input(shape) : cast(graph, graph.input(shape), half);
          const y = compute(graph, x);
          graph.output(half === 'f32' ? y : cast(graph, y, 'f32'), shape);
        }),
    };
  };
  const found: Form[] = [];
  const one = [rows, 256] as const;
  const two = [rows, 8, 24] as const;
  const three = scale === 'full' ? ([800, 144, 144] as const) : ([4, 144, 144] as const);
  for (const half of ['f32', 'bf16', 'f16'] as const) {
    const inF32 = (compute: (graph: FormGraph, x: string) => string) => (graph: FormGraph, x: string) =>
      cast(graph, compute(graph, cast(graph, x, 'f32')), half);
    const ways = [
      ['LayerNormalization', one, (graph: FormGraph, x: string, dtype: Half) => norm(graph, x, 256, dtype)],
      ['Softmax', two, softmax],
      ['Softmax', three, softmax],
    ] as const;
    for (const [op, shape, compute] of ways) {
      const what = `${op} of half precision, with casts of inputs and outputs`;
      if (half === 'f32') {
        found.push(made(op, shape, half, op, (graph, x) => compute(graph, x, half)));
        continue;
      }
      found.push(made(what, shape, half, 'the casts alone, Abs', (graph, x) => graph.node('Abs', [x])));
      found.push(made(what, shape, half, op, (graph, x) => compute(graph, x, half)));
      found.push(
        made(
          what,
          shape,
          half,
          `Cast, ${op}, Cast`,
          inF32((graph, x) => compute(graph, x, 'f32')),
        ),
      );
    }
  }
  return found;
}
