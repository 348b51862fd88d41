import { nearest } from '../../../grammar/nearest.ts';

/** Returns `did you mean \`x\`?` for the nearest name; undefined if none is near enough. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const best = nearest(name, candidates);
  return best === undefined ? undefined : `did you mean \`${best}\`?`;
}
