import { describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../runtime/weights/safetensors.ts';
import { openWeights } from '../../../runtime/weights/weights.ts';
import type { WantedWeight } from '../../../runtime/weights/weights-match.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

async function written(name: string, tensors: Record<string, number[]>): Promise<string> {
  const list = Object.entries(tensors).map(([path, shape]) => ({
    name: path,
    dtype: 'F32' as const,
    shape,
    data: () => new Float32Array(shape.reduce((product, d) => product * d, 1)).fill(2),
  }));
  await writeSafetensors(at(name), list);
  return at(name);
}

const f32 = (path: string, ...shape: number[]): WantedWeight => ({ path, shape, dtype: 'f32' });

describe('weights from a file', () => {
  test('that fits are read by path', async () => {
    const path = await written('fits', { 'a.weight': [2, 3], 'a.bias': [2] });
    const weights = await openWeights(path, [f32('a.bias', 2), f32('a.weight', 2, 3)]);
    expect([...(await weights.read('a.bias'))]).toEqual([2, 2]);
    await weights.close();
  });

  test('that do not fit are named by kind', async () => {
    const path = await written('misfit', { swapped: [3, 2], extra: [1], kind: [1], flat: [6] });
    const wanted = [
      f32('swapped', 2, 3),
      f32('flat', 6, 1),
      f32('absent', 1),
      { path: 'kind', shape: [1], dtype: 'i32' as const },
    ];
    await expect(openWeights(path, wanted)).rejects.toThrow(
      `the weights in ${path} do not fit the model: 1 missing (absent); ` +
        '2 of another shape (swapped: [3, 2] in the file, [2, 3] in the model, flat: [6] in the file, [6, 1] in the model); ' +
        '1 of another dtype (kind: F32 in the file, i32 in the model); 1 unknown to the model (extra)',
    );
  });

  test('more than ten are counted', async () => {
    const path = await written('few', {});
    const wanted = Array.from({ length: 13 }, (_, i) => f32(`w${i}`, 1));
    await expect(openWeights(path, wanted)).rejects.toThrow(/13 missing \(w0, .*, w9, and 3 more\)$/);
  });

  test('extra ones may be allowed', async () => {
    const path = await written('extra', { a: [1], b: [1] });
    await expect(openWeights(path, [f32('a', 1)])).rejects.toThrow('1 unknown to the model (b)');
    await (await openWeights(path, [f32('a', 1)], { extra: 'allow' })).close();
  });

  test('extra ones that the model declares are no fault', async () => {
    const path = await written('declared', { a: [1], b: [1], c: [1] });
    const open = (...names: string[]) => openWeights(path, [f32('a', 1)], { declared: () => new Set(names) });
    await expect(open('a', 'b')).rejects.toThrow('1 unknown to the model (c)');
    const weights = await open('a', 'b', 'c');
    expect(weights.unused).toBe(2);
    await weights.close();
  });
});
