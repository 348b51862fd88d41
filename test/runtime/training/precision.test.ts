import { expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import { devicePrecision } from '../../../runtime/training/precision.ts';

type Chosen = Parameters<typeof devicePrecision>[0]['precision'];

const on = (precision: Chosen, device: 'cpu' | 'cuda' | 'webgpu', backend: 'onnx' | 'tfjs' = 'onnx') =>
  devicePrecision({ precision }, { backend, device });

test('TF32 is the default on CUDA, and f32 elsewhere', async () => {
  expect(await on(undefined, 'cuda')).toEqual({ precision: 'tf32', half: undefined, note: undefined });
  expect(await on(undefined, 'cpu')).toEqual({ precision: 'f32', half: undefined, note: undefined });
  expect(await on(undefined, 'webgpu')).toMatchObject({ precision: 'f32' });
  expect(await on(undefined, 'cpu', 'tfjs')).toMatchObject({ precision: 'f32' });
});

test('half precision is of CUDA, and emulated on the CPU, which a note says', async () => {
  expect(await on('bf16', 'cuda')).toEqual({
    precision: 'bf16',
    half: { type: 'bf16', emulated: false },
    note: undefined,
  });
  expect(await on('f16', 'cpu')).toEqual({
    precision: 'f16',
    half: { type: 'f16', emulated: true },
    note: 'f16 is emulated on the CPU: its numbers are rounded as on a GPU, and a step takes longer than in f32',
  });
});

test.each([
  ['tf32', 'cpu', 'onnx', 'the device cpu trains in f32, and the precision is tf32: TF32 is of NVIDIA GPUs'],
  ['tf32', 'webgpu', 'onnx', 'the device webgpu trains in f32, and the precision is tf32'],
  ['bf16', 'webgpu', 'onnx', 'the device webgpu trains in f32, and the precision is bf16'],
  ['f16', 'cpu', 'tfjs', 'the tfjs back end trains in f32, and the precision is f16'],
] as const)('%s on %s with %s is refused', async (precision, device, backend, message) => {
  const refused = on(precision, device, backend);
  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(message);
});
