import type { LibraryMap } from '../../compiler/elaborate/weights/library-maps.ts';
import { grouped } from './map-fit.ts';
import type { FileTensor } from './tensor-file.ts';

/** A known map that fits the names of a file. */
export interface Layout {
  readonly map: string;
  /** The module for which the map is, and the file of the library that declares it. */
  readonly target: string;
  readonly file: string;
  /** Number of tensors that become weights, that are skipped, and that the map does not mention. */
  readonly mapped: number;
  readonly skipped: number;
  readonly strange: number;
}

/** Returns, for each module of the library, the map that fits the names best, if one gives any weight. */
export function layoutsOf(tensors: ReadonlyMap<string, FileTensor>, maps: readonly LibraryMap[]): readonly Layout[] {
  const found = maps.map((map): Layout => {
    const { groups, skipped, unmatched } = grouped(tensors, map);
    const mapped = groups.reduce((sum, { sources }) => sum + sources.filter((source) => source).length, 0);
    const { name, target, file } = map;
    return { map: name, target, file, mapped, skipped: skipped.length, strange: unmatched.length };
  });
  const ranked = found
    .filter(({ mapped }) => mapped > 0)
    .toSorted((a, b) => b.mapped - a.mapped || a.strange - b.strange);
  return ranked.filter((one, i) => ranked.findIndex(({ target }) => target === one.target) === i);
}
