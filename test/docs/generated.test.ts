import { expect, test } from 'vitest';
import { opNames } from '../../compiler/ops/table.ts';
import { builtinsPage, libraryPage, operatorsPage } from './generated.ts';

test.each([
  ['builtins.md', builtinsPage],
  ['operators.md', operatorsPage],
  ['library.md', libraryPage],
])('docs/%s is what the sources say', async (name, page) => {
  await expect(page()).toMatchFileSnapshot(`../../docs/${name}`);
});

test('the page of operators has every operator', () => {
  const headings = [...operatorsPage().matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(headings).toEqual(opNames);
});
