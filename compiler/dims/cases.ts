import { euclidean, exact, gcd, lcm } from './integers.ts';
import type { Bounds, Interval } from './interval.ts';
import { addConstant, constant, type Dim, scale, variable, variables } from './polynomial.ts';
import type { World } from './prove.ts';
import { substitute } from './substitute.ts';

/**
 * For each variable, returns a number L such that fixing the variable's remainder modulo L removes all floors from d
 * and makes d modulo `modulus` a constant. Undefined if d has an extremum, or if a number exceeds 2^53.
 */
function periods(d: Dim, modulus: number, found = new Map<string, number>()): Map<string, number> | undefined {
  for (const { coefficient, monomial } of d.terms) {
    const rest = modulus / gcd(coefficient, modulus);
    if (Number.isNaN(rest)) return undefined;
    for (const { atom } of monomial.factors) {
      if (atom.kind === 'variable') {
        if (rest > 1) found.set(atom.name, lcm(found.get(atom.name) ?? 1, rest));
      } else if (atom.kind !== 'floor' || !periods(atom.of, exact(atom.by * rest), found)) return undefined;
    }
  }
  return found;
}

/**
 * Whether `test` holds for d or, failing that, for every case of d, where variables are split by their remainders
 * until d has no floors. This decides identities of floors with moderate moduli. Undefined if there are more than
 * `limit` cases.
 */
export function everyCase(
  d: Dim,
  modulus: number,
  world: World,
  limit: number,
  test: (d: Dim, world: World) => boolean,
): boolean | undefined {
  const splits = periods(d, modulus);
  if (!splits) return undefined;
  let cases = 1;
  for (const [name, period] of splits) cases *= Math.min(period, width(world.bounds(name)));
  if (!(cases <= limit)) return undefined;
  return split(d, modulus, world, test);
}

function width({ lo, hi }: Interval): number {
  return hi - lo + 1;
}

function split(d: Dim, modulus: number, world: World, test: (d: Dim, world: World) => boolean): boolean {
  if (test(d, world)) return true;
  let chosen: string | undefined;
  let period = Number.POSITIVE_INFINITY;
  for (const [name, p] of periods(d, modulus) ?? []) {
    if (p < period) [chosen, period] = [name, p];
  }
  if (chosen === undefined) return false;
  for (const each of casesOf(chosen, period, world.bounds)) {
    const by = new Map([[chosen, each.value]]);
    const name = chosen;
    const bounds: Bounds = (x) => (x === name ? each.bounds : world.bounds(x));
    const inequalities = world.inequalities.map((f) => substitute(f, by));
    if (!split(substitute(d, by), modulus, { bounds, inequalities }, test)) return false;
  }
  return true;
}

interface Case {
  readonly value: Dim;
  /** Bounds of the case's variable, which counts periods. */
  readonly bounds: Interval;
}

function casesOf(name: string, period: number, bounds: Bounds): Case[] {
  const { lo, hi } = bounds(name);
  const cases: Case[] = [];
  if (width({ lo, hi }) <= period) {
    for (let n = lo; n <= hi; n++) cases.push({ value: constant(n), bounds: { lo, hi } });
    return cases;
  }
  for (let i = 0; i < period; i++) {
    // Start at the lower bound, so that the first case is the nearest to it.
    const r = Number.isFinite(lo) ? euclidean(lo + i, period) : i;
    const counts = { lo: Math.ceil((lo - r) / period), hi: Math.floor((hi - r) / period) };
    if (counts.lo <= counts.hi) {
      cases.push({ value: addConstant(scale(variable(name), period), r), bounds: counts });
    }
  }
  return cases;
}

/** Whether d is 0 at every point of its box of bounds; undefined if the box has more than `limit` points. */
export function everyPoint(d: Dim, bounds: Bounds, limit: number): boolean | undefined {
  let points = 1;
  for (const name of variables(d)) points *= width(bounds(name));
  if (!(points <= limit)) return undefined;
  const [name] = variables(d);
  if (name === undefined) return d.terms.length === 0;
  const { lo, hi } = bounds(name);
  for (let n = lo; n <= hi; n++) {
    if (!everyPoint(substitute(d, new Map([[name, constant(n)]])), bounds, limit)) return false;
  }
  return true;
}
