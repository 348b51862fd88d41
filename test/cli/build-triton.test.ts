import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import protobuf from 'protobufjs';
import textformat from 'protobufjs/ext/textformat.js';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { openSession } from '../../runtime/ort/session.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, tiny } from './crobc.ts';

const at = temporaryFolder();

/** A model of two numbers a row, and what the batch is. */
const rows = `/// Adds what rows have in common.
model Mixing {
  input x: f32[B, 2]
  output y = x - mean(x, "b c -> 1 c")
}

model Sums {
  input x: f32[B, 4]
  input scale: f32[B]
  output y = sum(x, "b c -> b") * scale
}

model Scalar {
  input x: f32[B, 4]
  input scale: f32[]
  output y = x * scale
}
`;

beforeAll(async () => {
  await writeFile(at('tiny.crob'), tiny);
  await writeFile(at('rows.crob'), rows);
});

const build = (...args: string[]) => crobc(['build', ...args, '--target', 'triton'], { cwd: at('.') });

/** Parses a configuration by the message definition, and returns it as plain data. */
async function config(path: string): Promise<Record<string, unknown>> {
  textformat.install();
  const root = new protobuf.Root();
  root.loadSync(new URL('model_config.proto', import.meta.url).pathname, { keepCase: true });
  const type = root.lookupType('inference.ModelConfig');
  const text = await readFile(at(path), 'utf8');
  const message = type.fromText(text);
  // What does not survive its own encoding is not of the message's types.
  const decoded = type.decode(type.encode(message).finish());
  return type.toObject(decoded, { longs: Number, enums: String });
}

const feeds = (tokens: readonly bigint[]) =>
  ({
    image: { dtype: 'f32', shape: [1, 3, 32, 32], data: Float32Array.from({ length: 3072 }, (_, i) => Math.sin(i)) },
    tokens: { dtype: 'i64', shape: [1, 8], data: BigInt64Array.from(tokens) },
    mask: { dtype: 'bool', shape: [1, 8], data: new Uint8Array(8).fill(1) },
  }) as const;

describe('a model of open sizes', () => {
  it('is a folder of a model repository', async () => {
    const ran = await build('tiny.crob', '-o', 'repo', '--json');
    expect(ran.code).toBe(0);
    const { files, maxBatch } = JSON.parse(ran.out);
    expect(maxBatch).toBe(8);
    expect(files.map(({ path }: { path: string }) => path).sort()).toEqual([
      'repo/Tiny/1/model.onnx/model.manifest.json',
      'repo/Tiny/1/model.onnx/model.onnx',
      'repo/Tiny/client.py',
      'repo/Tiny/config.pbtxt',
      'repo/Tiny/predict.py',
      'repo/Tiny/warmup/mask',
    ]);
    expect(readdirSync(at('repo'))).toEqual(['Tiny']);
    expect(await config('repo/Tiny/config.pbtxt')).toEqual({
      name: 'Tiny',
      backend: 'onnxruntime',
      max_batch_size: 8,
      input: [
        { name: 'image', data_type: 'TYPE_FP32', dims: [3, -1, -1] },
        { name: 'tokens', data_type: 'TYPE_INT64', dims: [-1] },
        { name: 'mask', data_type: 'TYPE_BOOL', dims: [-1] },
      ],
      output: [{ name: 'logits', data_type: 'TYPE_FP32', dims: [1, -1, -1] }],
      dynamic_batching: {},
      // The kind is KIND_AUTO, which is 0 and therefore the default.
      instance_group: [{ count: 1 }],
      model_warmup: [
        {
          name: 'one request',
          batch_size: 1,
          inputs: {
            image: { data_type: 'TYPE_FP32', dims: [3, 32, 32], random_data: true },
            tokens: { data_type: 'TYPE_INT64', dims: [8], zero_data: true },
            mask: { data_type: 'TYPE_BOOL', dims: [8], input_data_file: 'mask' },
          },
        },
      ],
    });
    expect([...(await readFile(at('repo/Tiny/warmup/mask')))]).toEqual(Array(8).fill(1));
    const comments = (await readFile(at('repo/Tiny/config.pbtxt'), 'utf8')).match(/^#.*$/gm);
    expect(comments?.slice(1)).toEqual([
      '# Triton knows no conditions on sizes. Who asks must keep these, as client.py does:',
      '#   H % 4 == 0',
      '#   W % 4 == 0',
      '#   T <= 20',
    ]);
  });

  it('gives what the graph for onnx gives, and refuses tokens that are not in the table by itself', async () => {
    await crobc(['build', 'tiny.crob', '-o', 'plain'], { cwd: at('.') });
    const [plain, alone] = await Promise.all(
      ['plain/Tiny.onnx', 'repo/Tiny/1/model.onnx/model.onnx'].map((path) => openSession(at(path), { device: 'cpu' })),
    );
    const tokens = [2n, 5n, 2559n, 3n, 0n, 0n, 0n, 0n];
    expect(await alone!.run(feeds(tokens))).toEqual(await plain!.run(feeds(tokens)));
    for (const bad of [-1n, 2560n])
      await expect(alone!.run(feeds([bad, ...tokens.slice(1)]))).rejects.toThrow(
        'the model cannot run with these inputs',
      );
    await Promise.all([plain!.release(), alone!.release()]);
  });

  it('gives TensorRT a profile by the conditions, the recipe, and what is given', async () => {
    const line = ['tiny.crob', '-o', 'trt', '--tensorrt', '--dtype', 'f16', '--max-batch', '6'];
    const { code } = await build(...line, '--range', 'H=16..64', '--range', 'W=16..128');
    expect(code).toBe(0);
    const { optimization, instance_group } = await config('trt/Tiny/config.pbtxt');
    expect(instance_group).toEqual([{ count: 1, kind: 'KIND_GPU' }]);
    expect(optimization).toEqual({
      execution_accelerators: {
        gpu_execution_accelerator: [
          {
            name: 'tensorrt',
            parameters: {
              precision_mode: 'FP16',
              trt_engine_cache_enable: '1',
              trt_engine_cache_path: '/tmp/Tiny.engines',
              trt_profile_min_shapes: 'image:1x3x16x16,tokens:1x1,mask:1x1',
              trt_profile_opt_shapes: 'image:3x3x32x32,tokens:3x8,mask:3x8',
              trt_profile_max_shapes: 'image:6x3x64x128,tokens:6x20,mask:6x20',
            },
          },
        ],
      },
    });
  });

  test.each([
    ['TensorRT needs the largest H of Tiny, which nothing bounds: give --range H=4..64', '--tensorrt'],
    ['--range H=6..64: 6 does not fit `H % 4 == 0`', '--tensorrt', '--range', 'H=6..64'],
    ['--range T=4..30: 30 does not fit `T <= 20`', '--tensorrt', '--range', 'T=4..30'],
    ['--range K: Tiny has no open size K; there is H, W, T', '--tensorrt', '--range', 'K=1..2'],
  ])('is refused, and leaves nothing to be loaded: %s', async (message, ...more) => {
    const { code, err } = await build('tiny.crob', '-o', 'refused', ...more);
    expect([code, err.slice(0, `crobc: ${message}`.length)]).toEqual([1, `crobc: ${message}`]);
    expect(readdirSync(at('refused/Tiny/1/model.onnx'))).toEqual([]);
  });
});

it('names no batch where it is bound', async () => {
  const { code, err } = await build('tiny.crob', '--set', 'B=1,H=32,W=32,T=8', '--tensorrt', '-o', 'bound');
  expect(code).toBe(0);
  expect(err).toContain('note: Triton joins no requests');
  const found = await config('bound/Tiny/config.pbtxt');
  expect(found).toMatchObject({ input: [{ dims: [1, 3, 32, 32] }, { dims: [1, 8] }, { dims: [1, 8] }] });
  expect(found).not.toHaveProperty('dynamic_batching');
  expect(found).not.toHaveProperty('max_batch_size', 8);
  expect(JSON.stringify(found.optimization)).toContain('"trt_cuda_graph_enable":"1"');
});

it('gives an axis to what has the batch alone', async () => {
  expect(await build('rows.crob', '-m', 'Sums', '-o', 'sums')).toMatchObject({ code: 0 });
  expect(await config('sums/Sums/config.pbtxt')).toMatchObject({
    input: [
      { name: 'x', dims: [4] },
      { name: 'scale', dims: [1], reshape: {} },
    ],
    output: [{ name: 'y', dims: [1], reshape: {} }],
  });
  expect(existsSync(at('sums/Sums/client.py'))).toBe(false);
});

test.each([
  [
    'rows.crob -m Mixing',
    1,
    'crobc: a row of y depends on the other rows, and Triton would join requests: bind the batch with --set B=1',
  ],
  ['rows.crob -m Scalar', 1, 'crobc: Triton takes no tensor without an axis, as scale: give it one of size 1'],
  ['tiny.crob --no-weights', 2, 'error: Triton runs a model with its weights: leave --no-weights out'],
  ['tiny.crob --range H=4..8', 2, 'error: --range is for --tensorrt: other engines run any size'],
  ['tiny.crob --tensorrt --range H=4..8 --range H=4..16', 2, 'error: --range H is there twice'],
  ['tiny.crob --tensorrt --range H=8..4', 2, "error: option '--range <name=low..high>' argument 'H=8..4' is invalid."],
  ['tiny.crob --expose list', 2, 'error: --expose is for --target onnx: Triton gives the outputs'],
  ['tiny.crob --print-after all', 2, 'error: --print-after and --explain are for --target onnx'],
])('refuses %s', async (line, code, message) => {
  const ran = await build(...line.split(' '), '-o', 'not');
  expect(ran.code).toBe(code);
  expect(ran.err).toContain(message);
});

it('has options that other targets do not take', async () => {
  for (const option of ['--tensorrt', '--max-batch=4', '--range=H=4..8']) {
    const { code, err } = await crobc(['build', 'tiny.crob', option], { cwd: at('.') });
    expect([code, err]).toEqual([2, `error: ${option.split('=')[0]} is for --target triton\n`]);
  }
});
