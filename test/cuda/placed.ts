import { afterAll, beforeAll } from 'vitest';
import type { OnnxModel } from '../../compiler/emit/onnx/model.ts';
import { encodeOnnx } from '../../runtime/onnx/onnx-file.ts';
import { NativeDevice } from '../../runtime/ort/c-api/device.ts';

/** Opens CUDA for the tests of a file. Returns what names the operators of a model that do not run on it. */
export function placedOnCuda(): (model: OnnxModel, weights: Weights, optimised: boolean) => Promise<readonly string[]> {
  let device: NativeDevice;
  beforeAll(async () => {
    const opened = await NativeDevice.open({ device: 'cuda', tf32: true });
    if ('missing' in opened) throw new Error(opened.missing);
    device = opened;
  });
  afterAll(() => device.release());
  return async (model, read, optimised) => {
    const bytes = await encodeOnnx(model, { read });
    const session = await device.open(bytes, { placement: true, planMemory: false, optimised });
    const others = [...session.placement()].filter(([provider]) => provider !== 'CUDAExecutionProvider');
    await session.release();
    return others.flatMap(([, { operators }]) => [...operators]);
  };
}

type Weights = (path: string) => Float32Array;
