// slow: summarises every rival

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Declaration, SourceFile } from '../../grammar/tree.ts';
import { crobc } from '../cli/crobc.ts';
import { graphOf, rivals } from '../models/rivals.ts';
import { countParameters } from '../stdlib/goldens.ts';
import { sourceOf, tableOf } from './declarations.ts';

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

/** Counts weights, without those of training alone, and billions of operations for one image of 480². */
async function countsOf(
  file: string,
  model: string,
  settings: readonly string[] = [],
): Promise<{ readonly weights: number; readonly gigaflops: string }> {
  const sizes = ['B=1', 'H=480', 'W=480', 'T=20'];
  const set = [...settings, ...sizes].flatMap((one) => ['--set', one]);
  const ran = await crobc(['summary', file, '--model', model, ...set, '--json']);
  expect(ran.code, ran.err).toBe(0);
  const { parameters, flops } = JSON.parse(ran.out) as { readonly parameters: number; readonly flops: number };
  return { weights: parameters, gigaflops: (flops / 1e9).toFixed(1) };
}

async function rowOf({ file, model, published, given, left = [], large }: (typeof rivals)[number]): Promise<string[]> {
  const tree = sourceOf(`models/rivals/${file}.crob`);
  const decl = tree.declarations.find((one) => one.kind === 'model' && one.name.name === model);
  if (decl?.kind !== 'model') throw new Error(`no model ${model}`);
  const lines = linesWithoutMaps(tree);
  expect(lines, file).toBeLessThan(150);
  // Some have a part that only training reads.
  const { total } = countParameters(graphOf(file, model, { training: true }));
  const { gigaflops } = await countsOf(tree.file, model, large);
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
      const { weights, gigaflops } = await countsOf(`models/${file}.crob`, name);
      const lines = changes === '' ? '' : count(changes === 1 ? 1 : changes - 2);
      rows.push([`[${name}](models.md#${name.toLowerCase()})`, lines, count(weights), gigaflops]);
    }
  const right = tableOf(['variant', 'lines that differ', 'weights', 'GFLOP'], rows);
  await holdsTable('variant', right.replace(/^\| ---.*$/m, '| --- | ---: | ---: | ---: |'));
});

/** Compares the table of the page whose first heading this is. */
async function holdsTable(first: string, right: string): Promise<void> {
  const text = readFileSync(page, 'utf8');
  const table = new RegExp(`^\\| ${first} \\|.*\\n(\\|.*\\n)*`, 'm');
  expect(text).toMatch(table);
  await expect(text.replace(table, () => `${right}\n`)).toMatchFileSnapshot(`../../${page}`);
}
