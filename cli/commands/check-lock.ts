import { existsSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import type { FileCheck } from '../../compiler/check/check-files.ts';
import { type Diagnostic, isError } from '../../compiler/diagnostics/diagnostic.ts';
import { checkLock, type LockableModel } from '../../compiler/lock/check-lock.ts';
import { lockedModel } from '../../compiler/lock/lock.ts';
import { type LockEntry, printLock, readLock } from '../../compiler/lock/lock-text.ts';
import { writeFileAtomic } from '../../runtime/files/atomic-file.ts';
import { FileError } from '../../runtime/files/file-error.ts';
import { readTextSync } from '../../runtime/files/read-file.ts';
import { rewriteFile } from '../../runtime/files/rewrite-file.ts';
import { isShipped } from '../../runtime/files/source-host.ts';
import { sha256 } from '../../runtime/files/text-hash.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import type { Io } from '../io.ts';
import { plural } from '../messages.ts';
import { complain } from '../print.ts';

/** What the comparison with a lock file found. */
export interface LockFindings {
  readonly diagnostics: readonly Diagnostic[];
  /** The text of the lock file, into which diagnostics point. */
  readonly text: string;
}

/** A model without errors, with what a lock file has of it. */
export type LockedIn = Pick<LockableModel, 'model' | 'name' | 'locked'>;

/** Returns what a lock file has of the models of a file; takes about 0.1 s for a large model. */
export function lockedIn({ models }: FileCheck): readonly LockedIn[] {
  return [...models.values()].map((model) => ({
    model: model.flat.name,
    name: model.flat.decl.name.span,
    locked: lockedModel(model, sha256),
  }));
}

/**
 * Compares the models of a check with a lock file; `modelsOf` is `lockedIn` unless the caller knows its results. Throws
 * a UserError if there is no lock file, or if it cannot be read.
 */
export function compareWithLock(checks: readonly FileCheck[], lock: string, modelsOf = lockedIn): LockFindings {
  const text = textOf(lock);
  if (text === undefined)
    throw new UserError(`there is no ${lock}: \`crobc check --update-lock\` writes it, for the models as they are`);
  const read = readLock(text);
  if (read.kind === 'fault')
    throw new UserError(
      `${lock}:${read.line}: ${read.message}; \`crobc check --update-lock\` writes it anew, for the models as they are`,
    );
  const models = lockable(checks, lock, modelsOf);
  return { diagnostics: checkLock(models, { name: lock, entries: read.entries }, goneIn(checks, lock)), text };
}

/**
 * Writes a lock file for the models of a check, if it differs. Models of files that exist and were not checked stay in
 * it. Says on standard error what it did; with errors in the sources, it writes nothing.
 */
export async function updateLock(
  io: Io,
  checks: readonly FileCheck[],
  lock: string,
  modelsOf = lockedIn,
): Promise<void> {
  if (checks.some(hasErrors)) {
    complain(io, `crobc: ${lock} is not written, because the sources have errors`);
    return;
  }
  const before = textOf(lock);
  const read = before === undefined ? undefined : readLock(before, true);
  if (read?.kind === 'fault') throw new UserError(`${lock}:${read.line}: ${read.message}: is it a lock file?`);
  const entries = read?.entries ?? [];
  const models = lockable(checks, lock, modelsOf);
  const now = models.map(({ file, model, locked }): LockEntry => ({ file, model, locked, span: undefined }));
  const keyOf = ({ file, model }: { readonly file: string; readonly model: string }) => `${file} ${model}`;
  const known = new Set(now.map(keyOf));
  const isGone = goneIn(checks, lock);
  const kept = entries.filter((entry) => !known.has(keyOf(entry)) && !isGone(entry));
  const after = printLock([...kept, ...now]);
  const number = plural(kept.length + now.length, 'model');
  if (after === before) {
    complain(io, `${lock} has ${number}, all as before`);
    return;
  }
  if (before === undefined) await writeFileAtomic(lock, after);
  else await rewriteFile(lock, after);
  const findings = checkLock(models, { name: lock, entries }, isGone);
  const counts = [
    ['new', findings.filter(({ code }) => code === 'CROB2402').length],
    ['changed', findings.filter(({ code }) => code === 'CROB2401').length],
    ['removed', findings.filter(({ code }) => code === 'CROB2403').length],
  ] as const;
  const texts = counts.flatMap(([what, n]) => (n > 0 ? [`${n} ${what}`] : []));
  complain(io, `${lock} is written: ${[number, ...texts].join(', ')}`);
}

function textOf(lock: string): string | undefined {
  if (!existsSync(lock)) return undefined;
  try {
    return readTextSync(lock, 'record');
  } catch (error) {
    throw error instanceof FileError ? new UserError(error.message) : error;
  }
}

function hasErrors({ diagnostics }: FileCheck): boolean {
  return diagnostics.some(isError);
}

/** The models without errors, in the order of the files. */
function lockable(checks: readonly FileCheck[], lock: string, modelsOf: typeof lockedIn): LockableModel[] {
  return checks.flatMap((check) => modelsOf(check).map((one) => ({ file: pathIn(lock, check.file), ...one })));
}

/** The path of a source in a lock file: relative to its folder, so that it does not depend on the working folder. */
function pathIn(lock: string, file: string): string {
  return isShipped(file) ? file : relative(dirname(lock), file).split(sep).join('/');
}

/**
 * Whether an entry without a model should have one: its file was checked, or does not exist. A file with errors may have
 * the model.
 */
function goneIn(checks: readonly FileCheck[], lock: string): (entry: LockEntry) => boolean {
  const checked = new Map(checks.map((one) => [pathIn(lock, one.file), one]));
  return ({ file }) => {
    const found = checked.get(file);
    if (found) return !hasErrors(found);
    return !isShipped(file) && !existsSync(`${dirname(lock)}/${file}`);
  };
}
