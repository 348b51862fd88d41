import type { WeightUse } from './unread-weights.ts';

/** A part without any weight that is read, or a single weight. */
export interface WeightGroup {
  /** Path in checkpoints. */
  readonly root: string;
  readonly paths: readonly [string, ...string[]];
  /** The total number of elements. */
  readonly size: number;
}

/** Groups unread weights by the shortest paths below which no weight is read. */
export function gathered(
  unread: readonly (readonly [string, number])[],
  read: WeightUse['read'],
): readonly WeightGroup[] {
  const holdsRead = new Set<string>();
  for (const path of read) for (const root of rootsOf(path)) holdsRead.add(root);
  const groups = new Map<string, WeightGroup>();
  for (const [path, size] of unread) {
    const root = rootsOf(path).find((one) => !holdsRead.has(one)) ?? path;
    const known = groups.get(root);
    groups.set(root, {
      root,
      paths: known ? [...known.paths, path] : [path],
      size: size + (known?.size ?? 0),
    });
  }
  return [...groups.values()];
}

/** Returns all prefixes of a path: `a`, `a.b` and `a.b.c` for `a.b.c`. */
function rootsOf(path: string): readonly string[] {
  const steps = path.split('.');
  return steps.map((_, i) => steps.slice(0, i + 1).join('.'));
}

/** The maximum number of names listed. */
const named = 3;

export function listed(groups: readonly WeightGroup[]): string {
  const names = groups.map(({ root }) => `\`${root}\``);
  const [last = '', ...others] = names.slice(0, named).reverse();
  if (names.length > named) return `${names.slice(0, named).join(', ')} and ${names.length - named} more`;
  return others.length === 0 ? last : `${others.reverse().join(', ')} and ${last}`;
}

export function counted(groups: readonly WeightGroup[]): string {
  const size = groups.reduce((sum, one) => sum + one.size, 0);
  return `${size.toLocaleString('en')} ${size === 1 ? 'weight' : 'weights'}`;
}
