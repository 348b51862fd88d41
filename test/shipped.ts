import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The sources that crobc comes with, by the names under which `memoryHost` has them. */
function sourcesIn(folder: string, prefix: string): Readonly<Record<string, string>> {
  const at = fileURLToPath(new URL(`../${folder}/`, import.meta.url));
  const names = readdirSync(at).filter((name) => name.endsWith('.crob'));
  return Object.fromEntries(names.sort().map((name) => [prefix + name, readFileSync(at + name, 'utf8')]));
}

export const shippedModels = sourcesIn('models', '');
export const librarySources = sourcesIn('stdlib', 'std/');
