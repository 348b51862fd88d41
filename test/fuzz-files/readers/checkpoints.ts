import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { openTensorFile } from '../../../runtime/weights/open-tensors.ts';
import { allJson, type OpenReader, type Reader } from '../reader.ts';

const golden = (name: string): Buffer => readFileSync(join('test/goldens/checkpoints', name));

/** A reader that opens a file and reads every tensor. */
function readerOf(
  file: string,
  samples: readonly string[],
  more: Partial<OpenReader> = {},
  beside: readonly string[] = [],
): Reader {
  return {
    async open(folder): Promise<OpenReader> {
      const path = join(folder, file);
      for (const name of beside) writeFileSync(join(folder, name), golden(name));
      return {
        path,
        samples: samples.map(golden),
        async read() {
          const opened = await openTensorFile(path);
          try {
            for (const { name, dtype, shape } of opened.tensors.values()) {
              const { length } = dtype.startsWith('F8') ? { length: Number.NaN } : await opened.float32(name);
              const count = shape.reduce((a, b) => a * b, 1);
              if (length !== count && !dtype.startsWith('F8'))
                throw new Error(`${length} values of ${name}, which has ${count}`);
            }
          } finally {
            await opened.close();
          }
        },
        names: [path, ...beside.map((name) => join(folder, name))],
        ...more,
      };
    },
  };
}

/** Makes the checksums of stored files right again, in the directory of an archive. */
function repaired(bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  for (let at = out.indexOf('PK\x01\x02'); at >= 0 && at + 46 <= out.length; at = out.indexOf('PK\x01\x02', at + 4)) {
    const [method, size, local] = [out.readUInt16LE(at + 10), out.readUInt32LE(at + 20), out.readUInt32LE(at + 42)];
    if (method !== 0 || local + 30 > out.length) continue;
    const start = local + 30 + out.readUInt16LE(local + 26) + out.readUInt16LE(local + 28);
    if (start + size <= out.length) out.writeUInt32LE(crc32(out.subarray(start, start + size)), at + 16);
  }
  return out;
}

/** Checkpoints of PyTorch: zip archives with a pickle. */
export const torchZips = readerOf('weights.pth', ['training.pth', 'types.pt', 'protocol-4.bin', 'two.pth'], {
  repair: repaired,
});

/** Checkpoints of PyTorch before 1.6: pickles, then storages. */
export const legacyTorch = readerOf('weights.pth', ['training-legacy.pth', 'types-legacy.pt']);

export const npz = readerOf('weights.npz', ['arrays.npz', 'arrays-packed.npz'], { repair: repaired });

const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];

export const shardIndex = readerOf('weights.json', ['model.safetensors.index.json'], { json: allJson }, shards);
