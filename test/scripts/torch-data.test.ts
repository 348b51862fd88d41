import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const training = 'runtime/torch/training';
const scripts = [
  'scripts/test-torch-data.py',
  ...readdirSync('scripts/torch-data').map((x) => `scripts/torch-data/${x}`),
];

const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name!);

/** What `npm run test:torch-data` imports is read outside a generated package, where `..` is nothing. */
test('modules that read data need no module of a generated package', () => {
  const seen = new Set<string>();
  const see = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const text = readFileSync(`${training}/${name}.py`, 'utf8');
    expect(matches(text, /^\s*from (\.\.\S*) import/gm), `${name}.py`).toEqual([]);
    matches(text, /^\s*from \.(\w+) import/gm).forEach(see);
  };
  for (const script of scripts.filter((name) => name.endsWith('.py')))
    matches(readFileSync(script, 'utf8'), /^from training\.(\w+) import/gm).forEach(see);
  expect([...seen]).toEqual(expect.arrayContaining(['order', 'philox', 'batches', 'evaluation']));
});
