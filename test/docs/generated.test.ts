// slow: makes the generated pages anew

import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { type CheckResult, check } from '../../compiler/check/check.ts';
import { contentsOf } from '../../compiler/contents/contents.ts';
import { opNames } from '../../compiler/ops/table.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { apiPage } from './api-page.ts';
import { sourceOf } from './declarations.ts';
import { builtinsPage, operatorsPage } from './generated.ts';
import { libraryPage } from './library-page.ts';
import { modelsPage, shippedFiles } from './models-page.ts';

let shipped: CheckResult;
let library: string;
let models: string;

beforeAll(() => {
  shipped = check(diskHost(), shippedFiles());
  library = libraryPage();
  models = modelsPage(shipped);
});

test.each([
  ['builtins.md', builtinsPage],
  ['operators.md', operatorsPage],
  ['library.md', () => library],
  ['models.md', () => models],
  ['api.md', apiPage],
])('docs/%s is what the sources say', async (name, page) => {
  await expect(page()).toMatchFileSnapshot(`../../docs/${name}`);
});

test('the README counts the operators', () => {
  expect(readFileSync('README.md', 'utf8')).toContain(`\n- ${opNames.length} operators, each with`);
});

test('the pages of modules have the paths that parts and weights of the models have', () => {
  const pages = library.split(/^### /m).concat(models.split(/^### /m));
  const sections = new Map(pages.map((text) => [text.slice(0, text.indexOf('\n')), text] as const));
  const wrong = new Set<string>();
  let rows = 0;
  for (const model of shipped.models.values()) {
    const entries = contentsOf(shipped.context, model);
    const modules = new Map(entries.flatMap((one) => (one.kind === 'part' ? [[one.path, one] as const] : [])));
    for (const entry of entries) {
      const owner = modules.get(entry.owner);
      if (!owner || (entry.kind !== 'part' && entry.kind !== 'weight')) continue;
      const [, name, index] = /([^.[]+)(?:\[(\d+)\])?$/.exec(entry.path) ?? [];
      const below = entry.file === owner.file ? '' : entry.file.slice(owner.file === '' ? 0 : owner.file.length + 1);
      const found = sections
        .get(owner.module)
        ?.split('\n')
        .map((line) => /^\| `([^`]+)` \| (?:`([^`]+)`|[^|]*) \|/.exec(line));
      const row = found?.find((cells) => cells?.[1] === (index === undefined ? name : `${name}[i]`));
      rows++;
      if (!row || !namePattern((row[2] ?? '').replace('{i}', index ?? '{i}')).test(below))
        wrong.add(`${owner.module}: ${entry.path} is at ${below}, the page has ${row?.[2]}`);
    }
  }
  expect([...wrong]).toEqual([]);
  expect(rows).toBeGreaterThan(10_000);
});

/** In the names of weights, `{name}` is a parameter of the module. */
function namePattern(name: string): RegExp {
  return new RegExp(`^${name.replaceAll('.', '\\.').replace(/\{\w+\}/g, '.*')}$`);
}

test('the library page has the signature of every method, those of interfaces too', () => {
  expect(library).not.toContain('{ … }');
  const bert = library.slice(library.indexOf('\n### Bert\n'));
  expect(bert.slice(0, bert.indexOf('```\n'))).toContain('method encode(x: f32[B, T, dim], mask: bool[B, T])');
});

test('the page of models has every model and recipe', () => {
  for (const file of shippedFiles()) {
    for (const { kind, name: declared } of sourceOf(file).declarations) {
      if (kind === 'model') expect(models).toContain(`\n### ${declared.name}\n`);
      if (kind === 'recipe') expect(models).toContain(`\n### Recipe ${declared.name}\n`);
    }
  }
});

test('the page of models has the terms of every recipe, inherited ones too', () => {
  const loss = (recipe: string) => {
    const section = models.slice(models.indexOf(`\n### Recipe ${recipe}\n`));
    return [...section.slice(0, section.indexOf('\n### ', 1)).matchAll(/^\| `(\w+)` \| `([^`]+)` \|/gm)].map(
      ([, name, value]) => [name, value],
    );
  };
  const paper = [
    ['ce', '0.9 * cross_entropy(logits, target, background = 0.9, foreground = 1.1)'],
    ['dice', '0.1 * dice(logits, target)'],
  ];
  expect(loss('paper')).toEqual(paper);
  expect(loss('lavt_text')).toEqual(paper);
});

test('the page of operators has every operator', () => {
  const headings = [...operatorsPage().matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(headings).toEqual(opNames);
});
