import type { BuildRecord } from '../build/build-record.ts';
import { dimsIn, holdsAt } from '../build/condition.ts';
import type { Sizes } from '../build/dim-text.ts';
import { UserError } from '../files/user-error.ts';

/** The sizes that an open dim takes: the smallest, the usual and the largest. */
export interface SizeRange {
  readonly min: number;
  readonly usual: number;
  /** Undefined if nothing bounds it. */
  readonly max: number | undefined;
}

/** Limits of a dim that a user gives. */
export interface Limits {
  readonly low: number;
  readonly high: number;
}

/** No tensor has an axis of as many elements in each of two dims. */
const largest = 65_536;
/** A dim whose conditions hold at some of so many sizes below the largest is taken for unbounded. */
const tail = 4096;

/** The names of the open dims of a build's inputs, apart from the batch. */
export function openDims({ inputs }: BuildRecord, batch: string | undefined): readonly string[] {
  const dims = inputs.flatMap(({ shape }) => shape).filter((dim) => !/^\d+$/.test(dim) && dim !== batch);
  return [...new Set(dims)];
}

/**
 * Returns the range of each open dim from the conditions on its sizes, the limits, and the size that a recipe expects.
 * Conditions on several dims
 * are left to `checkTogether`. Throws a UserError if no size fits, or if limits are of a dim that is not open.
 */
export function sizeRanges(
  record: BuildRecord,
  dims: readonly string[],
  { expected, limits }: { readonly expected: Sizes; readonly limits: ReadonlyMap<string, Limits> },
): ReadonlyMap<string, SizeRange> {
  for (const name of limits.keys())
    if (!dims.includes(name))
      throw new UserError(
        `--range ${name}: ${record.model} has no open size ${name}${dims.length === 0 ? '' : `; there is ${dims.join(', ')}`}`,
      );
  const all = new Map(dims.map((name) => [name, 1]));
  return new Map(dims.map((name) => [name, rangeOf(record, name, all, expected.get(name), limits.get(name))]));
}

/** The sizes at one end of ranges; the usual one where there is no largest. */
export function sizesAt(ranges: ReadonlyMap<string, SizeRange>, end: 'min' | 'usual' | 'max'): Sizes {
  return new Map([...ranges].map(([name, range]) => [name, range[end] ?? range.usual]));
}

/** Throws a UserError if sizes do not fit a condition on several dims; `advice` follows the message. */
export function checkTogether({ guards }: BuildRecord, sizes: Sizes, advice: string): void {
  for (const guard of guards) {
    const at = dimsIn(guard, sizes);
    if (at.length < 2 || holdsAt(guard, sizes)) continue;
    const shown = at.map((name) => `${name} = ${sizes.get(name)}`).join(', ');
    throw new UserError(`the sizes ${shown} do not fit \`${guard.source}\`: ${advice}`);
  }
}

function rangeOf(
  record: BuildRecord,
  name: string,
  all: Sizes,
  expected: number | undefined,
  limits: Limits | undefined,
): SizeRange {
  const own = record.guards.filter((guard) => dimsIn(guard, all).join() === name);
  const fits = (size: number) => own.every((guard) => holdsAt(guard, new Map([[name, size]])));
  const { low, high } = limits ?? { low: 1, high: largest };
  for (const end of limits ? [low, high] : [])
    if (!fits(end)) {
      const conditions = own.map(({ source }) => `\`${source}\``).join(', ');
      throw new UserError(`--range ${name}=${low}..${high}: ${end} does not fit ${conditions}`);
    }
  const sizes = Array.from({ length: high - low + 1 }, (_, i) => low + i).filter(fits);
  const [min] = sizes;
  const last = sizes.at(-1);
  if (min === undefined || last === undefined)
    throw new UserError(`no size of ${name} up to ${largest} fits ${record.model}`);
  const max = limits === undefined && last > largest - tail ? undefined : last;
  const isUsual = expected !== undefined && fits(expected) && expected >= min && expected <= (max ?? expected);
  return { min, usual: isUsual ? expected : limits ? last : min, max };
}
