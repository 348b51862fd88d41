// long: summarises every rival and every variant of CroBIM

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rivals } from '../models/rivals.ts';
import { sourceOf } from './declarations.ts';
import { shownGigaflops, summarised } from './gigaflops.ts';

const page = readFileSync('docs/rivals.md', 'utf8');

const variants = sourceOf('models/ablations.crob').declarations.flatMap((decl) =>
  decl.kind === 'model' ? [{ file: 'models/ablations.crob', model: decl.name.name, large: [] }] : [],
);
const models = [
  ...rivals.map(({ file, model, large = [] }) => ({ file: `models/rivals/${file}.crob`, model, large })),
  { file: 'models/crobim.crob', model: 'CroBIM', large: [] },
  ...variants,
];

test.each(models)('the GFLOP of $model are what `summary` counts', async ({ file, model, large }) => {
  expect(shownGigaflops(page, model)).toBe(await summarised(file, model, large));
});
