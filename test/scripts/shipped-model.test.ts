import { describe, expect, test } from 'vitest';
import { float32FromHalf } from '../../runtime/tensors/half.ts';
import { openTensorFile } from '../../runtime/weights/open-tensors.ts';
import { type SafetensorsFile, writeSafetensors } from '../../runtime/weights/safetensors.ts';
import { scoresKey, writeShippedModel } from '../../scripts/shipped-model.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';

const at = temporaryFolder();

describe('weights in half precision', () => {
  test('are the nearest halves, and keep what is recorded beside them', async () => {
    const values = Float32Array.from({ length: 64 }, (_, i) => (i - 31) * 1.000123 ** i);
    const tensors = [{ name: 'w', dtype: 'F32', shape: [8, 8], data: () => values } as const];
    await writeSafetensors(at('full.safetensors'), tensors, { step: '3' });
    await writeShippedModel(at('full.safetensors'), at('half.safetensors'), { mIoU: 0.5 });
    const file = (await openTensorFile(at('half.safetensors'))) as SafetensorsFile;
    const bytes = await file.bytes('w');
    await file.close();
    const read = float32FromHalf(new Uint16Array(bytes.buffer, bytes.byteOffset, 64));
    for (const [i, value] of values.entries())
      expect(Math.abs(read[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11);
    expect(Object.fromEntries(file.metadata)).toEqual({ step: '3', [scoresKey]: '{"mIoU":0.5}' });
  });

  test('that are too large for it are refused', async () => {
    const tensors = [{ name: 'w', dtype: 'F32', shape: [1], data: () => Float32Array.of(7e4) } as const];
    await writeSafetensors(at('large.safetensors'), tensors);
    await expect(writeShippedModel(at('large.safetensors'), at('not.safetensors'))).rejects.toThrow(
      'w has weights beyond half precision',
    );
  });
});
