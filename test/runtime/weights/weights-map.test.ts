import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { SafetensorsFile, writeSafetensors } from '../../../runtime/weights/safetensors.ts';
import { openMappedWeights } from '../../../runtime/weights/weights-map.ts';
import { memoryHost } from '../../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

type Tensor = readonly [shape: readonly number[], values: number | readonly number[]];

async function written(name: string, tensors: Readonly<Record<string, Tensor>>): Promise<string> {
  const list = Object.entries(tensors).map(([path, [shape, values]]) => ({
    name: path,
    dtype: 'F32' as const,
    shape,
    data: () =>
      typeof values === 'number'
        ? new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(values)
        : Float32Array.from(values),
  }));
  await writeSafetensors(at(name), list);
  return at(name);
}

/** A model's weights, by the map, from a file. */
async function mapped(source: string, map: string, tensors: Readonly<Record<string, Tensor>>) {
  const compiled = compile(memoryHost({ 'main.crob': source }), 'main.crob', {
    model: undefined,
    dims: new Map(),
    overrides: [],
    via: map,
  });
  expect(compiled.diagnostics).toEqual([]);
  const wanted = weightsOf(compiled.graph!);
  const file = await openMappedWeights(await written('published', tensors), wanted, compiled.via!);
  return { wanted: wanted.map(({ path }) => path), file };
}

async function values(source: string, tensors: Readonly<Record<string, Tensor>>): Promise<Record<string, number[]>> {
  const { file, wanted } = await mapped(source, 'published', tensors);
  const found: Record<string, number[]> = {};
  for (const path of wanted) found[path] = [...(await file.read(path))];
  await file.close();
  return found;
}

const net = (weights: string, rules: string, result: string) => `
module Part() {
  ${weights}
  forward(x: f32[]) -> f32[] { return x + ${result} }
}
model Net {
  part = Part()
  input x: f32[]
  output y = part(x)
}
weights published for Part {
  ${rules}
}
`;
const one = (type: string, rule: string) =>
  net(`param w: ${type} ~ zeros`, rule, `sum(w, "${type.includes(',') ? 'a b' : 'a'} ->")`);
const two = (rule: string) =>
  net('param v: f32[2, 2] ~ zeros\n  param w: f32[2, 1] ~ zeros', rule, 'sum(v, "a b ->") + sum(w, "a b ->")');

describe('what is done to tensors', () => {
  const table: Tensor = [
    [2, 3],
    [1, 2, 3, 4, 5, 6],
  ];

  test.each([
    ['a rename', one('f32[2, 3]', '"a" -> "w"'), { a: table }, { 'part.w': [1, 2, 3, 4, 5, 6] }],
    [
      'transpose',
      one('f32[3, 2]', '"a" -> transpose("w", perm = [1, 0])'),
      { a: table },
      { 'part.w': [1, 4, 2, 5, 3, 6] },
    ],
    [
      'reshape',
      one('f32[3, 2]', '"a" -> reshape("w", shape = [3, 2])'),
      { a: table },
      { 'part.w': [1, 2, 3, 4, 5, 6] },
    ],
    [
      'concat along rows, in the order of the list',
      one('f32[3, 2]', '["b", "a"] -> concat("w", axis = 0)'),
      {
        a: [
          [1, 2],
          [1, 2],
        ],
        b: [
          [2, 2],
          [3, 4, 5, 6],
        ],
      },
      { 'part.w': [3, 4, 5, 6, 1, 2] },
    ],
    [
      'concat along columns',
      one('f32[2, 3]', '["a", "b"] -> concat("w", axis = 1)'),
      {
        a: [
          [2, 1],
          [1, 2],
        ],
        b: [
          [2, 2],
          [3, 4, 5, 6],
        ],
      },
      { 'part.w': [1, 3, 4, 2, 5, 6] },
    ],
    [
      'split along columns',
      two('"a" -> split(["v", "w"], axis = 1, sizes = [2, 1])'),
      { a: table },
      { 'part.v': [1, 2, 4, 5], 'part.w': [3, 6] },
    ],
    [
      'from left to right: the sum of columns is split behind the transposition',
      two('"a" -> transpose(split(["v", "w"], axis = 1, sizes = [2, 1]), perm = [1, 0])'),
      {
        a: [
          [3, 2],
          [1, 4, 2, 5, 3, 6],
        ],
      },
      { 'part.v': [1, 2, 4, 5], 'part.w': [3, 6] },
    ],
    [
      'each of a list, before it is joined',
      one('f32[2, 2]', '["a", "b"] -> reshape(concat("w", axis = 0), shape = [1, 2])'),
      {
        a: [[2], [1, 2]],
        b: [
          [2, 1],
          [3, 4],
        ],
      },
      { 'part.w': [1, 2, 3, 4] },
    ],
  ] satisfies readonly (readonly [string, string, Record<string, Tensor>, Record<string, number[]>])[])(
    '%s',
    async (_, source, tensors, expected) => {
      expect(await values(source, tensors)).toEqual(expected);
    },
  );

  test('split into equal parts', async () => {
    const source = net(
      'param v: f32[2] ~ zeros\n  param w: f32[2] ~ zeros',
      '"a" -> split(["v", "w"], axis = 0)',
      'sum(v, "a ->") + sum(w, "a ->")',
    );
    expect(await values(source, { a: [[4], [1, 2, 3, 4]] })).toEqual({ 'part.v': [1, 2], 'part.w': [3, 4] });
  });

  test('resize is PyTorch’s bicubic interpolation', async () => {
    // torch.nn.functional.interpolate(x[None, None], size=(2, 5), mode="bicubic") of x = [[1, 2, 4], [8, -1, 0], [3, 5, 9]]
    const found = await values(one('f32[2, 5]', '"a" -> resize("w", shape = [2, 5])'), {
      a: [
        [3, 3],
        [1, 2, 4, 8, -1, 0, 3, 5, 9],
      ],
    });
    const expected = [2.920344, 2.000515, 1.109375, 2.011204, 2.937469, 4.459907, 3.815, 3.535156, 5.484923, 7.135689];
    expect(found['part.w']).toHaveLength(10);
    for (const [i, value] of expected.entries()) expect(found['part.w']![i]).toBeCloseTo(value, 5);
  });

  // Made by test/goldens/make-checkpoints.py.
  test.each([
    ['7', '7 to 12', 12, 3],
    ['12', '12 to 7', 7, 2],
    ['3', '3 to 4', 4, 1],
  ])('resize_square is how the published code resizes the table of window %s: %s', async (from, to, window, heads) => {
    const tables = await SafetensorsFile.open(
      fileURLToPath(new URL('../../goldens/checkpoints/windows.safetensors', import.meta.url)),
    );
    const read = async (name: string): Promise<Tensor> => [
      tables.tensors.get(name)!.shape,
      [...(await tables.float32(name))],
    ];
    const rows = (2 * window - 1) ** 2;
    const [shape, expected] = await read(to);
    expect(shape).toEqual([rows, heads]);
    const found = await values(one(`f32[${rows}, ${heads}]`, '"a" -> resize_square("w")'), { a: await read(from) });
    await tables.close();
    // PyTorch computes places in float32.
    const w = found['part.w']!;
    expect(w).toHaveLength(rows * heads);
    for (const [i, value] of (expected as readonly number[]).entries()) expect(w[i]).toBeCloseTo(value, 4);
  });

  test('resize_square leaves a table of the same size as it is, and refuses what is no square', async () => {
    const source = one('f32[9, 2]', '"a" -> resize_square("w")');
    const table = Array.from({ length: 18 }, (_, i) => i);
    expect(await values(source, { a: [[9, 2], table] })).toEqual({ 'part.w': table });
    await expect(values(source, { a: [[8, 2], 0] })).rejects.toThrow('part.w: [8, 2] by the file, [9, 2] in the model');
    await expect(values(source, { a: [[4, 3], 0] })).rejects.toThrow('part.w: [4, 3] by the file, [9, 2] in the model');
  });
});

describe('names', () => {
  const many = `
module Layer() {
  query = Linear(2, 2, bias = false)
  key = Linear(2, 2, bias = false)
  forward(x: f32[B, 2]) -> f32[B, 2] { return key(query(x)) }
}
model Net {
  layers = [Layer() for i in 0..2]
  input x: f32[B, 2]
  output y = layers[1](layers[0](x))
}
`;

  test('several names at once, and text that may be missing', async () => {
    const source = `${many}
weights published for Net {
  "{?module.}blocks.{...rest}" -> "layers.{...rest}"
  "{...rest}" -> skip
}`;
    const eye = (n: number): Tensor => [[2, 2], n];
    const tensors = {
      'blocks.0.query.weight': eye(1),
      'module.blocks.0.key.weight': eye(2),
      'blocks.1.query.weight': eye(3),
      'module.blocks.1.key.weight': eye(4),
      'module.head.a.b': eye(5),
    };
    const found = await values(source, tensors);
    expect(found).toEqual({
      'layers.0.query.weight': [1, 1, 1, 1],
      'layers.0.key.weight': [2, 2, 2, 2],
      'layers.1.query.weight': [3, 3, 3, 3],
      'layers.1.key.weight': [4, 4, 4, 4],
    });
    await expect(values(source, { ...tensors, 'module.blocks.0.query.weight': eye(6) })).rejects.toThrow(
      '1 given more than once (layers.0.query.weight)',
    );
  });

  test('holes, alternatives that stand for others, the first rule that matches, and what is skipped', async () => {
    const source = `${many}
weights published for Net {
  "block.1.q.weight" -> "layers.0.query.weight"
  "block.0.q.weight" -> "layers.1.query.weight"
  "block.{i}.{q,k}.weight" -> "layers.{i}.{query,key}.weight"
  "{i}.twice.{i}" -> skip
}`;
    const eye = (n: number): Tensor => [[2, 2], n];
    const tensors = {
      'block.0.q.weight': eye(1),
      'block.1.q.weight': eye(2),
      'block.0.k.weight': eye(3),
      'block.1.k.weight': eye(4),
      '7.twice.7': eye(5),
    };
    expect(await values(source, tensors)).toEqual({
      'layers.0.query.weight': [2, 2, 2, 2],
      'layers.1.query.weight': [1, 1, 1, 1],
      'layers.0.key.weight': [3, 3, 3, 3],
      'layers.1.key.weight': [4, 4, 4, 4],
    });
    // A hole holds one name, the same one wherever it stands.
    await expect(values(source, { ...tensors, '7.twice.8': eye(5) })).rejects.toThrow(
      '1 in the file that the map does not mention (7.twice.8)',
    );
    await expect(values(source, { ...tensors, 'block.0.0.k.weight': eye(5) })).rejects.toThrow('(block.0.0.k.weight)');
  });

  test('a map for a module serves every part of that kind', async () => {
    const source = `${many}
weights published for Layer {
  "{q,k}" -> "{query,key}.weight"
}`;
    const found = await values(source, { q: [[2, 2], 1], k: [[2, 2], 2] });
    expect(found['layers.0.query.weight']).toEqual([1, 1, 1, 1]);
    expect(found['layers.1.key.weight']).toEqual([2, 2, 2, 2]);
  });

  test('weights that are declared and not read are no mistake', async () => {
    const source = `${many}
weights published for Layer {
  "{q,k}.{x}" -> "{query,key}.{x}"
}`;
    const bias: Tensor = [[2], 0];
    const found = await values(source, {
      'q.weight': [[2, 2], 1],
      'k.weight': [[2, 2], 2],
      'q.bias': bias,
      'k.bias': bias,
    });
    expect(Object.keys(found)).toHaveLength(4);
  });
});

describe('what does not fit', () => {
  const twelve = `
module Row() {
  param w: f32[2] ~ zeros
  forward(x: f32[2]) -> f32[2] { return x + w }
}
model Net {
  rows = [Row() for i in 0..12]
  input x: f32[2]
  output z = ${Array.from({ length: 12 }, (_, i) => i).reduce((x, i) => `rows[${i}](${x})`, 'x')}
}
weights published for Net {
  "r.{i}" -> "rows.{i}.w"
  ["q.{i}", "k.{i}"] -> concat("rows.{i}.w", axis = 0)
  "t.{i}" -> transpose("rows.{i}.w", perm = [1, 0])
}
`;
  const row: Tensor = [[2], 0];
  const rows = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, row]));

  test('is named by kind, ten of each at most', async () => {
    const extra = Array.from({ length: 13 }, (_, i) => `extra${String.fromCharCode(97 + i)}`);
    const tensors = {
      ...rows(extra),
      'r.0': [[3], 0] as Tensor,
      'r.1': row,
      'k.1': [[1], 0] as Tensor,
      'q.1': [[1], 0] as Tensor,
      'q.2': [[1], 0] as Tensor,
      't.3': row,
      'r.12': row,
    };
    const message = await values(twelve, tensors).then(
      () => '',
      (e: Error) => e.message,
    );
    expect(message).toBe(
      `the weights in ${at('published')} do not fit the model by the map published: ` +
        '9 missing (rows.2.w for want of k.2, rows.4.w, rows.5.w, rows.6.w, rows.7.w, rows.8.w, rows.9.w, rows.10.w, rows.11.w); ' +
        '1 of another shape (rows.0.w: [3] by the file, [2] in the model); ' +
        '1 that cannot be transformed (rows.3.w: [2] has 1 axes and [1, 0] 2); ' +
        '1 given more than once (rows.1.w); ' +
        '13 in the file that the map does not mention (extraa, extrab, extrac, extrad, extrae, extraf, extrag, extrah, extrai, extraj, and 3 more); ' +
        '1 that the map brings to no weight of the model (r.12 as rows.12.w)',
    );
  });

  test.each([
    [
      '["a", "b"] -> concat("w", axis = 0)',
      { a: [[2, 1], 0], b: [[1, 2], 0] },
      '[2, 1] and [1, 2] cannot be joined along axis 0',
    ],
    [
      '["a", "b"] -> concat("w", axis = 2)',
      { a: [[1, 2], 0], b: [[1, 2], 0] },
      '[1, 2] has no axis 2 to be joined along',
    ],
    [
      '"a" -> split(["w", "v"], axis = 0, sizes = [2, 2])',
      { a: [[3, 2], 0] },
      'axis 0 of [3, 2] cannot be split into 2 + 2',
    ],
    ['"a" -> split(["w", "v"], axis = 0)', { a: [[3, 2], 0] }, 'axis 0 of [3, 2] cannot be split into 2 equal parts'],
    ['"a" -> reshape("w", shape = [2, 2])', { a: [[3, 2], 0] }, '[3, 2] cannot be reshaped to [2, 2]'],
    ['"a" -> resize("w", shape = [2, 2])', { a: [[4], 0] }, '[4] cannot be resized to [2, 2]'],
    [
      '"a" -> resize("w", shape = [100000, 100000])',
      { a: [[2, 2], 0] },
      '[100000, 100000] has more than 268435456 elements',
    ],
  ] satisfies readonly (readonly [string, Record<string, Tensor>, string])[])('%s', async (rule, tensors, reason) => {
    const weights = 'param w: f32[2, 2] ~ zeros\n  param v: f32[2, 2] ~ zeros';
    const source = net(weights, rule, 'sum(w, "a b ->") + sum(v, "a b ->")');
    await expect(values(source, tensors)).rejects.toThrow(reason);
  });
});
