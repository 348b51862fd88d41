import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { type Forms, removeFaulty, type TemplateStore, templateStore } from '../elaborate/context/store.ts';
import { SilentChecks } from './silent-checks.ts';

/**
 * What checks leave for those of a later program: templates of modules and functions, modules that were constructed
 * without an error, and whole checks. Keys of templates and modules contain the `id`s of scopes, so that nothing that was
 * made from another text is found.
 */
export interface Kept extends Forms {
  readonly store: TemplateStore;
  readonly silent: SilentChecks;
}

/** `library` are the paths of files whose changes begin with nothing kept. */
export function nothingKept(library: Iterable<string>): Kept {
  return { store: templateStore(), inference: new Map(), training: new Map(), silent: new SilentChecks(library) };
}

/** Removes templates with faults: their messages have places in what used them first. */
export function forgetFaulty({ store, inference, training }: Kept): void {
  for (const templates of [store.settled, inference, training]) removeFaulty(templates);
}

/** The number of templates. */
export function sizeOf({ store, inference, training }: Kept): number {
  return store.settled.size + inference.size + training.size;
}

/** Limits on the work for a declaration: less of it is left where templates are kept. */
const limits: ReadonlySet<string> = new Set(['CROB2205', 'CROB2220', 'CROB2225']);

export function isOfLimit({ code }: Diagnostic): boolean {
  return limits.has(code);
}
