export interface Entry {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A float32 safetensors file; `change` may falsify its header. */
export function safetensorsBytes(
  tensors: Readonly<Record<string, Entry>>,
  change: (header: Record<string, { shape: readonly number[]; data_offsets: [number, number] }>) => void = () => {},
): Buffer {
  const header: Record<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }> = {};
  let end = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + values.byteLength] };
    end += values.byteLength;
  }
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const data = Object.values(tensors).map(({ values }) => Buffer.from(values.buffer));
  return Buffer.concat([size, text, ...data]);
}

/**
 * Weights of the model in crobc.ts with which every logit is 8 for each word: embeddings of ones, and patches that are
 * their bias, 1.
 */
export const tinyWeights: Readonly<Record<string, Entry>> = {
  'table.weight': { shape: [2560, 8], values: new Float32Array(2560 * 8).fill(1) },
  'patch.weight': { shape: [8, 3, 4, 4], values: new Float32Array(8 * 3 * 4 * 4) },
  'patch.bias': { shape: [8], values: new Float32Array(8).fill(1) },
};
