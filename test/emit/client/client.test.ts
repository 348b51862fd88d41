// slow: compiles generated clients

import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { constant, type Dim, floorDiv, mul, variable } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { generateClient } from '../../../compiler/emit/client/generate.ts';
import { clientInfo } from '../../../compiler/emit/client/info.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { Builder } from '../../../compiler/graphs/builder.ts';
import { indexInputs } from '../../../compiler/graphs/index-check.ts';
import type { Graph, Guard, Value } from '../../../compiler/ir/graph.ts';
import { encodeOnnx } from '../../../runtime/onnx/onnx-file.ts';
import { strictTypeScript } from '../../strict-typescript.ts';

const { onnx } = createRequire(import.meta.url)('onnx-proto') as typeof import('onnx-proto');

const [B, H, W, T] = ['B', 'H', 'W', 'T[0]'].map(variable) as [Dim, Dim, Dim, Dim];

/** Doubles an image and a map of a quarter of its size; gives masks and tokens back. */
function graph(): Graph {
  const facts = Facts.none
    .assume({ kind: 'mod', value: H, modulus: 32, remainder: 0 })
    .assume({ kind: 'mod', value: W, modulus: 32, remainder: 0 });
  const build = new Builder(facts);
  const image = build.input('image', { dtype: 'f32', shape: [B, constant(3), H, W] });
  const map = build.input('map', { dtype: 'f32', shape: [B, floorDiv(H, 4), floorDiv(W, 4)] });
  const tokens = build.input('tokens', { dtype: 'i64', shape: [B, T] });
  const mask = build.input('mask', { dtype: 'bool', shape: [B, T] });
  const guard = (text: string, left: Dim, relation: Guard['relation'], right: Dim, remainder?: number): Guard => ({
    text,
    left,
    relation,
    right,
    span: undefined,
    ...(remainder === undefined ? {} : { remainder }),
  });
  return {
    name: 'Tiny',
    docs: 'Doubles what it sees. */ is not the end.',
    inputs: [
      { name: 'image', value: image, docs: 'RGB in 0..1.' },
      { name: 'map', value: map, docs: '' },
      { name: 'tokens', value: tokens, docs: '' },
      { name: 'mask', value: mask, docs: '' },
    ],
    outputs: [
      { name: 'twice', value: build.add(image, image), docs: 'The image, doubled.' },
      { name: 'small', value: build.add(map, map), docs: '' },
      { name: 'kept', value: mask, docs: '' },
      { name: 'same', value: tokens, docs: '' },
    ],
    nodes: build.nodes,
    facts,
    guards: [
      guard('H % 32 == 0', H, '%', constant(32), 0),
      guard('W % 32 == 0', W, '%', constant(32), 0),
      guard('T[0] <= 8', T, '<=', constant(8)),
      guard('2 <= T[0]', constant(2), '<=', T),
      guard('H < 8*W', H, '<', mul(constant(8), W)),
      guard('(B + 2) % 4 == 3', variable('B'), '%', constant(4), 1),
    ],
  };
}

function model(): Uint8Array {
  const { FLOAT, INT64, BOOL } = onnx.TensorProto.DataType;
  const info = (name: string, elemType: number, dims: readonly (string | number)[]) => ({
    name,
    type: {
      tensorType: {
        elemType,
        shape: { dim: dims.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d })) },
      },
    },
  });
  const node = (opType: string, input: string[], output: string) => ({ opType, input, output: [output] });
  return onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'Tiny',
      input: [
        info('image', FLOAT, ['B', 3, 'H', 'W']),
        info('map', FLOAT, ['B', 'h', 'w']),
        info('tokens', INT64, ['B', 'T']),
        info('mask', BOOL, ['B', 'T']),
      ],
      output: [
        info('twice', FLOAT, ['B', 3, 'H', 'W']),
        info('small', FLOAT, ['B', 'h', 'w']),
        info('kept', BOOL, ['B', 'T']),
        info('same', INT64, ['B', 'T']),
      ],
      node: [
        node('Add', ['image', 'image'], 'twice'),
        node('Add', ['map', 'map'], 'small'),
        node('Identity', ['mask'], 'kept'),
        node('Identity', ['tokens'], 'same'),
      ],
    },
  }).finish();
}

/** What the generated module exports, loosely: its own types are checked by the compiler below. */
interface Client {
  load(path?: string, options?: InferenceSession.SessionOptions): Promise<Loaded>;
  dimsOf(inputs: object): Record<string, number>;
}
interface Loaded {
  run(inputs: object): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

const use = `
import { type Tiny, type TinyInputs, type TinyOutputs, dimsOf, load } from './Tiny.js';
export async function run(): Promise<Float32Array> {
  const tiny: Tiny = await load(undefined, { graphOptimizationLevel: 'all' });
  const inputs: TinyInputs = {
    image: { data: new Float32Array(3 * 32 * 32), dims: [1, 3, 32, 32] },
    map: new Float32Array(64),
    tokens: { data: new BigInt64Array(2), dims: [1, 2] },
    mask: new Uint8Array(2),
  };
  const outputs: TinyOutputs = await tiny.run(inputs);
  const ids: BigInt64Array = outputs.same.data;
  const first: number = dimsOf(inputs)['T[0]'] + ids.length;
  await tiny.dispose();
  // @ts-expect-error: an i64 input takes no floats
  await tiny.run({ ...inputs, tokens: new Float32Array(2) });
  return outputs.twice.data.subarray(first);
}
`;

const strict: ts.CompilerOptions = {
  ...strictTypeScript,
  noUnusedLocals: true,
  noUnusedParameters: true,
};

describe('the generated client', () => {
  let folder: string;
  let text: string;
  let client: Client;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crobc-client-'));
    await symlink(resolve('node_modules'), join(folder, 'node_modules'));
    text = await generateClient(clientInfo(graph(), 'Tiny.onnx', 'sha256:0123'));
    await writeFile(join(folder, 'Tiny.ts'), text);
    await writeFile(join(folder, 'use.ts'), use);
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'Tiny.onnx'), model());
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('compiles under strict', async () => {
    const program = ts.createProgram([join(folder, 'use.ts')], strict);
    const diagnostics = ts
      .getPreEmitDiagnostics(program)
      .map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'));
    expect(diagnostics).toEqual([]);
    program.emit();
    client = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'Tiny.js')).href)) as Client;
  });

  it('compiles whatever global name the model has', async () => {
    const names = [...new Set(text.match(/\b[A-Z]\w*\b/g))];
    expect(names).toEqual(expect.arrayContaining(['Promise', 'Record', 'Readonly', 'Pick', 'RangeError']));
    const files = await Promise.all(
      names.map(async (name) => {
        const file = join(folder, `named-${name}.ts`);
        await writeFile(file, await generateClient(clientInfo({ ...graph(), name }, 'Tiny.onnx', '')));
        return file;
      }),
    );
    const program = ts.createProgram(files, { ...strict, noEmit: true });
    const faults = ts.getPreEmitDiagnostics(program).map((d) => `${d.file?.fileName}: ${d.messageText}`);
    expect(faults).toEqual([]);
  });

  const image = (b: number, h: number, w: number) => ({
    data: new Float32Array(b * 3 * h * w).fill(1.5),
    dims: [b, 3, h, w],
  });
  const good = () => ({
    image: image(1, 64, 32),
    map: new Float32Array(16 * 8).fill(2),
    tokens: new Tensor('int64', new BigInt64Array([1n, 2n, 3n]), [1, 3]),
    mask: new Uint8Array([1, 0, 1]),
  });

  it('runs a model and frees it', async () => {
    const tiny = await client.load();
    const { twice, small, kept, same } = await tiny.run(good());
    expect(twice!.dims).toEqual([1, 3, 64, 32]);
    expect(twice!.data[7]).toBe(3);
    expect(small!.dims).toEqual([1, 16, 8]);
    expect(small!.data[7]).toBe(4);
    expect([...(kept!.data as Uint8Array)]).toEqual([1, 0, 1]);
    expect([...(same!.data as BigInt64Array)]).toEqual([1n, 2n, 3n]);
    await tiny.dispose();
    await expect(tiny.run(good())).rejects.toThrow();
  });

  it('reads the sizes off the inputs', () => {
    expect(client.dimsOf(good())).toEqual({ B: 1, H: 64, W: 32, 'T[0]': 3 });
  });

  it.each([
    [{ image: image(1, 500, 32) }, 'H is 500: must be a multiple of 32'],
    [{ image: image(1, 0, 32) }, 'H is 0: must be at least 1'],
    [{ image: image(2, 32, 32) }, 'B is 2: must be 1 more than a multiple of 4'],
    [{ image: image(1, 256, 32) }, 'H is 256: must be less than 8*W, which is 256'],
    [{ image: { data: new Float32Array(12), dims: [3, 2, 2] } }, 'image is [3, 2, 2]: must be [B, 3, H, W]'],
    [
      { image: { data: new Float32Array(64 * 32), dims: [1, 1, 64, 32] } },
      'image is [1, 1, 64, 32]: must be [B, 3, H, W], which is [1, 3, 64, 32]',
    ],
    [{ tokens: new Tensor('int64', new BigInt64Array(9), [1, 9]) }, 'T[0] is 9: must be at most 8'],
    [{ tokens: new Tensor('int64', new BigInt64Array(1), [1, 1]) }, 'T[0] is 1: must be at least 2'],
    [{ tokens: new BigInt64Array(3) }, 'T[0] is not known: give the shape of tokens or mask'],
    [
      { map: { data: new Float32Array(8 * 8), dims: [1, 8, 8] } },
      'map is [1, 8, 8]: must be [B, H/4, W/4], which is [1, 16, 8]',
    ],
    [{ map: new Float32Array(100) }, 'map has 100 elements: must have 128, for [B, H/4, W/4], which is [1, 16, 8]'],
    [{ mask: new Uint8Array(4) }, 'mask has 4 elements: must have 3, for [B, T[0]], which is [1, 3]'],
  ])('refuses sizes that do not fit: %#', async (change, message) => {
    const inputs = { ...good(), ...change };
    expect(() => client.dimsOf(inputs)).toThrow(new RangeError(message));
    const tiny = await client.load();
    await expect(tiny.run(inputs)).rejects.toThrow(message);
    await tiny.dispose();
  });

  it('refuses the file of another model', async () => {
    const other = onnx.ModelProto.decode(model());
    other.graph!.output = other.graph!.output!.slice(1);
    const path = join(folder, 'Other.onnx');
    await writeFile(path, onnx.ModelProto.encode(other).finish());
    const tiny = await client.load(path);
    await expect(tiny.run(good())).rejects.toThrow("the model file gives no float32 twice: it is another build's");
    await tiny.dispose();
  });

  it('documents shapes in the terms of the model, and imports onnxruntime alone', () => {
    expect(text).toContain('f32[B, H/4, W/4]');
    expect(text).toContain('RGB in 0..1.');
    expect(text.match(/from '.*'/g)).toEqual(["from 'onnxruntime-node'"]);
    expect(text).toContain('sha256:0123');
  });
});

describe('a client of a model with row numbers', () => {
  const [K, N] = [variable('K'), variable('N')];
  /** Rows of a table that comes in, and of one of eight. */
  function table(): Graph {
    const build = new Builder(Facts.none);
    const rows = build.input('table', { dtype: 'f32', shape: [N] });
    const tokens = build.input('tokens', { dtype: 'i64', shape: [B, K] });
    const near = build.input('near', { dtype: 'i32', shape: [K] });
    const eight = build.cast(build.iota(constant(8)), 'f32');
    const outputs = {
      row: build.gather(rows, build.cast(tokens, 'i32')),
      eighth: build.gather(eight, near),
    };
    const port = (name: string, value: Value) => ({ name, value, docs: '' });
    return {
      name: 'Rows',
      docs: '',
      inputs: [port('table', rows), port('tokens', tokens), port('near', near)],
      outputs: Object.entries(outputs).map(([name, value]) => port(name, value)),
      nodes: build.nodes,
      facts: Facts.none,
      guards: [],
    };
  }

  let folder: string;
  let client: Client;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crobc-client-'));
    await symlink(resolve('node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const built = table();
    await writeFile(join(folder, 'Rows.ts'), await generateClient(clientInfo(built, 'Rows.onnx', '')));
    const emitted = emitOnnx(built, { producerVersion: 'test', hostChecks: indexInputs(built) });
    expect(emitted.graph.nodes.map(({ op }) => op)).not.toContain('Where');
    const weights = {
      read: () => {
        throw new Error('no weights here');
      },
    };
    await writeFile(join(folder, 'Rows.onnx'), await encodeOnnx(emitted, weights));
    const program = ts.createProgram([join(folder, 'Rows.ts')], strict);
    expect(ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)).toEqual([]);
    program.emit();
    client = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'Rows.js')).href)) as Client;
  });
  afterAll(() => rm(folder, { recursive: true }));

  const inputs = (tokens: readonly bigint[], near: readonly number[]) => ({
    table: { data: Float32Array.of(5, 6, 7), dims: [3] },
    tokens: { data: BigInt64Array.from(tokens), dims: [2, 2] },
    near: Int32Array.from(near),
  });

  it('takes rows that there are, and says which one is not there', async () => {
    const rows = await client.load();
    const { row, eighth } = await rows.run(inputs([2n, 1n, 0n, 2n], [7, 0]));
    expect([...(row!.data as Float32Array)]).toEqual([7, 6, 5, 7]);
    expect([...(eighth!.data as Float32Array)]).toEqual([7, 0]);
    const said = (tokens: readonly bigint[], near: readonly number[]) =>
      rows.run(inputs(tokens, near)).then(
        () => '',
        (error: unknown) => (error instanceof RangeError ? error.message : String(error)),
      );
    expect(await said([0n, 1n, 3n, -1n], [0, 0])).toBe('tokens is 3 at [1, 0]: must lie in 0..2');
    expect(await said([0n, 1n, 2n, -1n], [0, 0])).toBe('tokens is -1 at [1, 1]: must lie in 0..2');
    expect(await said([2n ** 40n, 0n, 0n, 0n], [0, 0])).toBe('tokens is 1099511627776 at [0, 0]: must lie in 0..2');
    expect(await said([0n, 0n, 0n, 0n], [0, 8])).toBe('near is 8 at [1]: must lie in 0..7');
    await rows.dispose();
  });
});
