// Part of the build: writes the library's syntax trees beside the compiled code, a file for each, so that checks need not
// parse it.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { parse } = await import('../dist/api/grammar.js');
const folder = join(root, 'dist', 'library');
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(join(root, 'stdlib'))) {
  if (!name.endsWith('.crob')) continue;
  const { tree, diagnostics } = parse(readFileSync(join(root, 'stdlib', name), 'utf8'), `std/${name}`);
  if (diagnostics.length > 0) throw new Error(`stdlib/${name} does not parse; see crobc check stdlib/${name}`);
  // Escapes to ASCII, so that readers need no decoding.
  const ascii = JSON.stringify(tree).replace(
    /[^\0-\x7f]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  writeFileSync(join(folder, `${basename(name, '.crob')}.json`), ascii);
}
