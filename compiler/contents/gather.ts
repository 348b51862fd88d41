import type { Entry } from './contents.ts';

/** Entries whose paths differ only in list indices: `backbone.layers[*].blocks[*].norm1`. */
export interface Gathered {
  /** The path with `[*]` in place of each index that varies. */
  readonly path: string;
  /**
   * The path in weights files with `{i}`, `{j}`, … in place of the numbers that vary; undefined if the entries have
   * none.
   */
  readonly file: string | undefined;
  /** All have the same kind. */
  readonly entries: readonly [Entry, ...Entry[]];
}

/**
 * Merges entries that every item of a list has. Entries that only some items have are not merged, since a path with
 * `[*]` denotes all items.
 */
export function gather(entries: readonly Entry[]): Gathered[] {
  const parts = new Map<string, number>();
  for (const { kind, path } of entries)
    if (kind === 'part') parts.set(withoutIndices(path), (parts.get(withoutIndices(path)) ?? 0) + 1);
  const groups = new Map<string, [Entry, ...Entry[]]>();
  for (const entry of entries) {
    const file = 'file' in entry ? entry.file.replace(/\d+/g, '') : '';
    const key = [entry.kind, withoutIndices(entry.path), file].join(' ');
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return [...groups.values()].flatMap((group) => {
    const owners = new Set(group.map(({ owner }) => owner));
    // If the owners are not among the entries, all of them were selected, or the owner is the model itself.
    const isEverywhere = owners.size === (parts.get(withoutIndices(group[0].owner)) ?? owners.size);
    return isEverywhere ? [gathered(group)] : group.map((one) => gathered([one]));
  });
}

function withoutIndices(path: string): string {
  return path.replace(/\[\d+\]/g, '[]');
}

function gathered(entries: readonly [Entry, ...Entry[]]): Gathered {
  const paths = entries.map(({ path }) => path);
  const files = entries.flatMap((entry) => ('file' in entry ? [entry.file] : []));
  let names = 0;
  const placeholder = () => `{${String.fromCharCode('i'.charCodeAt(0) + names++)}}`;
  const file = files.length === 0 ? undefined : merged(files, /(\d+)/, placeholder);
  return { path: merged(paths, /(?<=\[)(\d+)(?=\])/, () => '*'), file, entries };
}

/** Merges texts that differ only in numbers; each number that varies is replaced. */
function merged(texts: readonly string[], number: RegExp, replaced: () => string): string {
  const [first = [], ...others] = texts.map((text) => text.split(number));
  return first.map((piece, i) => (others.every((other) => other[i] === piece) ? piece : replaced())).join('');
}
