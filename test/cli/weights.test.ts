import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTensorFile } from '../../runtime/weights/open-tensors.ts';
import { type TensorToWrite, writeSafetensors } from '../../runtime/weights/safetensors.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran } from './crobc.ts';

const at = temporaryFolder();
let folder: string;
const run = (...args: string[]): Promise<Ran> => crobc(args, { cwd: folder });
const golden = (name: string) => `${process.cwd()}/test/goldens/checkpoints/${name}`;

const source = `use std.swin.{Swin}
use std.bert.{Bert}

model Both {
  backbone = Swin(dim = 8, depths = [1, 1, 1, 1], heads = [1, 1, 2, 2], window = 4)
  text = Bert(vocab = 30, dim = 8, depth = 1, heads = 2, hidden = 16, positions = 20)
  input image: f32[B, 3, 64, 64]
  input tokens: i64[B, 12]
  input mask: bool[B, 12]
  let maps = backbone(image)
  output a = maps[0]
  output b = maps[1]
  output c = maps[2]
  output d = maps[3]
  output words = text(tokens, mask)
}

/// Swin alone, with a larger window.
model Wide {
  backbone = Swin(
    dim = 8,
    depths = [1, 1, 1, 1],
    heads = [1, 1, 2, 2],
    window = 6,
    out_norms = false,
  )
  input image: f32[B, 3, 96, 96]
  output a = backbone(image)[3]
}
`;

type Shapes = Readonly<Record<string, readonly number[]>>;

const norm = (name: string, size: number): Shapes => ({ [`${name}.weight`]: [size], [`${name}.bias`]: [size] });
const linear = (name: string, outputs: number, inputs: number): Shapes => ({
  [`${name}.weight`]: [outputs, inputs],
  [`${name}.bias`]: [outputs],
});

/** The tensors of microsoft/Swin-Transformer's classifier with window 4. */
const microsoft: Shapes = Object.assign(
  { 'patch_embed.proj.weight': [8, 3, 4, 4], 'patch_embed.proj.bias': [8] },
  norm('patch_embed.norm', 8),
  ...[0, 1, 2, 3].flatMap((i) => {
    const [dim, block] = [8 * 2 ** i, `layers.${i}.blocks.0`];
    return [
      norm(`${block}.norm1`, dim),
      { [`${block}.attn.relative_position_bias_table`]: [49, i < 2 ? 1 : 2] },
      { [`${block}.attn.relative_position_index`]: [16, 16] },
      linear(`${block}.attn.qkv`, 3 * dim, dim),
      linear(`${block}.attn.proj`, dim, dim),
      norm(`${block}.norm2`, dim),
      linear(`${block}.mlp.fc1`, 4 * dim, dim),
      linear(`${block}.mlp.fc2`, dim, 4 * dim),
      ...(i === 3
        ? []
        : [
            norm(`layers.${i}.downsample.norm`, 4 * dim),
            { [`layers.${i}.downsample.reduction.weight`]: [2 * dim, 4 * dim] },
          ]),
    ];
  }),
  norm('norm', 64),
  linear('head', 10, 64),
);

const tensorsOf = (shapes: Shapes): TensorToWrite[] =>
  Object.entries(shapes).map(([name, shape], at) => ({
    name,
    dtype: 'F32',
    shape,
    data: () => Float32Array.from({ length: shape.reduce((n, size) => n * size, 1) }, (_, i) => at + i / 1000),
  }));

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/both.crob`, source);
  await writeSafetensors(`${folder}/swin.safetensors`, tensorsOf(microsoft));
});

const allow = ['--allow-missing', 'backbone.norms[*]'];

describe('import', () => {
  test('finds the map from the names, and reports what was taken, skipped and left', async () => {
    const { code, out, err } = await run(
      ...['weights', 'import', 'swin.safetensors', 'both.crob', '--model', 'Both', ...allow, '-o', 'own.safetensors'],
    );
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toBe(`swin.safetensors: safetensors, by the map microsoft_swin, for Both
  taken         65 weights of the model's 94
  resized       0 weights
  skipped       8 tensors: head.bias, head.weight, layers.0.blocks.0.attn.relative_position_index, layers.1.blocks.0.attn.relative_position_index, and 4 more
  left initial  8 weights: backbone.norm0.weight, backbone.norm0.bias, backbone.norm1.weight, backbone.norm1.bias, and 4 more
wrote own.safetensors
`);
    const [from, to] = [
      await openTensorFile(`${folder}/swin.safetensors`),
      await openTensorFile(`${folder}/own.safetensors`),
    ];
    expect(to.tensors.size).toBe(65);
    for (const name of to.tensors.keys())
      expect(await to.float32(name)).toEqual(await from.float32(name.replace('backbone.', '')));
    await from.close();
    await to.close();
  });

  test('a file that lacks weights is refused, and the message names the option', async () => {
    const { code, err } = await run('weights', 'import', 'swin.safetensors', 'both.crob', '-o', 'no.safetensors');
    expect(code).toBe(1);
    expect(err).toMatch(/8 missing \(backbone\.norm0\.weight, .*--allow-missing "backbone\.norm\*\.\*"\n$/);
    await expect(readFile(`${folder}/no.safetensors`)).rejects.toThrow('ENOENT');
    expect(
      await run('weights', 'import', 'swin.safetensors', 'both.crob', '--allow-missing', 'backbone.norm*.*'),
    ).toMatchObject({ code: 0 });
  });

  test('tables of another window are resized', async () => {
    const { code, out } = await run(
      ...['weights', 'import', 'swin.safetensors', 'both.crob', '--model', 'Wide', '--json'],
    );
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ map: 'microsoft_swin', leftInitial: [], narrowed: 0, weights: 65, out: null });
    expect(report.resized).toHaveLength(4);
    expect(report.resized[0]).toEqual({
      path: 'backbone.layers.0.blocks.0.attn.relative_position_bias_table',
      from: [49, 1],
      to: [121, 1],
    });
  });

  test.each([
    [['--to', 'bone'], 'Both has no part bone; there is backbone'],
    [['--map', 'microsoft_swim'], 'there is no weights map microsoft_swim for these weights; there is microsoft_swin'],
    [['--to', 'text'], 'the known maps for these weights are huggingface_bert, lavt_bert'],
    [
      [...allow, '--allow-missing', 'backbone.patch_embed'],
      '--allow-missing backbone.patch_embed has no effect: the file has these weights',
    ],
    [[...allow, '--allow-missing', 'neck'], '--allow-missing neck has no effect: Both has no such weights'],
    [['--map', 'huggingface_swin'], 'in the file that the map does not mention'],
  ])('%j: %s', async (options, message) => {
    const { code, err } = await run('weights', 'import', 'swin.safetensors', 'both.crob', ...options);
    expect(code).toBe(1);
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain('\n');
  });

  test('what it writes is what `init` and `build` read, and they read the published file as well', async () => {
    await run('weights', 'import', 'swin.safetensors', 'both.crob', '--model', 'Wide', '-o', 'wide.safetensors');
    const built = async (weights: string, out: string) => {
      const { code, err } = await run('build', 'both.crob', '--model', 'Wide', '--weights', weights, '-o', out);
      expect(code).toBe(0);
      return { err, bytes: await readFile(`${folder}/${out}/Wide.onnx`) };
    };
    const own = await built('wide.safetensors', 'a');
    const published = await built('swin.safetensors', 'b');
    expect(own.err).toBe('');
    expect(published.err).toBe('note: swin.safetensors has the names of microsoft_swin\n');
    expect(published.bytes.equals(own.bytes)).toBe(true);
  });
});

test('float64 is rounded with a note', async () => {
  const double = tensorsOf(microsoft).map((tensor) => ({
    ...tensor,
    dtype: 'F64' as const,
    data: async () => Float64Array.from((await tensor.data()) as Float32Array),
  }));
  await writeSafetensors(`${folder}/double.safetensors`, double);
  const { code, err } = await run('build', 'both.crob', '--model', 'Wide', '-w', 'double.safetensors', '-o', 'double');
  expect({ code, err }).toEqual({
    code: 0,
    err: 'note: 73 tensors of double.safetensors are float64, which is rounded to float32\nnote: double.safetensors has the names of microsoft_swin\n',
  });
  const { out } = await run('weights', 'import', 'double.safetensors', 'both.crob', '--model', 'Wide');
  expect(out).toContain('\n  rounded       65 tensors from float64 to float32\n');
});

test('weights in several files are known by the bytes of all of them', async () => {
  const [first, second] = [tensorsOf(microsoft).slice(0, 30), tensorsOf(microsoft).slice(30)];
  const map = Object.fromEntries([
    ...first.map(({ name }) => [name, 'one.safetensors']),
    ...second.map(({ name }) => [name, 'two.safetensors']),
  ]);
  await writeFile(`${folder}/swin.index.json`, JSON.stringify({ weight_map: map }));
  await writeSafetensors(`${folder}/one.safetensors`, first);
  const hashes = async (tensors: readonly TensorToWrite[]) => {
    await writeSafetensors(`${folder}/two.safetensors`, tensors);
    const ran = await run('build', 'both.crob', '--model', 'Wide', '--weights', 'swin.index.json', '-o', 'shards');
    expect(ran, ran.err).toMatchObject({ code: 0 });
    return JSON.parse(await readFile(`${folder}/shards/Wide.manifest.json`, 'utf8'));
  };
  const before = await hashes(second);
  const after = await hashes(
    second.map((tensor) => ({
      ...tensor,
      data: () => new Float32Array(tensor.shape.reduce((n, size) => n * size, 1)),
    })),
  );
  expect(after.weights.sha256).not.toBe(before.weights.sha256);
  expect(after.hashes.build).not.toBe(before.hashes.build);
  expect(await hashes(second)).toEqual(before);
});

describe('inspect', () => {
  test('names the layout', async () => {
    const { code, out } = await run('weights', 'inspect', 'swin.safetensors');
    expect(code).toBe(0);
    expect(out).toContain('swin.safetensors: safetensors, 73 tensors, ');
    expect(out).toMatch(/^head\.weight +F32 {4}\[10, 64\]$/m);
    expect(out).toMatch(/\nnames of microsoft_swin \(std\/swin\.crob, for Swin\): it takes 65 tensors; it skips 8\n$/);
  });

  test('a checkpoint with what stands beside the weights', async () => {
    const { code, out } = await run('weights', 'inspect', golden('training-legacy.pth'));
    expect(code).toBe(0);
    expect(out).toContain('training-legacy.pth: PyTorch checkpoint (before 1.6), 7 tensors, 33 elements, 136 B\n');
    expect(out).toMatch(/^ {2}args +Namespace\(model="lavt", /m);
    expect(out).toMatch(/\nno weights map of the library knows these names\n$/);
  });

  test('as JSON', async () => {
    const { code, out } = await run('weights', 'inspect', '--json', golden('two.pth'));
    expect(code).toBe(0);
    const { format, tensors, beside, layouts } = JSON.parse(out);
    expect(format).toBe('PyTorch checkpoint');
    expect(tensors.at(-1)).toEqual({ name: 'bert_model.a.weight', dtype: 'F32', shape: [2] });
    expect(beside).toEqual([{ name: 'weights', text: 'under "model"' }]);
    expect(layouts).toEqual([]);
  });

  test('what is no file of tensors is refused', async () => {
    const { code, err } = await run('weights', 'inspect', golden('module.pt'));
    expect(code).toBe(1);
    expect(err).toContain('its pickle refers to __main__.Net');
  });
});
