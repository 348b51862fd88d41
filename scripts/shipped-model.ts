import { halfFromFloat32 } from '../runtime/tensors/half.ts';
import { openTensorFile } from '../runtime/weights/open-tensors.ts';
import { SafetensorsFile, type TensorToWrite, writeSafetensors } from '../runtime/weights/safetensors.ts';

/** The key of the scores in the metadata of trained weights that ship with crobc. */
export const scoresKey = 'crobc.scores';

/**
 * Writes trained weights in half precision, with all that they record, and with their scores if they are known. Throws
 * if a weight is beyond the range of half precision.
 */
export async function writeShippedModel(from: string, to: string, scores?: object): Promise<void> {
  const file = await openTensorFile(from);
  try {
    if (!(file instanceof SafetensorsFile)) throw new Error(`${from} is not a safetensors file`);
    const tensors = [...file.tensors.values()].map(({ name, dtype, shape }): TensorToWrite => {
      if (dtype !== 'F32') return { name, dtype, shape, data: () => file.bytes(name) };
      return { name, dtype: 'F16', shape, data: async () => halves(name, await file.bytes(name)) };
    });
    const metadata = {
      ...Object.fromEntries(file.metadata),
      ...(scores ? { [scoresKey]: JSON.stringify(scores) } : {}),
    };
    await writeSafetensors(to, tensors, metadata);
  } finally {
    await file.close();
  }
}

function halves(name: string, bytes: Uint8Array<ArrayBuffer>): Uint16Array {
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  if (values.some((value) => !(Math.abs(value) < 65_504))) throw new Error(`${name} has weights beyond half precision`);
  return halfFromFloat32(values);
}
