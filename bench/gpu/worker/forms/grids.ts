import { float, int, ints, string } from '../../../../compiler/emit/onnx/model.ts';
import { type Form, type FormGraph, f32Bytes, repeat, type Scale } from './form.ts';

const sampling = { mode: string('linear'), padding_mode: string('zeros'), align_corners: int(0) };

/** GridSample, and the gradient with respect to its points: dot products of 32 channels at the pixels around a point. */
export function gridForms(scale: Scale): readonly Form[] {
  const [images, channels] = scale === 'full' ? [16, 32] : [2, 32];
  const points = scale === 'full' ? 76_500 : 765;
  const sides = scale === 'full' ? [120, 60, 30, 15] : [15];
  const dy = [images, channels, 1, points] as const;
  const grid = [images, 1, points, 2] as const;
  return sides.flatMap((side) => {
    const x = [images, channels, side, side] as const;
    const size = `[${x.join(', ')}], ${points} points`;
    const shared = { what: 'the gradient of points', size, bytes: f32Bytes(x, dy, grid, grid), times: 1 };
    const sum: Record<string, (graph: FormGraph, y: string) => string> = {
      ReduceSum: (graph, y) => graph.node('ReduceSum', [y, graph.ints(1)], { keepdims: int(1) }),
      'AveragePool, Mul': (graph, y) => {
        const image = graph.node('Reshape', [y, graph.ints(images, 1, channels, points)]);
        const shape = ints([channels, 1]);
        const mean = graph.node('AveragePool', [image], { kernel_shape: shape, strides: shape });
        return graph.node('Mul', [mean, graph.constant('f32', [], [channels])]);
      },
    };
    return [
      {
        ...{ what: 'GridSample', how: 'GridSample', size, bytes: f32Bytes(x, dy, grid), times: 1 },
        write: (graph) => graph.output(graph.node('GridSample', [graph.input(x), graph.input(grid)], sampling), dy),
      },
      {
        ...shared,
        how: 'Gather of four pixels, Mul, ReduceSum',
        write: (graph) => {
          const rows = images * (side + 3) ** 2;
          const pixels = graph.node('Gather', [
            graph.input([rows, channels]),
            graph.input([images, 4, points], 'i32', rows),
          ]);
          const turned = graph.node('Transpose', [graph.input(dy)], { perm: ints([0, 2, 3, 1]) });
          const sums = graph.node('ReduceSum', [graph.node('Mul', [pixels, turned]), graph.ints(3)], {
            keepdims: int(0),
          });
          graph.output(sums, [images, 4, points]);
        },
      },
      ...Object.entries(sum).map(
        ([how, reduce]): Form => ({
          ...shared,
          how: `GridSample of differences, Mul, ${how}`,
          write: (graph) => {
            const image = graph.input(x);
            const given = graph.input(dy);
            for (const axis of [3, 2]) {
              const pads = (low: number) => {
                const all = new Array<number>(8).fill(0);
                all[low + axis] = 1;
                return graph.ints(...all);
              };
              const difference = graph.node('Sub', [
                graph.node('Pad', [image, pads(4)]),
                graph.node('Pad', [image, pads(0)]),
              ]);
              const sampled = graph.node('GridSample', [difference, graph.input(grid)], sampling);
              const slope = reduce(graph, graph.node('Mul', [given, sampled]));
              graph.output(graph.node('Reshape', [slope, graph.ints(images, 1, points)]), [images, 1, points]);
            }
          },
        }),
      ),
    ] satisfies readonly Form[];
  });
}

interface Windows {
  readonly windows: number;
  readonly heads: number;
  readonly width: number;
}

const stages: readonly Windows[] = [
  { windows: 200, heads: 4, width: 128 },
  { windows: 18, heads: 16, width: 512 },
  { windows: 8, heads: 32, width: 1024 },
];

const types = { f32: 1, f16: 10, bf16: 16 } as const;
type Precision = keyof typeof types;

/** Attention in windows of 144 pixels with a bias for each head, as of Swin-B. */
export function attentionForms(scale: Scale): readonly Form[] {
  const found: Form[] = [];
  for (const stage of scale === 'full' ? stages : stages.slice(0, 1))
    for (const precision of ['f32', 'bf16', 'f16'] as const) {
      const { windows, heads, width } = scale === 'full' ? stage : { ...stage, windows: 2 };
      const shape = [windows, 144, width] as const;
      const times = scale === 'full' ? 4 : 1;
      const form = (how: string, attend: (graph: FormGraph, x: string) => string): Form => ({
        what: 'attention in windows, with projections and casts of inputs and outputs',
        how,
        size: `[${shape.join(', ')}], ${heads} heads, ${precision}`,
        bytes: (precision === 'f32' ? 2 : 1) * f32Bytes(shape),
        times,
        onCuda: precision !== 'f32',
        write: (graph) =>
          repeat(times, () => {
            const input = graph.input(shape);
            const cast = (x: string, to: Precision) => graph.node('Cast', [x], { to: int(types[to]) });
            const x = precision === 'f32' ? input : cast(input, precision);
            const y = attend(graph, x);
            graph.output(precision === 'f32' ? y : cast(y, 'f32'), shape);
          }),
      });
      const depth = width / heads;
      const projected = (graph: FormGraph, x: string) =>
        graph.node('Add', [
          graph.node('MatMul', [x, graph.weights(precision, [width, 3 * width])]),
          graph.weights(precision, [3 * width]),
        ]);
      const bias = (graph: FormGraph, ...before: readonly number[]) =>
        graph.weights(precision, [...before, heads, 144, 144]);
      found.push(
        form('MatMul, Softmax, MatMul', (graph, x) => {
          const split = graph.node('Reshape', [projected(graph, x), graph.ints(windows, 144, 3, heads, depth)]);
          const turned = (perm: readonly number[]) => graph.node('Transpose', [split], { perm: ints(perm) });
          const [q, k, v] = [
            [2, 0, 3, 1, 4],
            [2, 0, 3, 4, 1],
            [2, 0, 3, 1, 4],
          ].map((perm, i) =>
            graph.node('Gather', [turned(perm), graph.constant('i64', [], [i])], { axis: int(0) }),
          ) as [string, string, string];
          const scaled = graph.node('Mul', [
            graph.node('MatMul', [q, k]),
            graph.constant(precision, [], [1 / Math.sqrt(depth)]),
          ]);
          const weights = graph.node('Softmax', [graph.node('Add', [scaled, bias(graph)])], { axis: int(-1) });
          const mixed = graph.node('Transpose', [graph.node('MatMul', [weights, v])], { perm: ints([0, 2, 1, 3]) });
          return graph.node('Reshape', [mixed, graph.ints(...shape)]);
        }),
        form('com.microsoft.Attention', (graph, x) =>
          graph.contrib(
            'Attention',
            [
              x,
              graph.weights(precision, [width, 3 * width]),
              graph.weights(precision, [3 * width]),
              ...['', '', bias(graph, 1)],
            ],
            { num_heads: int(heads), scale: float(1 / Math.sqrt(depth)) },
          ),
        ),
        form('com.microsoft.MultiHeadAttention', (graph, x) => {
          const [q, k, v] = graph.nodes('Split', [projected(graph, x), graph.ints(width, width, width)], 3, {
            axis: int(-1),
          }) as [string, string, string];
          return graph.contrib('MultiHeadAttention', [q, k, v, '', '', bias(graph, 1)], {
            num_heads: int(heads),
            scale: float(1 / Math.sqrt(depth)),
          });
        }),
      );
    }
  return found;
}
