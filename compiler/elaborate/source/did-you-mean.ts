import { nearest } from '../../../grammar/nearest.ts';

/** `did you mean \`x\`?` for the nearest name, if one is near enough. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const best = nearest(name, candidates);
  return best === undefined ? undefined : `did you mean \`${best}\`?`;
}
