import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../../../compiler/compile.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { SafetensorsFile, type TensorToWrite, writeSafetensors } from '../../../runtime/weights/safetensors.ts';
import { openWeights } from '../../../runtime/weights/weights.ts';
import { openMappedWeights } from '../../../runtime/weights/weights-map.ts';
import type { WantedWeight } from '../../../runtime/weights/weights-match.ts';
import { memoryHost } from '../../memory-host.ts';
import type { JsonPart, OpenReader, Reader } from '../reader.ts';

const header: JsonPart = {
  text: (bytes) => bytes.toString('utf8', 8, headerEnd(bytes)).trimEnd(),
  replaced: (bytes, text) => withHeader(Buffer.from(text), bytes.subarray(headerEnd(bytes))),
};

function headerEnd(bytes: Buffer): number {
  return 8 + Number(bytes.readBigUInt64LE());
}

function withHeader(json: Buffer, data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

/** The length in front is made that of the JSON behind it, where its end can be found. */
function repaired(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf('}') + 1;
  return end <= 8 ? bytes : withHeader(bytes.subarray(8, end), bytes.subarray(end));
}

const wanted: readonly WantedWeight[] = [
  { path: 'a.weight', shape: [2, 3], dtype: 'f32' },
  { path: 'a.bias', shape: [2], dtype: 'f32' },
];

const tensor = (
  name: string,
  shape: readonly number[],
  values: Float32Array | Float64Array | BigInt64Array | Uint16Array | Uint8Array,
  dtype: TensorToWrite['dtype'] = 'F32',
): TensorToWrite => ({ name, dtype, shape, data: () => values });

const plain: readonly TensorToWrite[] = [
  tensor('a.weight', [2, 3], Float32Array.of(1, 2, 3, -4, 0, 0.5)),
  tensor('a.bias', [2], Float32Array.of(1, 2)),
];

const ofEveryKind: readonly TensorToWrite[] = [
  ...plain,
  tensor('double', [2], Float64Array.of(1e300, 2), 'F64'),
  tensor('long', [1], BigInt64Array.of(2n ** 30n), 'I64'),
  tensor('half', [3], Uint16Array.of(0x3c00, 0x7c00, 1), 'F16'),
  tensor('brain', [1], Uint16Array.of(0x3f80), 'BF16'),
  tensor('truth', [4], Uint8Array.of(1, 0, 1, 0), 'BOOL'),
  tensor('eighth', [2], Uint8Array.of(1, 2), 'F8_E4M3'),
  tensor('scalar', [], Float32Array.of(7)),
  tensor('empty', [0, 5], new Float32Array(0)),
];

async function written(
  path: string,
  files: readonly (readonly [readonly TensorToWrite[], Readonly<Record<string, string>>])[],
): Promise<Buffer[]> {
  const samples: Buffer[] = [];
  for (const [tensors, metadata] of files) {
    await writeSafetensors(path, tensors, metadata);
    samples.push(readFileSync(path));
  }
  return samples;
}

/** safetensors as weights of a model under its own names; and each tensor by itself, as whole numbers too. */
export const weights: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'weights.safetensors');
    const samples = await written(path, [
      [plain, {}],
      [ofEveryKind, { format: 'pt', step: '12' }],
    ]);
    return {
      path,
      samples,
      json: header,
      repair: repaired,
      async read() {
        const file = await SafetensorsFile.open(path);
        try {
          for (const { name, dtype, shape } of file.tensors.values()) {
            if (dtype.startsWith('F8')) continue;
            const { length } = await file.float32(name);
            const count = shape.reduce((a, b) => a * b, 1);
            if (length !== count) throw new Error(`${length} values of ${name}, which has ${count}`);
            if (dtype === 'I64') await file.int32(name);
          }
        } finally {
          await file.close();
        }
        const opened = await openWeights(path, wanted, { extra: 'allow' });
        await opened.close();
      },
    };
  },
};

/** A map with every transform. */
const net = `
module Part() {
  param both: f32[4, 2]
  param table: f32[3, 8]
  param one: f32[1, 2]
  param other: f32[1, 2]
  forward(x: f32[]) -> f32[] {
    return x + sum(both, "a b ->") + sum(table, "a b ->") + sum(one + other, "a b ->")
  }
}
model Net {
  part = Part()
  input x: f32[]
  output y = part(x)
}
weights published for Part {
  ["enc.q.{x}", "enc.k.{x}"] -> concat("both", axis = 0)
  "enc.table" -> resize(reshape(transpose("table", perm = [1, 0]), shape = [8, 3]), shape = [1, 8, 3])
  "enc.two" -> split(["one", "other"], axis = 0)
  "enc.unused" -> skip
}
`;

/** safetensors under published names, which a map brings to a model's. */
export const mapped: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'published.safetensors');
    const samples = await written(path, [
      [
        [
          tensor('enc.q.weight', [2, 2], Float32Array.of(1, 2, 3, 4)),
          tensor('enc.k.weight', [2, 2], Float32Array.of(5, 6, 7, 8)),
          tensor(
            'enc.table',
            [1, 4, 3],
            Float32Array.from({ length: 12 }, (_, i) => i),
          ),
          tensor('enc.two', [2, 2], Float32Array.of(1, 2, 3, 4)),
          tensor('enc.unused', [1], Float32Array.of(0)),
        ],
        {},
      ],
    ]);
    const source = compile(memoryHost({ 'main.crob': net }), 'main.crob', {
      model: undefined,
      dims: new Map(),
      overrides: [],
      via: 'published',
    });
    if (!source.graph || !source.via) throw new Error('the model with a map does not compile');
    const [wanted, map] = [weightsOf(source.graph), source.via];
    return {
      path,
      samples,
      json: header,
      repair: repaired,
      async read() {
        const opened = await openMappedWeights(path, wanted, map);
        try {
          for (const { path: weight, shape } of wanted) {
            const { length } = await opened.read(weight);
            if (length !== shape.reduce((a, b) => a * b, 1)) throw new Error(`${length} values of ${weight}`);
          }
        } finally {
          await opened.close();
        }
      },
    };
  },
};
