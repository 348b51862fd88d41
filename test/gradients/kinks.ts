import type { OpAttributes, OpName } from '../../compiler/ir/names.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';

/** An operator exactly where it has no derivative, or no finite one. */
export interface KinkCase<O extends OpName = OpName> {
  readonly inputs: readonly TensorData[];
  readonly attributes: OpAttributes[O];
  /** The gradient of the sum of the first result in each input. */
  readonly gradients: readonly (readonly number[])[];
}

type KinkCases = { readonly [O in OpName]?: readonly KinkCase<O>[] };

const row = (...data: number[]): TensorData => tensor('f32', [data.length], data);
const grid = (...rows: readonly (readonly number[])[]): TensorData =>
  tensor('f32', [rows.length, rows[0]?.length ?? 0], rows.flat());
const image = (...rows: readonly (readonly number[])[]): TensorData =>
  tensor('f32', [1, 1, rows.length, rows[0]?.length ?? 0], rows.flat());

const infinite = Number.POSITIVE_INFINITY;
const third = 1 / 3;
const pixels = Array.from({ length: 5 }, (_, y) => Array.from({ length: 5 }, (_, x) => (5 * y + x) ** 2 + 1));
const at = (...points: readonly (readonly [number, number])[]): TensorData =>
  tensor('f32', [1, points.length, 2], points.flat());

/**
 * The gradients are those of PyTorch 2.13.0 on the CPU, in float32: `torch.abs`, `torch.log`, `torch.sqrt`, `torch.relu`,
 * `torch.floor`, `torch.div`, `torch.pow` of two tensors, `torch.maximum`, `torch.minimum`, `torch.amax`, `torch.topk`,
 * `torch.nn.functional.max_pool2d`, and `torch.nn.functional.grid_sample` with `align_corners=True` and zeros outside, in
 * pixels.
 */
export const kinkCases: KinkCases = {
  abs: [{ inputs: [row(-1, 0, 1)], attributes: {}, gradients: [[-1, 0, 1]] }],
  log: [{ inputs: [row(0, 1)], attributes: {}, gradients: [[infinite, 1]] }],
  sqrt: [{ inputs: [row(0, 1, 4)], attributes: {}, gradients: [[infinite, 0.5, 0.25]] }],
  relu: [{ inputs: [row(-1, 0, 1)], attributes: {}, gradients: [[0, 0, 1]] }],
  floor: [{ inputs: [row(-1, 0, 0.5, 1)], attributes: {}, gradients: [[0, 0, 0, 0]] }],
  div: [
    {
      inputs: [row(1, 0, -1, 0, 1), row(0, 0, 0, 1, 2)],
      attributes: {},
      gradients: [
        [infinite, infinite, infinite, 1, 0.5],
        [-infinite, Number.NaN, infinite, 0, -0.25],
      ],
    },
  ],
  pow: [
    {
      inputs: [row(0, 0, 0, 0, 0, 0, -1, -1, -2, 2, 2, 2), row(0, 1, 2, 3, 0.5, -1, 0, 2, 3, 0, 0.5, -2)],
      attributes: {},
      gradients: [
        [0, 1, 0, 0, infinite, -infinite, 0, -2, 12, 0, 0.3535533845424652, -0.25],
        [
          ...[0, 0, 0, 0, 0, -infinite, Number.NaN, Number.NaN, Number.NaN],
          ...[0.6931471824645996, 0.9802581071853638, 0.1732867956161499],
        ],
      ],
    },
  ],
  max: [
    {
      inputs: [row(0, 1, 2, 3), row(0, 2, 2, 1)],
      attributes: {},
      gradients: [
        [0.5, 0, 0.5, 1],
        [0.5, 1, 0.5, 0],
      ],
    },
    // One number against many.
    { inputs: [row(-1, 0, 1), tensor('f32', [], [0])], attributes: {}, gradients: [[0, 0.5, 1], [1.5]] },
  ],
  min: [
    {
      inputs: [row(0, 1, 2, 3), row(0, 2, 2, 1)],
      attributes: {},
      gradients: [
        [0.5, 1, 0.5, 0],
        [0.5, 0, 0.5, 1],
      ],
    },
  ],
  reduce_max: [
    {
      inputs: [grid([1, 1, 0], [2, 2, 2], [0, 3, 1])],
      attributes: { axes: [1], keep: false },
      gradients: [[0.5, 0.5, 0, third, third, third, 0, 1, 0]],
    },
    {
      inputs: [grid([1, 1], [1, 0])],
      attributes: { axes: [0, 1], keep: false },
      gradients: [[third, third, third, 0]],
    },
  ],
  topk: [
    {
      inputs: [grid([1, 1, 1], [0, 2, 2], [3, 1, 3])],
      attributes: { k: 2 },
      gradients: [[1, 1, 0, 0, 1, 1, 1, 0, 1]],
    },
  ],
  max_pool2d: [
    {
      inputs: [image([1, 1, 0], [1, 1, 2], [2, 0, 2])],
      attributes: { kernel: [2, 2], stride: [1, 1], pad: [0, 0, 0, 0] },
      gradients: [[1, 0, 0, 0, 0, 2, 1, 0, 0]],
    },
    {
      inputs: [image([0, 0, 0], [0, 0, 0], [0, 0, 0])],
      attributes: { kernel: [3, 3], stride: [2, 2], pad: [1, 1, 1, 1] },
      gradients: [[1, 1, 0, 1, 1, 0, 0, 0, 0]],
    },
  ],
  grid_sample: [
    {
      inputs: [
        image(...pixels),
        at([1, 2], [0, 0], [-1, 0], [4, 4], [5, 1], [4, 2.5], [-1, -1], [0, 3.5], [-2, 1], [2, 5], [1, -1]),
      ],
      attributes: {},
      gradients: [
        [...[1, 0, 0, 0, 0], ...[0, 0, 0, 0, 0], ...[0, 1, 0, 0, 0.5], ...[0.5, 0, 0, 0, 0.5], ...[0.5, 0, 0, 0, 1]],
        [23, 135, 1, 25, 1, 0, -577, -577, 0, 0, -279.5, 165, 0, 0, 36, 175, 0, 0, 0, 0, 0, 2],
      ],
    },
  ],
};
