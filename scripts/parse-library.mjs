// Part of the build: writes the library's syntax trees beside the compiled code, so that checks need not parse it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { parse } = await import('../dist/api/grammar.js');
const trees = {};
for (const name of readdirSync(join(root, 'stdlib')).sort()) {
  if (!name.endsWith('.crob')) continue;
  const path = `std/${name}`;
  const { tree, diagnostics } = parse(readFileSync(join(root, 'stdlib', name), 'utf8'), path);
  if (diagnostics.length > 0) throw new Error(`stdlib/${name} does not parse; see crobc check stdlib/${name}`);
  trees[path] = tree;
}
// Escapes to ASCII, so that readers need no decoding.
const ascii = JSON.stringify(trees).replace(
  /[^\0-\x7f]/g,
  (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
);
writeFileSync(join(root, 'dist', 'library.json'), ascii);
