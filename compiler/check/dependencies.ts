import type { FileScope } from '../elaborate/source/file-scope.ts';
import type { Program } from '../elaborate/source/program.ts';

/** A file, and one that it imports from. */
export interface Import {
  readonly from: string;
  /** The names of the `use`'s path: `std`, `linear`. */
  readonly path: readonly string[];
  readonly target: string;
}

/** What the check of a file depends on. */
export interface Dependencies {
  /** The text of each file that it reads, itself and the prelude included; undefined for a file that does not exist. */
  readonly texts: ReadonlyMap<string, string | undefined>;
  /** For each `use` in these files, the file that it refers to. */
  readonly uses: readonly Import[];
}

/** Returns what the check of a file of a program depends on. */
export function dependenciesOf(program: Program, root: FileScope): Dependencies {
  const texts = new Map<string, string | undefined>();
  const uses: Import[] = [];
  const left = [root.file, ...(program.prelude ? [program.prelude.file] : [])];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (texts.has(path)) continue;
    const scope = program.files.get(path);
    texts.set(path, scope?.tree.text);
    for (const { use, target } of scope?.uses ?? []) {
      uses.push({ from: path, path: use.path.map(({ name }) => name), target });
      left.push(target);
    }
  }
  return { texts, uses };
}

/** Whether two checks depend on the same texts, found at the same places. */
export function isSame(one: Dependencies, other: Dependencies): boolean {
  return (
    one.texts.size === other.texts.size &&
    [...one.texts].every(([path, text]) => other.texts.has(path) && other.texts.get(path) === text) &&
    one.uses.length === other.uses.length &&
    one.uses.every((use, i) => use.from === other.uses[i]?.from && use.target === other.uses[i]?.target)
  );
}
