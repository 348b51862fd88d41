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

async function rowOf({ file, model, published, left = [] }: (typeof rivals)[number]): Promise<string[]> {
  const tree = sourceOf(`models/rivals/${file}.crob`);
  const decl = tree.declarations.find((one) => one.kind === 'model' && one.name.name === model);
  if (decl?.kind !== 'model') throw new Error(`no model ${model}`);
  const lines = linesOf(tree.text);
  expect(lines, file).toBeLessThan(150);
  const bind = 'B=1,H=480,W=480,T=20';
  const ran = await crobc(['summary', tree.file, '--model', model, '--set', bind, '--json']);
  expect(ran.code, ran.err).toBe(0);
  const { flops } = JSON.parse(ran.out) as { readonly flops: number };
  const { total } = countParameters(graphOf(file, model, { training: true }));
  const count = (n: number) => n.toLocaleString('en');
  return [
    `[${model}](models.md#${model.toLowerCase()})`,
    `\`${file}.crob\``,
    count(lines),
    decl.base ? count(linesOf(textOf(tree, decl)) - 2) : '',
    count(total),
    published === undefined ? 'not counted' : count(published),
    left.map(([n, why]) => `${count(n)}: ${why}`).join('; '),
    (flops / 1e9).toFixed(1),
  ];
}

test('the table of rivals is what the sources say', async () => {
  const rows = [];
  for (const rival of rivals) rows.push(await rowOf(rival));
  const right = tableOf(heads, rows).replace(/^\| ---.*$/m, '| --- | --- | ---: | ---: | ---: | ---: | --- | ---: |');
  const text = readFileSync(page, 'utf8').replace(/^\| model \|.*\n(\|.*\n)*/m, () => `${right}\n`);
  await expect(text).toMatchFileSnapshot(`../../${page}`);
});
