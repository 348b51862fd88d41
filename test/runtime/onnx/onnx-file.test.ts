import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import onnxProto from 'onnx-proto';
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import type { OnnxModel } from '../../../compiler/emit/onnx/model.ts';
import { FileSet } from '../../../runtime/files/file-set.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { encodeOnnx, onnxFileNames, writeOnnx } from '../../../runtime/onnx/onnx-file.ts';
import type { WeightSource } from '../../../runtime/weights/weights.ts';
import { graphOf } from '../../emit/onnx/graphs.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

/** Two equal layers of `size` by `size`, one transposed and one as it is, and a small bias. */
function layers(size: number) {
  return emitOnnx(
    graphOf((build) => {
      const x = build.given('x', 'f32', 'B', size);
      const y = build.matmul(x, build.transpose(build.param('a.weight', size, size), [1, 0]));
      const z = build.matmul(build.add(y, build.param('a.bias', size)), build.param('b.weight', size, size));
      return { z: build.matmul(z, build.param('c.weight', size, size)) };
    }),
    { producerVersion: 'test' },
  );
}

async function writeModel(model: OnnxModel, path: string, weights: WeightSource | undefined) {
  const name = basename(path, '.onnx');
  const set = new FileSet(dirname(path), onnxFileNames(name));
  try {
    const written = await writeOnnx(model, { set, name, weights });
    await set.commit();
    return written;
  } finally {
    await set.abort();
  }
}

/** b and c are equal; a is not symmetric. */
function source(size: number): WeightSource & { readonly read: (path: string) => Float32Array } {
  return {
    read(path) {
      if (path.endsWith('bias')) return new Float32Array(size).fill(0.5);
      return Float32Array.from({ length: size * size }, (_, i) => Math.sin(path === 'a.weight' ? i : -3 * i) / 16);
    },
  };
}

function expectedResult(size: number, weights: ReturnType<typeof source>, x: Float32Array): number[] {
  const [a, bias, b] = ['a.weight', 'a.bias', 'b.weight'].map((path) => weights.read(path)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const times = (v: number[], w: (row: number, column: number) => number) =>
    v.map((_, j) => v.reduce((sum, value, i) => sum + value * w(i, j), 0));
  const first = times(Array.from(x), (i, j) => a[j * size + i]!).map((value, i) => value + bias[i]!);
  const second = times(first, (i, j) => b[i * size + j]!);
  return times(second, (i, j) => b[i * size + j]!);
}

async function run(model: string | Uint8Array, x: Float32Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(model as string);
  const { z } = await session.run({ x: new ort.Tensor('float32', x, [1, x.length]) });
  await session.release();
  return z!.data as Float32Array;
}

test.each([
  ['small models are one file', 8, 1],
  ['large ones keep weights beside, equal tensors once', 512, 2],
])('%s', async (_, size, files) => {
  const path = at(`model-${size}/Model.onnx`);
  await mkdir(dirname(path));
  const { files: written } = await writeModel(layers(size), path, source(size));
  expect((await readdir(dirname(path))).sort()).toEqual(['Model.onnx', 'Model.onnx.data'].slice(0, files));
  expect(written.map((file) => basename(file.path))).toEqual(['Model.onnx', 'Model.onnx.data'].slice(0, files));
  for (const file of written) expect((await readFile(file.path)).length).toBe(file.bytes);
  // Two matrices and a bias before the second one's alignment, not three matrices.
  if (files === 2) expect(written[1]!.bytes).toBe(2 * 4 * size * size + 65_536);
  const x = Float32Array.from({ length: size }, (_, i) => Math.cos(i));
  const want = expectedResult(size, source(size), x);
  for (const model of [path, await encodeOnnx(layers(size), source(size))])
    for (const [i, got] of (await run(model, x)).entries()) expect(got).toBeCloseTo(want[i]!, 2);
});

test('large tensors start where every system can map them', async () => {
  const path = at('Aligned.onnx');
  await writeModel(layers(520), path, source(520));
  const { graph } = onnxProto.onnx.ModelProto.decode(await readFile(path));
  const offsets = graph!.initializer!.flatMap((tensor) => {
    const entries = new Map(tensor.externalData!.map(({ key, value }) => [key, value]));
    return entries.size === 0 ? [] : [[tensor.name, entries.get('location'), Number(entries.get('offset'))]];
  });
  const [first, second] = [4 * 520 * 520, 4 * 520].map((bytes) => Math.ceil(bytes / 4096) * 4096) as [number, number];
  const third = Math.ceil((first + second) / 65_536) * 65_536;
  expect(offsets).toEqual([
    ['a.weight', 'Aligned.onnx.data', 0],
    ['a.bias', 'Aligned.onnx.data', first],
    ['b.weight', 'Aligned.onnx.data', third],
    ['c.weight', 'Aligned.onnx.data', third],
  ]);
});

test('the same source gives the same bytes', async () => {
  const [first, second] = [
    await writeModel(layers(512), at('Same.onnx'), source(512)),
    await writeModel(layers(512), at('Same.onnx'), source(512)),
  ];
  expect(first).toEqual(second);
});

test('the hash of the weights is that of their values, however they are stored', async () => {
  const inline = await writeModel(layers(8), at('Inline.onnx'), source(8));
  const lines = ['a.bias', 'a.weight', 'b.weight', 'c.weight'].map((path) => {
    const values = source(8).read(path) as Float32Array<ArrayBuffer>;
    const shape = path === 'a.bias' ? '8' : '8, 8';
    return `${path} [${shape}] ${createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')}\n`;
  });
  expect(inline.weights).toBe(createHash('sha256').update(lines.join('')).digest('hex'));
  const other: WeightSource = { read: (path) => source(8).read(path === 'a.bias' ? path : 'a.weight') };
  expect((await writeModel(layers(8), at('Other.onnx'), other)).weights).not.toBe(inline.weights);
});

test('a graph alone reads no weight and writes no data', async () => {
  const path = at('alone/Model.onnx');
  await mkdir(dirname(path));
  const { files, weights } = await writeModel(layers(512), path, undefined);
  expect(await readdir(dirname(path))).toEqual(['Model.onnx']);
  expect(files).toHaveLength(1);
  expect(weights).toBeUndefined();
  const { graph } = onnxProto.onnx.ModelProto.decode(await readFile(path));
  expect(graph!.initializer!.map(({ name }) => name)).toEqual(['a.weight', 'a.bias', 'b.weight', 'c.weight']);
});

test('what fails leaves no file behind', async () => {
  const broken: WeightSource = {
    read(path) {
      if (path === 'b.weight') throw new UserError('w.safetensors: b.weight is cut short');
      return source(512).read(path);
    },
  };
  const path = at('broken/Model.onnx');
  await mkdir(dirname(path));
  await expect(writeModel(layers(512), path, broken)).rejects.toThrow('cut short');
  expect(await readdir(dirname(path))).toEqual([]);
  await expect(writeModel(layers(8), at('no/such/Model.onnx'), source(8))).rejects.toThrow(UserError);
});
