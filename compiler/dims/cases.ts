import { euclidean, exact, gcd, lcm } from './integers.ts';
import type { Bounds, Interval } from './interval.ts';
import { addConstant, constant, type Dim, scale, variable, variables } from './polynomial.ts';
import type { World } from './prove.ts';
import { substitute } from './substitute.ts';

/**
 * For each variable, a number L such that with the variable's remainder modulo L fixed, no floor is left in d and
 * d modulo `modulus` is a constant. Undefined where an extremum is in the way, or the numbers leave 2^53.
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
 * Tries `test` on d, and where it fails, on every case of d with variables split by their remainders until its
 * floors are gone: this decides identities of floors with moderate moduli. Undefined when the cases pass `limit`.
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
  /** Of the variable, which in the case counts periods. */
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
    // From the lower end up, so that the first case is the one nearest to it.
    const r = Number.isFinite(lo) ? euclidean(lo + i, period) : i;
    const counts = { lo: Math.ceil((lo - r) / period), hi: Math.floor((hi - r) / period) };
    if (counts.lo <= counts.hi) {
      cases.push({ value: addConstant(scale(variable(name), period), r), bounds: counts });
    }
  }
  return cases;
}

/** Whether d is 0 at every point of a box of at most `limit` points; undefined for a larger box. */
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
