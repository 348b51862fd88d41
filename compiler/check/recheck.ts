import { Program, type SourceHost } from '../elaborate/source/program.ts';
import { loaded } from './check.ts';
import { checkFiles, type FileCheck } from './check-files.ts';
import { dependenciesOf, isSame } from './dependencies.ts';
import { isOfLimit, type Kept, nothingKept, sizeOf } from './kept.ts';

/** Checks of files, and what a later check of them can use. */
export interface Checked {
  readonly checks: readonly FileCheck[];
  /** Files that do not exist. */
  readonly missing: readonly string[];
  /** The files of the library, whose names are in messages: path, text. */
  readonly library: ReadonlyMap<string, string | undefined>;
  /** What was elaborated; undefined before the first check. */
  readonly elaborated: Elaborated | undefined;
}

/** A program, and what is kept of it and of those before it. */
interface Elaborated {
  readonly program: Program;
  /** The next check adds to it. */
  readonly kept: Kept;
  /** The number of templates at the first check. */
  readonly firstSize: number;
}

/** A later check of files. */
export interface Rechecked extends Checked {
  /** Whether some file, or one that it imports, is not as it was. */
  readonly isChanged: boolean;
  /** The files whose own text is not as it was, or of which a declaration was checked again. */
  readonly again: readonly string[];
}

export const nothingChecked: Checked = { checks: [], missing: [], library: new Map(), elaborated: undefined };

/**
 * Checks the declarations that depend on something that is not as it was at an earlier check; the others keep their
 * results. Also for these, only modules that depend on the change are elaborated again.
 */
export function recheck(given: SourceHost, files: readonly string[], before: Checked): Rechecked {
  const host = readingOnce(given);
  const library = new Map((host.library?.() ?? []).map((path) => [path, host.read(path)]));
  const isSameLibrary =
    library.size === before.library.size && [...library].every(([path, text]) => before.library.get(path) === text);
  const known = new Map(isSameLibrary ? before.checks.map((one) => [one.file, one]) : []);
  const earlier = isSameLibrary ? before.elaborated : undefined;
  const program = new Program(host, earlier?.program);
  const { scopes, missing } = loaded(program, files);
  const stale = scopes.filter((scope) => {
    const one = known.get(scope.file);
    return !one || !isSame(one, dependenciesOf(program, scope));
  });
  const kept = earlier?.kept ?? nothingKept(library.keys());
  const { checks, again: checked } = checkFiles(program, stale, kept);
  const results = new Map([...known.values(), ...checks].map((one) => [one.file, one]));
  const firstSize = earlier?.firstSize ?? sizeOf(kept);
  const isUsable = !checks.some(({ diagnostics }) => diagnostics.some(isOfLimit)) && sizeOf(kept) <= most(firstSize);
  return {
    checks: scopes.flatMap(({ file }) => results.get(file) ?? []),
    missing,
    library,
    elaborated: isUsable ? { program, kept, firstSize } : undefined,
    isChanged: checks.length > 0,
    again: stale.flatMap(({ file, tree }) => {
      const isEdited = known.get(file)?.texts.get(file) !== tree.text;
      return isEdited || checked.includes(file) ? [file] : [];
    }),
  };
}

/** The number of templates beyond which they are made anew: what no text needs any more is not removed one by one. */
function most(firstSize: number): number {
  return 3 * firstSize + 2000;
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
