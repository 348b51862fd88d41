// slow: builds and compiles a client

import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { imageTensor } from '../../runtime/images/image-tensor.ts';
import { segment } from '../../runtime/images/mask.ts';
import { openTokenizer } from '../../runtime/text/tokenizer.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { strictTypeScript } from '../strict-typescript.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

/** What a user writes against the client; exported so that the test can run it, too. */
const program = `
import { type CroBIM_micro, type CroBIM_microInputs, load } from './CroBIM_micro.js';

export async function run(size: number): Promise<Float32Array> {
  const model: CroBIM_micro = await load();
  const inputs: CroBIM_microInputs = {
    image: { data: new Float32Array(3 * size * size).fill(0.5), dims: [1, 3, size, size] },
    tokens: { data: BigInt64Array.of(2n, 100n, 3n, 0n), dims: [1, 4] },
    mask: Uint8Array.of(1, 1, 1, 0),
  };
  const { logits, 'refined[3]': coarsest } = await model.run(inputs);
  if (coarsest.dims.join() !== [1, 192, size / 32, size / 32].join()) throw new Error(coarsest.dims.join());
  await model.dispose();
  // @ts-expect-error: the model has no such output
  type _ = Awaited<ReturnType<CroBIM_micro['run']>>['masks'];
  return logits.data;
}
`;

interface Program {
  run(size: number): Promise<Float32Array>;
}

beforeAll(async () => {
  folder = at('client');
  await mkdir(folder);
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  const { code, err } = await crobc([
    'build',
    'models/crobim.crob',
    '-m',
    'CroBIM_micro',
    '--expose',
    'refined',
    '-o',
    folder,
  ]);
  expect(code, err).toBe(0);
  await writeFile(join(folder, 'program.ts'), program);
});

test('the client of CroBIM_micro, with values exposed, compiles under strict rules and runs the model', async () => {
  const compiled = ts.createProgram([join(folder, 'program.ts')], strictTypeScript);
  const { diagnostics } = compiled.emit();
  const said = [...ts.getPreEmitDiagnostics(compiled), ...diagnostics];
  expect(said.map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'))).toEqual([]);

  const { run } = (await import(pathToFileURL(join(folder, 'program.js')).href)) as Program;
  const logits = await run(64);
  expect(logits).toHaveLength(64 * 64);

  // The same through onnxruntime itself.
  const session = await InferenceSession.create(join(folder, 'CroBIM_micro.onnx'));
  const direct = await session.run({
    image: new Tensor('float32', new Float32Array(3 * 64 * 64).fill(0.5), [1, 3, 64, 64]),
    tokens: new Tensor('int64', BigInt64Array.of(2n, 100n, 3n, 0n), [1, 4]),
    mask: new Tensor('bool', Uint8Array.of(1, 1, 1, 0), [1, 4]),
  });
  expect(logits).toEqual((direct.logits as Tensor).data);
  expect(new Set(logits).size).toBeGreaterThan(1);

  // The guards of the source hold on the host, before anything runs.
  await expect(run(72)).rejects.toThrow('H is 72: must be a multiple of 32');
});

test('the manifest has the same guards as the client, for a host of another language', async () => {
  const { guards } = JSON.parse(await readFile(join(folder, 'CroBIM_micro.manifest.json'), 'utf8')) as {
    guards: { condition: string; left: string; relation: string; right: string; remainder?: number }[];
  };
  expect(guards.map(({ condition }) => condition)).toEqual(['H % 32 == 0', 'W % 32 == 0', 'T <= 64', '4 <= H*W/1024']);
  const holds = new Function('H', 'W', 'T', `return ${guards.map(({ condition }) => `(${condition})`).join(' && ')}`);
  const parts = guards.map(({ left, relation, right, remainder }) =>
    relation === '%' ? `(${left}) % ${right} == ${remainder}` : `${left} ${relation} ${right}`,
  );
  const partsHold = new Function('H', 'W', 'T', `return ${parts.map((part) => `(${part})`).join(' && ')}`);
  const { dimsOf } = await import(pathToFileURL(join(folder, 'CroBIM_micro.js')).href);
  let refused = 0;
  for (const H of [32, 48, 64, 96])
    for (const W of [31, 32, 64])
      for (const T of [1, 64, 65]) {
        const shape = (...dims: number[]) => ({ data: [], dims });
        const inputs = { image: shape(1, 3, H, W), tokens: shape(1, T), mask: shape(1, T) };
        const accepted = (() => {
          try {
            return Boolean(dimsOf(inputs));
          } catch {
            return false;
          }
        })();
        expect([H, W, T, holds(H, W, T), partsHold(H, W, T)]).toEqual([H, W, T, accepted, accepted]);
        if (!accepted) refused++;
      }
  expect(refused).toBe(32);
});

describe('the client prepares what predict does', () => {
  interface Prepared {
    imageInput(pixels: object, height?: number, width?: number): { data: Float32Array; dims: readonly number[] };
    maskOf(logits: object, image: object, item?: number): Uint8Array;
    textInputs(
      text: string,
      vocabulary: string,
      words?: number,
    ): Readonly<Record<'tokens' | 'mask', { data: ArrayLike<number | bigint>; dims: readonly number[] }>>;
  }
  const client = () => import(pathToFileURL(join(folder, 'CroBIM_micro.js')).href) as Promise<Prepared>;
  const noise = (count: number, seed: number) =>
    Uint8Array.from({ length: count }, (_, i) => ((i + seed) ** 2 * 7919) % 251);

  test.each([
    [40, 30, 64, 96],
    [31, 97, 32, 32],
    [64, 64, 64, 64],
    [300, 200, 32, 64],
    [1, 1, 32, 32],
  ])('an image of %i × %i', async (width, height, toHeight, toWidth) => {
    const { imageInput } = await client();
    const data = noise(width * height * 3, width);
    const expected = imageTensor({ width, height, channels: 3, data }, toHeight, toWidth);
    const rgb = imageInput({ width, height, data }, toHeight, toWidth);
    expect(rgb).toEqual({ data: expected, dims: [1, 3, toHeight, toWidth] });
    const rgba = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) =>
      i % 4 === 3 ? i % 256 : data[Math.floor(i / 4) * 3 + (i % 4)]!,
    );
    expect(imageInput({ width, height, data: rgba }, toHeight, toWidth).data).toEqual(expected);
  });

  test('pixels of another depth are refused', async () => {
    const { imageInput } = await client();
    expect(() => imageInput({ width: 2, height: 2, data: new Uint8Array(4) }, 32, 32)).toThrow(
      'the image has 1 bytes for each pixel: must be 3 or 4',
    );
  });

  test('a mask, of each image of a batch', async () => {
    const { maskOf } = await client();
    const data = Float32Array.from(noise(2 * 24 * 16, 5), (value) => value - 125);
    const logits = { data, dims: [2, 1, 24, 16] };
    for (const item of [0, 1]) {
      const plane = data.slice(item * 24 * 16, (item + 1) * 24 * 16);
      for (const [width, height] of [
        [16, 24],
        [57, 43],
        [7, 5],
      ] as const)
        expect(maskOf(logits, { width, height }, item)).toEqual(segment(plane, [24, 16], [height, width]).mask);
    }
  });

  test.each([
    'the white ship on the left',
    'The LARGE, white ship (next to the pier) -- not the l-shaped one!',
    'Süd-Brücke café   naïve\tship\nship',
    'ship 港口 ship 船',
    'unknowable zyxwvq 12,345.6 $5 a+b=c ^_^ `x` ~y |z|',
    `${'long'.repeat(40)} ship`,
    'a'.repeat(101),
    'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen',
  ])('words: %s', async (text) => {
    const { textInputs } = await client();
    const file = 'models/vocab/aerial.txt';
    const vocabulary = await readFile(file, 'utf8');
    const expected = (await openTokenizer(file)).encode(text, 20);
    const { tokens, mask } = textInputs(text, vocabulary, 20);
    expect({ ids: Array.from(tokens.data, Number), mask: mask.data }).toEqual({
      ids: expected.ids,
      mask: expected.mask,
    });
    expect([tokens.dims, mask.dims]).toEqual([
      [1, 20],
      [1, 20],
    ]);
  });

  test('a text without words is refused', async () => {
    const { textInputs } = await client();
    const vocabulary = await readFile('models/vocab/aerial.txt', 'utf8');
    expect(() => textInputs(' \t', vocabulary, 20)).toThrow('the text has no words');
    expect(() => textInputs('ship', 'the\nship\n', 20)).toThrow('the vocabulary has no [CLS]');
  });
});
