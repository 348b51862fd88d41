import { expect, test } from 'vitest';
import { workspaceBytes } from '../../../runtime/training/kernel-workspaces.ts';
import { graphsOf } from '../../../runtime/training/step-memory.ts';
import { stepParts } from '../../../runtime/training/step-parts.ts';
import { trainingOf } from '../../training/interpret-step.ts';
import { convolutionSource, linearSource } from '../../training/sources.ts';

const bytes = (source: string) => workspaceBytes(graphsOf(stepParts(trainingOf(source), { backend: 'onnx' })));
const MiB = 2 ** 20;

test('without a convolution, they are those of cuBLAS, by handles', () => {
  expect(bytes(linearSource('optimizer = SGD(lr = 1)'))).toBe(3 * 32 * MiB);
  expect(bytes(linearSource('optimizer = SGD(lr = 1)\n accumulate = 2'))).toBe(4 * 32 * MiB);
});

test('a convolution may have its operands and its result twice', () => {
  // Images [12, 3, 64, 64], weights [8, 3, 4, 4], a bias of 8, and results [12, 8, 16, 16], in float32.
  const most = 4 * (12 * 3 * 64 * 64 + 8 * 3 * 4 * 4 + 8 + 12 * 8 * 16 * 16);
  const found = bytes(convolutionSource(12)) - 3 * 32 * MiB;
  expect(found).toBeGreaterThanOrEqual(most - 4 * 8);
  expect(found).toBeLessThanOrEqual(most);
});
