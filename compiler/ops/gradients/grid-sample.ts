import { type Dim, one, product } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { type Corner, gridCorners } from '../grid-corners.ts';
import { operand, perInput } from './rule.ts';

/**
 * y = Σ over four corners of weight · pixel. In x, each corner's pixel gets weight · dy; in the
 * points, each corner counts by how much its pixel agrees with dy, times the slope of its weight.
 */
export const gridSampleGradient = perInput<'grid_sample'>(({ build, inputs, dy }) => {
  const [x, points] = [operand(inputs, 0), operand(inputs, 1)];
  const [batch, channels, height, width] = x.type.shape as [Dim, Dim, Dim, Dim];
  const pixels = product([batch, height, width]);
  const corners = gridCorners(build, x, points);
  const each = [...corners[0]!.index.type.shape, one];
  /** A row of channels for each point, as pixels are rows. */
  const rows = build.transpose(dy, [0, 2, 1]);
  const total = (values: readonly Value[]): Value => values.reduce((sum, value) => build.add(sum, value));
  return [
    () => {
      const parts = corners.map(({ row, column, index }) => {
        const weight = build.reshape(build.mul(row.weight(), column.weight()), each);
        return build.scatterAdd(index, build.mul(rows, weight), pixels);
      });
      return build.transpose(build.reshape(total(parts), [batch, height, width, channels]), [0, 3, 1, 2]);
    },
    () => {
      const images = build.reshape(build.transpose(x, [0, 2, 3, 1]), [pixels, channels]);
      const agreements = corners.map(({ index }) => build.sum(build.mul(build.gather(images, index), rows), [2]));
      const along = (slope: (corner: Corner) => Value): Value => {
        const parts = corners.map((corner, i) => build.mul(agreements[i]!, slope(corner)));
        return build.reshape(total(parts), each);
      };
      const across = along(({ row, column }) => build.mul(row.weight(), column.slope()));
      const down = along(({ row, column }) => build.mul(row.slope(), column.weight()));
      return build.concat([across, down], 2);
    },
  ];
});
