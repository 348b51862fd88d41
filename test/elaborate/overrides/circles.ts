import type { Bench, Outcome, Source } from './bench.ts';
import { builtOf } from './bench.ts';
import type { Valued } from './case.ts';
import { type Chain, literalSource } from './chain.ts';
import { covers, isSeenBy } from './meaning.ts';
import { type Built, placeAt, type Step, valueAt } from './places.ts';
import { float, int, type Value } from './value.ts';

/**
 * Whether the value of a line depends on itself, as found by trying: a line depends on another one when it reads something else
 * once the other one has another value. What cannot be tried counts as a dependence.
 */
export function hasCircle(chain: Chain, bench: Bench): boolean {
  const trials = chain.lines.flatMap((line, i) => (line.right.reads.length > 0 ? trialsOf(chain, line, i) : []));
  const outcomes = bench(trials.map(({ source }) => source));
  const seen = (line: Valued, outcome: Outcome | undefined) =>
    outcome?.model && JSON.stringify(line.right.reads.map((steps) => readAt(builtOf(outcome.model!), steps)));
  const dependsOn = (i: number, j: number): boolean => {
    const own = trials.filter((one) => one.line === i);
    const line = chain.lines[i]!;
    const plain = seen(line, outcomes.get(own.find((one) => one.changed === undefined)?.source.name ?? ''));
    const others = own
      .filter((one) => one.changed === j)
      .map(({ source }) => seen(line, outcomes.get(source.name)))
      .filter((one) => one !== undefined);
    return plain === undefined || others.length === 0 || others.some((one) => one !== plain);
  };
  const reached = (from: number, goal: number, met = new Set<number>()): boolean => {
    if (met.has(from) || chain.lines[from]!.right.reads.length === 0) return false;
    met.add(from);
    return chain.lines.some((_, j) => {
      if (trials.every((one) => one.line !== from || one.changed !== j)) return false;
      return dependsOn(from, j) && (j === goal || reached(j, goal, met));
    });
  };
  return chain.lines.some((_, i) => reached(i, i));
}

interface Trial {
  readonly source: Source;
  /** The line that reads, and the one that has another value: none to compare with. */
  readonly line: number;
  readonly changed: number | undefined;
}

/** The model that a line reads: where it reads its own path, that without it and without what is nearer. */
function trialsOf(chain: Chain, line: Valued, i: number): readonly Trial[] {
  const readsOwn = line.right.reads.some((steps) => covers(line.steps, steps));
  const isRead = (other: Valued) => !readsOwn || isSeenBy(line, other);
  const trial = (changed: number | undefined, value: Value | undefined, n: number): Trial => {
    const lines = chain.lines.flatMap((one, j) => {
      if (!isRead(one)) return [];
      return [j === changed && value ? { ...one, value } : one];
    });
    return { source: literalSource(chain, `${chain.id}_circle_${i}_${changed ?? ''}_${n}`, lines), line: i, changed };
  };
  return [
    trial(undefined, undefined, 0),
    ...chain.lines.flatMap((other, j) => (isRead(other) ? others(other.value).map((v, n) => trial(j, v, n)) : [])),
  ];
}

/** The value, and how many items each list on the way to it has: an item depends on that. */
function readAt(built: Built, steps: readonly Step[]): readonly unknown[] {
  const lengths = steps.flatMap((step, i) => {
    const list = typeof step === 'number' ? placeAt(built, steps.slice(0, i)) : undefined;
    return list?.kind === 'list' ? [list.items.length] : [];
  });
  return [valueAt(built, steps), ...lengths];
}

function others(value: Value): readonly Value[] {
  switch (value.kind) {
    case 'number': {
      const { n } = value;
      return value.float ? [float(n / 2), float(n + 0.125)] : [n + 1, n + 2, 2 * n, 4 * n, n - 1, n + 7].map(int);
    }
    case 'bool':
      return [{ kind: 'bool', is: !value.is }];
    case 'list':
      return value.items.flatMap((item, i) =>
        others(item).map((one): Value => ({ kind: 'list', items: value.items.map((x, at) => (at === i ? one : x)) })),
      );
    // Where a function is wanted, no model comes of it, and that counts as a dependence.
    case 'name':
      return value.spec ? [] : [{ kind: 'name', name: value.name === 'zeros' ? 'ones' : 'zeros', spec: false }];
    default:
      return [];
  }
}
