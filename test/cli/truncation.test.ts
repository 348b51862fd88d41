// slow: trains models

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { beforeAll, expect, test } from 'vitest';
import { openTokenizer } from '../../runtime/text/tokenizer.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';
import { learner, writeDataset } from './training-data.ts';

const at = temporaryFolder();
let folder: string;

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  // T is less than the phrases have.
  await writeFile(`${folder}/learner.crob`, learner.replace('T = 10', 'T = 4'));
  await writeDataset(`${folder}/data`);
});

const run = (...args: string[]) => crobc([...args, '--device', 'cpu', '--threads', '1'], { cwd: folder });

test('ids: [SEP] is the last token, or is truncated away as the rest', async () => {
  const vocabulary = 'models/vocab/aerial.txt';
  const kept = await openTokenizer(vocabulary);
  const plain = await openTokenizer(vocabulary, 'plain');
  const [cls, the, white, ship, sep] = plain.encode('the white ship', 5).ids;
  expect(kept.encode('the white ship', 5)).toEqual(plain.encode('the white ship', 5));
  expect(kept.encode('the white ship', 4)).toMatchObject({ ids: [cls, the, white, sep], truncated: true });
  const cut = plain.encode('the white ship', 4);
  expect(cut).toMatchObject({ ids: [cls, the, white, ship], truncated: true });
  expect([...cut.mask]).toEqual([1, 1, 1, 1]);
  expect(plain.encode('the white ship', 3).ids).toEqual([cls, the, white]);
  expect(plain.encode('ship', 5).ids).toEqual([cls, ship, sep, 0, 0]);
});

test('a training records it, and its weights are evaluated likewise unless another is asked for', async () => {
  const training = ['train', 'learner.crob', '-d', 'data', '--steps', '4'];
  expect(await run(...training, '-o', 'plain', '--truncation', 'plain')).toMatchObject({ code: 0 });
  expect(await run(...training, '-o', 'kept')).toMatchObject({ code: 0 });
  // The ids differ, and so does what is learnt.
  const last = async (out: string) => (await readFile(`${folder}/${out}/last.safetensors`)).toString('latin1');
  expect(await last('plain')).toContain('\\"truncation\\":\\"plain\\"');
  expect(await last('kept')).not.toContain('truncation');
  const evaluating = ['eval', 'plain/last.safetensors', '-d', 'data', '--split', 'val', '--pictures', '0', '--json'];
  const own = await run(...evaluating, '-o', 'own');
  expect(own).toMatchObject({ code: 0 });
  expect(own.err).not.toContain('truncation');
  const other = await run(...evaluating, '-o', 'other', '--truncation', 'keep-sep');
  expect(other).toMatchObject({ code: 0 });
  expect(other.err).toContain(
    'note: the weights were trained with --truncation plain, and longer phrases are truncated by keep-sep',
  );
  const built = await crobc(['build', 'plain/last.safetensors', '-o', 'built'], { cwd: folder });
  expect(built).toMatchObject({ code: 0 });
  const builtKept = await crobc(['build', 'kept/last.safetensors', '-o', 'built-kept'], { cwd: folder });
  expect(builtKept).toMatchObject({ code: 0 });
  expect(await run(...training, '-o', 'plain', '--resume', '--truncation', 'keep-sep')).toMatchObject({
    code: 1,
    err: expect.stringContaining('the vocabulary was changed'),
  });
});

test('the client of a build truncates as the training did, and the manifest says how', async () => {
  for (const [out, truncation] of [
    ['built', 'plain'],
    ['built-kept', 'keep-sep'],
  ] as const) {
    const manifest = JSON.parse(await readFile(`${folder}/${out}/Learner.manifest.json`, 'utf8'));
    expect(manifest.preprocessing.text).toMatchObject({ words: 4, truncation });
    const source = await readFile(`${folder}/${out}/Learner.ts`, 'utf8');
    const code = ts.transpile(source, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 });
    // Beside the packages of the repository.
    const path = at(`${out}.mjs`);
    await writeFile(path, code.replace(/^import \* as ort from .*$/m, ''));
    const { textInputs } = await import(pathToFileURL(path).href);
    const vocabulary = await readFile(`${folder}/${out}/Learner.vocab.txt`, 'utf8');
    const tokenizer = await openTokenizer(`${folder}/${out}/Learner.vocab.txt`, truncation);
    for (const text of ['the white roof on the left', 'the white', 'the white roof', 'roof']) {
      const { tokens, mask } = textInputs(text, vocabulary);
      const expected = tokenizer.encode(text, 4);
      expect([Array.from(tokens.data as BigInt64Array, Number), mask.data]).toEqual([expected.ids, expected.mask]);
    }
  }
});
