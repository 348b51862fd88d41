// slow: compiles every rival

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type LockEntry, readLock } from '../../compiler/lock/lock-text.ts';
import type { Declaration, SourceFile } from '../../grammar/tree.ts';
import { graphOf, rivals } from '../models/rivals.ts';
import { countParameters } from '../stdlib/goldens.ts';
import { sourceOf, tableOf } from './declarations.ts';
import { shownGigaflops, summarised } from './gigaflops.ts';

const page = 'docs/rivals.md';
const heads = ['model', 'file', 'lines', "of them a variant's", 'weights', 'published code', 'not here', 'GFLOP'];

/** Lines without comments and blank ones. */
function linesOf(text: string): number {
  return text.split('\n').filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length;
}

function textOf({ text }: SourceFile, { span }: Declaration): string {
  return text.slice(span.start, span.end);
}

/** The lines of a file without its weights maps, which are names of published files and no part of a model. */
function linesWithoutMaps(tree: SourceFile): number {
  const maps = tree.declarations.filter((decl) => decl.kind === 'weights');
  return linesOf(tree.text) - maps.reduce((lines, map) => lines + linesOf(textOf(tree, map)), 0);
}

const count = (n: number) => n.toLocaleString('en');

const text = readFileSync(page, 'utf8');

/** What the page has as a model's GFLOP, which test/docs/gigaflops.test.ts compares; of a new model, what `summary` counts. */
async function gigaflopsOf(file: string, model: string, settings: readonly string[] = []): Promise<string> {
  return shownGigaflops(text, model) ?? (await summarised(file, model, settings));
}

/** Weights, without those of training alone, by file and model. test/models/lock.test.ts compares them with the sources. */
const locked = new Map(
  entriesOf(readFileSync('models/crob.lock', 'utf8')).map(({ file, model, locked }) => [
    `models/${file} ${model}`,
    locked.parameters,
  ]),
);

function entriesOf(lock: string): readonly LockEntry[] {
  const read = readLock(lock);
  if (read.kind === 'fault') throw new Error(read.message);
  return read.entries;
}

async function rowOf({ file, model, published, given, left = [], large }: (typeof rivals)[number]): Promise<string[]> {
  const tree = sourceOf(`models/rivals/${file}.crob`);
  const decl = tree.declarations.find((one) => one.kind === 'model' && one.name.name === model);
  if (decl?.kind !== 'model') throw new Error(`no model ${model}`);
  const lines = linesWithoutMaps(tree);
  expect(lines, file).toBeLessThan(150);
  // Some have a part that only training reads.
  const { total } = countParameters(graphOf(file, model, { training: true }));
  const gigaflops = await gigaflopsOf(tree.file, model, large);
  return [
    `[${model}](models.md#${model.toLowerCase()})`,
    `\`${file}.crob\``,
    count(lines),
    decl.base ? count(linesOf(textOf(tree, decl)) - 2) : '',
    count(total),
    published === undefined
      ? 'not counted'
      : `${count(published)}${given === undefined ? '' : `, without \`${given}\``}`,
    left.map(([n, why]) => `${count(n)}: ${why}`).join('; '),
    gigaflops,
  ];
}

test('the table of rivals is what the sources say', async () => {
  const rows = [];
  for (const rival of rivals) rows.push(await rowOf(rival));
  const right = tableOf(heads, rows).replace(/^\| ---.*$/m, '| --- | --- | ---: | ---: | ---: | ---: | --- | ---: |');
  await holdsTable('model', right);
});

/** Each variant of CroBIM with what it changes; the first row is CroBIM. */
test('the table of ablations is what the sources say', async () => {
  const rows = [];
  for (const file of ['crobim', 'ablations'])
    for (const decl of sourceOf(`models/${file}.crob`).declarations) {
      if (decl.kind !== 'model' || (file === 'crobim' && decl.name.name !== 'CroBIM')) continue;
      const { name } = decl.name;
      const changes = file === 'crobim' ? '' : linesOf(textOf(sourceOf(`models/${file}.crob`), decl));
      const path = `models/${file}.crob`;
      const weights = locked.get(`${path} ${name}`)!;
      const gigaflops = await gigaflopsOf(path, name);
      const lines = changes === '' ? '' : count(changes === 1 ? 1 : changes - 2);
      rows.push([`[${name}](models.md#${name.toLowerCase()})`, lines, count(weights), gigaflops]);
    }
  const right = tableOf(['variant', 'lines that differ', 'weights', 'GFLOP'], rows);
  await holdsTable('variant', right.replace(/^\| ---.*$/m, '| --- | ---: | ---: | ---: |'));
});

/** Compares the table of the page whose first heading this is. */
async function holdsTable(first: string, right: string): Promise<void> {
  const table = new RegExp(`^\\| ${first} \\|.*\\n(\\|.*\\n)*`, 'm');
  expect(text).toMatch(table);
  await expect(text.replace(table, () => `${right}\n`)).toMatchFileSnapshot(`../../${page}`);
}
