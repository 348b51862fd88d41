import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('.', import.meta.url);

/** Name and text of every snippet: the design's, and `forms.crob` for what those don't use. */
export const snippets: readonly (readonly [string, string])[] = readdirSync(folder)
  .filter((name) => name.endsWith('.crob'))
  .sort()
  .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]);
