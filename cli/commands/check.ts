import { normalize } from 'node:path';
import type { FileCheck } from '../../compiler/check/check-files.ts';
import { diagnosticsOf } from '../../compiler/check/diagnostics-of.ts';
import { type Diagnostic, isError } from '../../compiler/diagnostics/diagnostic.ts';
import { messages as catalogue } from '../../compiler/diagnostics/messages.ts';
import { renderGithub } from '../../compiler/diagnostics/render-github.ts';
import { type JsonDiagnostic, jsonProblem, toJson } from '../../compiler/diagnostics/render-json.ts';
import { renderJunit } from '../../compiler/diagnostics/render-junit.ts';
import { toSarif } from '../../compiler/diagnostics/render-sarif.ts';
import type { SourceText } from '../../compiler/diagnostics/render-terminal.ts';
import { type GuardCondition, guardCondition } from '../../compiler/ir/guard-condition.ts';
import type { FoundFiles } from '../../runtime/files/crob-files.ts';
import { packageVersion } from '../../runtime/files/package-root.ts';
import { isShipped } from '../../runtime/files/source-host.ts';
import { sha256 } from '../../runtime/files/text-hash.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { type CheckedFiles, checkOnce, textsOf } from '../checked-files.ts';
import { foundFiles } from '../found-files.ts';
import type { Invocation, Io } from '../io.ts';
import { bounded, moreLine, plural, printDiagnostics } from '../messages.ts';
import { complain, printFindings, printJson, printLine, printText } from '../print.ts';
import type { Reporter } from '../reporters.ts';
import type { LockedIn, LockFindings } from './check-lock.ts';

export interface CheckOptions {
  readonly reporter: Reporter;
  readonly guards?: boolean;
  /** Check again at every change, until a signal. */
  readonly watch?: boolean;
  /** The lock file to compare with, or true for `crob.lock`. */
  readonly lock?: string | true;
  readonly updateLock?: boolean;
  /** Keep results, and use those of earlier checks. */
  readonly cache?: boolean;
  /** The folder of the cache. */
  readonly cacheFolder?: string;
}

/** The checks of files, with what a lock file has of their models. */
interface Checked extends CheckedFiles {
  readonly diagnostics: readonly Diagnostic[];
  /** The text of a source, or of the lock file. */
  readonly textOf: SourceText;
}

/**
 * `crobc check`. Returns 1 if there are errors, else 0, also with warnings and notes. The messages are the command's
 * result and so go to standard output; without messages, nothing is printed.
 */
export async function check(io: Invocation, paths: readonly string[], options: CheckOptions): Promise<number> {
  const { reporter, watch = false } = options;
  if (options.guards && isCached(options))
    throw new UsageError('--guards prints what no cache has: leave out --cache, or --guards');
  if (watch) {
    if (isCached(options)) throw new UsageError('--watch keeps results by itself: leave out --cache, or --watch');
    if (reporter !== 'pretty')
      throw new UsageError(`--watch prints for people: leave out --reporter ${reporter}, or --watch`);
    if (options.updateLock) throw new UsageError('--watch writes no lock file: leave out --update-lock, or --watch');
    const lock = lockFile(options);
    const { watchCheck } = await import('./check-watch.ts');
    const locked = lock === undefined ? undefined : await watchedLock(lock);
    return watchCheck(io, paths, lock, (checked) => {
      const found = withTexts(checked);
      return printChecked(io, locked ? locked(found) : found, options);
    });
  }
  if (reporter !== 'pretty') return report(io, paths, options, reporter);
  return printChecked(io, await checkFiles(io, paths, options), options) > 0 ? 1 : 0;
}

/** Prints what a check found; returns the number of errors. */
function printChecked(
  io: Io,
  { checks, files, unusable, diagnostics, textOf }: Checked,
  { guards = false }: CheckOptions,
): number {
  for (const line of unusable.values()) complain(io, `crobc: ${line}`);
  printFindings(io, printDiagnostics(diagnostics, textOf, io, io.stdout));
  const errors = diagnostics.filter(isError).length;
  if (errors > 0) printLine(io, `${plural(errors, 'error')} in ${plural(files.length, 'file')}`);
  if (guards) {
    for (const { name, guards } of guardsOf(checks)) {
      printLine(io, `${name}`);
      if (guards.length === 0) printLine(io, '  no conditions on the inputs');
      for (const guard of guards) printLine(io, `  ${shown(guard)}`);
    }
  }
  return errors + unusable.size;
}

/** Maximum number of messages of one code in one file in documents. */
const mostInDocument = 1000;

/** What a check found, for a document. */
interface Found {
  readonly files: readonly string[];
  readonly messages: readonly JsonDiagnostic[];
  readonly models: ReturnType<typeof guardsOf>;
  readonly source: SourceText;
}

/** Prints a document for another program. */
const documents: Readonly<Record<Exclude<Reporter, 'pretty'>, (io: Io, found: Found, guards: boolean) => void>> = {
  json: (io, { messages, models }, guards) => printJson(io, guards ? { messages, models } : messages),
  github: (io, { messages }) => printText(io, renderGithub(messages, titleOf)),
  junit: (io, { files, messages }) => printText(io, renderJunit(files, messages)),
  sarif: (io, { messages, source }) =>
    printJson(io, toSarif(messages, { version: packageVersion(), source, isShipped, sha256 })),
};

function titleOf(code: string): string {
  return messageTitles.get(code) ?? code;
}

const messageTitles = new Map(Object.entries(catalogue).map(([code, { title }]) => [code, title]));

/** Prints one document on standard output in every case, because programs parse all of standard output. */
async function report(
  io: Io,
  paths: readonly string[],
  options: CheckOptions,
  reporter: Exclude<Reporter, 'pretty'>,
): Promise<number> {
  const { guards = false } = options;
  if (guards && reporter !== 'json')
    throw new UsageError(
      `--guards is for people and for --reporter json: --reporter ${reporter} has no place for conditions`,
    );
  const print = (found: Found) => documents[reporter](io, found, guards);
  let checked: Checked;
  try {
    checked = await checkFiles(io, paths, options);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    print({ files: [], messages: [jsonProblem(paths[0] ?? '.', message)], models: [], source: () => undefined });
    throw error;
  }
  const { checks, unusable, diagnostics, textOf } = checked;
  const problems = [...unusable].map(([path, line]) => jsonProblem(path, line));
  // All messages of a damaged file could exceed the maximum length of a string.
  const { shown, more } = bounded(diagnostics, mostInDocument);
  const rest = more.map((one) => jsonProblem(one.file, `and ${moreLine(one)}`));
  const messages = [...problems, ...shown.map((d) => toJson(d, textOf)), ...rest];
  print({ files: checked.files, messages, models: guardsOf(checks), source: textOf });
  return problems.length > 0 || diagnostics.some(isError) ? 1 : 0;
}

/** Adds the diagnostics of all files, and their texts. */
function withTexts(checked: CheckedFiles): Checked {
  return { ...checked, diagnostics: diagnosticsOf(checked.checks), textOf: textsOf(checked.checks) };
}

/**
 * Checks all readable files; an unreadable file is reported and does not stop the others. Then compares them with a lock
 * file, or writes it.
 */
async function checkFiles(io: Io, paths: readonly string[], options: CheckOptions): Promise<Checked> {
  const lock = lockFile(options);
  const found = await foundFiles(paths);
  const { files, locked } = isCached(options)
    ? await checkCached(io, found, options.cacheFolder, lock !== undefined)
    : { files: await checkOnce(found), locked: undefined };
  const checked = withTexts(files);
  if (lock === undefined) return checked;
  const { compareWithLock, lockedIn, updateLock } = await import('./check-lock.ts');
  const modelsOf = (one: FileCheck) => locked?.get(one) ?? lockedIn(one);
  if (options.updateLock) {
    if (checked.unusable.size === 0) await updateLock(io, checked.checks, lock, modelsOf);
    else complain(io, `crobc: ${lock} is not written, because not all files can be read`);
    return checked;
  }
  return withLock(checked, lock, compareWithLock(checked.checks, lock, modelsOf));
}

function isCached({ cache, cacheFolder }: CheckOptions): boolean {
  return cache === true || cacheFolder !== undefined;
}

/** The results of a check, and what a lock file has of the models, if that is needed. */
interface CachedFiles {
  readonly files: CheckedFiles;
  readonly locked: ReadonlyMap<FileCheck, readonly LockedIn[]> | undefined;
}

/** Checks the files for which the cache has no result that holds, and adds theirs to the cache. */
async function checkCached(
  io: Io,
  found: FoundFiles,
  folder: string | undefined,
  needsLocks: boolean,
): Promise<CachedFiles> {
  const { CheckCache, defaultCacheFolder } = await import('../check-cache.ts');
  const cache = new CheckCache(folder ?? defaultCacheFolder(io), io.cwd);
  const known = new Map(found.files.map((file) => [file, cache.find(file, needsLocks)]));
  const left = found.files.filter((file) => !known.get(file));
  const now = left.length > 0 ? await checkOnce({ ...found, files: left }) : { checks: [], unusable: found.unusable };
  const { lockedIn } = needsLocks ? await import('./check-lock.ts') : { lockedIn: () => undefined };
  const made = now.checks.map((check) => ({ check, locked: lockedIn(check) }));
  const problem = cache.store(made);
  if (problem !== undefined) complain(io, `crobc: ${problem}`);
  const all = new Map([...known].concat(made.map((one) => [one.check.file, one])));
  const results = found.files.flatMap((file) => all.get(file) ?? []);
  return {
    files: { checks: results.map(({ check }) => check), files: found.files, unusable: now.unusable },
    locked: new Map(results.flatMap(({ check, locked }) => (locked ? [[check, locked]] : []))),
  };
}

/** Adds what a comparison with a lock file found. */
function withLock(checked: Checked, lock: string, { diagnostics, text }: LockFindings): Checked {
  return {
    ...checked,
    diagnostics: [...checked.diagnostics, ...diagnostics],
    textOf: (file) => (file === lock ? text : checked.textOf(file)),
  };
}

/**
 * Returns a function that compares checks with a lock file, again and again. What it has of the models of a file that
 * is not checked again is computed once. Without a lock file that can be read, the check says why.
 */
async function watchedLock(lock: string): Promise<(checked: Checked) => Checked> {
  const { compareWithLock, lockedIn } = await import('./check-lock.ts');
  let known = new Map<FileCheck, readonly LockedIn[]>();
  return (checked) => {
    known = new Map(checked.checks.map((one) => [one, known.get(one) ?? lockedIn(one)]));
    try {
      return withLock(
        checked,
        lock,
        compareWithLock(checked.checks, lock, (one) => known.get(one) ?? lockedIn(one)),
      );
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { ...checked, unusable: new Map([...checked.unusable, [lock, error.message]]) };
    }
  };
}

/** The lock file to compare with or to write; undefined without `--lock` and `--update-lock`. */
function lockFile({ lock, updateLock }: CheckOptions): string | undefined {
  if (lock === undefined) return updateLock ? defaultLock : undefined;
  if (lock === true) return defaultLock;
  // `--lock models` would take the folder for the lock file.
  if (!lock.endsWith('.lock'))
    throw new UsageError(
      `--lock ${lock}: the name of a lock file ends in .lock; write the files to check before --lock`,
    );
  return normalize(lock);
}

const defaultLock = 'crob.lock';

/** Returns the guards of the models without errors. */
function guardsOf(checks: readonly FileCheck[]) {
  return checks.flatMap(({ file, models }) =>
    [...models].map(([name, { guards, facts }]) => ({
      name,
      file,
      guards: guards.map((guard) => guardCondition(guard, facts)),
    })),
  );
}

/**
 * A condition with known sizes as numbers and, if different, as the source has it: `T <= 512  (T <= text.positions)`.
 */
function shown({ condition, source }: GuardCondition): string {
  const plain = (clause: string) => clause.replace(/[\s()]/g, '');
  return plain(condition) === plain(source) ? condition : `${condition}  (${source})`;
}
