import { mkdir, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, wrong } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

const source = `module Twice(width: int) {
  inner = Linear(width, width)
  forward(x: f32[B, width]) -> f32[B, width] { return inner(inner(x)) }
}
model Flat {
  twice = Twice(2)
  input x: f32[B, 2]
  output y = twice(x) + 1.0
}
`;

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/flat.crob`, source);
  await writeFile(`${folder}/wrong.crob`, wrong);
});

test('every operator has its module and its place in source', async () => {
  const { code, out, err } = await crobc(['expand', 'flat.crob'], { cwd: folder });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^graph "Flat" ""\n/);
  // Once for each call, of the one instance.
  expect(out.match(/ = matmul .*: f32\[B, 2\] {2}\/\/ twice\.inner: \S+ {2}std\/linear\.crob:\d+$/gm)).toHaveLength(2);
  expect(out).toMatch(/ = add .* \/\/ add {2}flat\.crob:8$/m);
  expect(out).toMatch(/^output "y" = %\d+ ""\n$/m);
});

test('sizes are those that are set, and what does not compile is not printed', async () => {
  const bound = await crobc(['expand', 'flat.crob', '-m', 'Flat', '--set', 'B=3'], { cwd: folder });
  expect(bound.out).toContain(': f32[3, 2]');
  expect(await crobc(['expand', 'wrong.crob'], { cwd: folder })).toMatchObject({ code: 1, out: '' });
});
