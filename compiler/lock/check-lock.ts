import type { Span } from '../../grammar/span.ts';
import { type Diagnostic, diagnostic } from '../diagnostics/diagnostic.ts';
import type { LockedModel } from './lock.ts';
import type { LockEntry } from './lock-text.ts';

/** A model without errors, as it is now, with the place of its name. */
export interface LockableModel {
  readonly file: string;
  readonly model: string;
  readonly name: Span;
  readonly locked: LockedModel;
}

/**
 * Compares models with a lock. `isGone` tells whether an entry whose model is not among them should be: its file was
 * checked, or no longer exists.
 */
export function checkLock(
  models: readonly LockableModel[],
  lock: { readonly name: string; readonly entries: readonly LockEntry[] },
  isGone: (entry: LockEntry) => boolean,
): Diagnostic[] {
  const keyOf = ({ file, model }: { readonly file: string; readonly model: string }) => `${file} ${model}`;
  const entries = new Map(lock.entries.map((entry) => [keyOf(entry), entry]));
  const known = new Set(models.map(keyOf));
  const found = models.flatMap((model) => {
    const entry = entries.get(keyOf(model));
    const args = { model: model.model, lock: lock.name };
    if (!entry) return [diagnostic('CROB2402', model.name, args)];
    const details = changes(entry.locked, model.locked);
    return details.length === 0 ? [] : [diagnostic('CROB2401', model.name, args, { details: limited(details) })];
  });
  const gone = lock.entries.filter((entry) => !known.has(keyOf(entry)) && isGone(entry));
  return [
    ...found,
    ...gone.map(({ file, model, span = { start: 0, end: 0 } }) =>
      diagnostic('CROB2403', { file: lock.name, ...span }, { model, file }),
    ),
  ];
}

const mostDetails = 16;

function limited(details: readonly string[]): readonly string[] {
  const more = details.length - mostDetails;
  return more > 0 ? [...details.slice(0, mostDetails), `and ${more} more`] : details;
}

/** What differs between two states of a model, line by line; nothing if they are the same. */
export function changes(before: LockedModel, after: LockedModel): string[] {
  // The hashes of parts may differ where an equation is written in another way.
  if (before.graph === after.graph) return [];
  const signature = [
    ...before.signature.filter((line) => !after.signature.includes(line)).map((line) => `- ${line}`),
    ...after.signature.filter((line) => !before.signature.includes(line)).map((line) => `+ ${line}`),
  ];
  const parts = partChanges(before, after);
  const totals = [
    ...(before.parameters === after.parameters
      ? []
      : [`parameters: ${count(before.parameters)} -> ${count(after.parameters)}`]),
    ...(before.flop === after.flop ? [] : [flopChange(before.flop, after.flop)]),
  ];
  const found = [...signature, ...parts, ...totals];
  return found.length > 0 ? found : ['the graph differs, in the sizes with which its parts are called'];
}

function partChanges(before: LockedModel, after: LockedModel): string[] {
  return [...new Set([...before.parts.keys(), ...after.parts.keys()])].flatMap((path) => {
    const [old, now] = [before.parts.get(path), after.parts.get(path)];
    const name = path === '.' ? 'the equations of the model' : path;
    if (!old && now) return [`+ ${name}: ${now.module}, ${count(now.parameters)} parameters`];
    if (old && !now) return [`- ${name}: ${old.module}, ${count(old.parameters)} parameters`];
    if (!old || !now || (old.hash === now.hash && old.parameters === now.parameters && old.module === now.module))
      return [];
    const texts = [
      ...(old.module === now.module ? [] : [`${old.module} -> ${now.module}`]),
      ...(old.parameters === now.parameters ? [] : [`${count(old.parameters)} -> ${count(now.parameters)} parameters`]),
    ];
    if (path === '.') return [`${name} differ`];
    return [`${name}: ${texts.length > 0 ? texts.join(', ') : `other equations or sizes in ${now.module}`}`];
  });
}

function count(n: number): string {
  return n.toLocaleString('en');
}

/** Polynomials over several dims are too long to be read. */
function flopChange(before: string, after: string): string {
  const both = `FLOP: ${before} -> ${after}`;
  return both.length <= 100 ? both : 'FLOP: another polynomial over the dims';
}
