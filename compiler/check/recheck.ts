import { Program, type SourceHost } from '../elaborate/source/program.ts';
import { loaded } from './check.ts';
import { checkFiles, type FileCheck } from './check-files.ts';
import { type Dependencies, dependenciesOf, isSame } from './dependencies.ts';

/** Checks of files, and the library with which they were made. */
export interface Checked {
  readonly checks: readonly FileCheck[];
  /** Files that do not exist. */
  readonly missing: readonly string[];
  /** The files of the library, whose names are in messages: path, text. */
  readonly library: ReadonlyMap<string, string | undefined>;
}

/** A later check of files, and which of them were checked again. */
export interface Rechecked extends Checked {
  readonly again: readonly string[];
}

export const nothingChecked: Checked = { checks: [], missing: [], library: new Map() };

/** Checks the files that depend on something that is not as it was at an earlier check; the others keep their results. */
export function recheck(given: SourceHost, files: readonly string[], before: Checked): Rechecked {
  const host = readingOnce(given);
  const library = new Map((host.library?.() ?? []).map((path) => [path, host.read(path)]));
  const isSameLibrary =
    library.size === before.library.size && [...library].every(([path, text]) => before.library.get(path) === text);
  const known = new Map(isSameLibrary ? before.checks.map((one) => [one.file, one]) : []);
  const program = new Program(host);
  const { scopes, missing } = loaded(program, files);
  const now = new Map(scopes.map((scope) => [scope.file, dependenciesOf(program, scope)]));
  const stale = staleFiles(known, now);
  const { checks } = checkFiles(
    program,
    scopes.filter(({ file }) => stale.has(file)),
  );
  const results = new Map([...known.values(), ...checks].map((one) => [one.file, one]));
  return {
    checks: scopes.flatMap(({ file }) => results.get(file) ?? []),
    missing,
    library,
    again: checks.map(({ file }) => file),
  };
}

/**
 * Returns the files that depend on something else than at the check before, and those whose results must be made in
 * one run with them. Whether a module is constructed depends on all files that use it: if one of them is stale or gone,
 * all are checked again, and the file of the module too.
 */
function staleFiles(
  known: ReadonlyMap<string, FileCheck>,
  now: ReadonlyMap<string, Dependencies>,
): ReadonlySet<string> {
  const stale = new Set([...now].flatMap(([file, one]) => (isSameAs(known.get(file), one) ? [] : [file])));
  const gone = new Set([...known.keys()].filter((file) => !now.has(file)));
  const reads = (user: string, file: string) => now.get(user)?.texts.has(file) || known.get(user)?.texts.has(file);
  const withModules = [...now.keys()].filter((file) => known.get(file)?.needsUsers ?? true);
  for (let size = -1; size < stale.size; ) {
    size = stale.size;
    for (const file of withModules) {
      const users = [...now.keys(), ...gone].filter((user) => reads(user, file));
      if (users.some((user) => stale.has(user) || gone.has(user)))
        for (const user of users) if (now.has(user)) stale.add(user);
    }
  }
  return stale;
}

function isSameAs(before: FileCheck | undefined, now: Dependencies): boolean {
  return before !== undefined && isSame(before, now);
}

/** A host that reads each file once, so that a file that changes meanwhile has one text in one check. */
function readingOnce(host: SourceHost): SourceHost {
  const texts = new Map<string, string | undefined>();
  return {
    ...host,
    read(path) {
      if (!texts.has(path)) texts.set(path, host.read(path));
      return texts.get(path);
    },
  };
}
