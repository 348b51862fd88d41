import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Program } from './program/tree.ts';

/** A program that something was once wrong with. */
export interface Kept {
  readonly file: string;
  /** What was wrong. */
  readonly note: string;
  /** Of the values that are fed. */
  readonly seed: number;
  readonly program: Program;
}

const folder = fileURLToPath(new URL('corpus/', import.meta.url));
const files = (end: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(end))
    .sort();

/** Programs as data, which are compared as drawn ones are. */
export const keptPrograms: readonly Kept[] = files('.json').map((file) => ({
  file,
  ...(JSON.parse(readFileSync(folder + file, 'utf8')) as Omit<Kept, 'file'>),
}));

/** Sources that were once slow or crashed: check has to come to an end. */
export const keptSources: readonly { readonly file: string; readonly text: string }[] = files('.crob').map((file) => ({
  file,
  text: readFileSync(folder + file, 'utf8'),
}));
