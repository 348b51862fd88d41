import { int, ints, string } from '../../../../compiler/emit/onnx/model.ts';
import { type Form, type FormGraph, f32Bytes, type Scale } from './form.ts';

const sampling = { mode: string('linear'), padding_mode: string('zeros'), align_corners: int(0) };

/** GridSample, and the gradient with respect to its points: dot products of 32 channels at the pixels around a point. */
export function gridForms(scale: Scale): readonly Form[] {
  const [images, channels] = scale === 'full' ? [16, 32] : [2, 32];
  const points = scale === 'full' ? 76_500 : 765;
  const sides = scale === 'full' ? [120, 15] : [15];
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
