import { extremum } from './extremum.ts';
import { exact, gcd, lcm } from './integers.ts';
import { type Bounds, type Interval, size } from './interval.ts';
import {
  addConstant,
  asConstant,
  collect,
  constant,
  constantTerm,
  type Dim,
  fromMonomial,
  isOverflow,
  mentions,
  monomialOf,
  mul,
  overflow,
  power,
  scale,
  sum,
  symbolicTerms,
} from './polynomial.ts';
import type { World } from './prove.ts';
import { floorDiv } from './quotient.ts';
import { replaceAtoms } from './substitute.ts';

/**
 * Clauses, solved as far as possible. Source variables are replaced by dims over free variables: `H % 32 == 5`
 * replaces H by 32*H' + 5, where H' is a new, free variable.
 */
export interface Known {
  /** The replacements of source variables, over free variables only. */
  readonly substitution: ReadonlyMap<string, Dim>;
  /** The value of each new variable in terms of source variables; the division is exact. */
  readonly meaning: ReadonlyMap<string, Fraction>;
  /** Bounds of free variables; a variable without an entry is at least 1. */
  readonly bounds: ReadonlyMap<string, Interval>;
  /** Dims over free variables that are >= 0. */
  readonly inequalities: readonly Dim[];
  /** Dims that are 0 and could not be solved for a variable. */
  readonly equations: readonly Dim[];
  /** Dims that are multiples of their moduli and could not be solved for a variable. */
  readonly multiples: readonly Multiple[];
  readonly contradictory: boolean;
}

export interface Multiple {
  readonly value: Dim;
  readonly modulus: number;
}

export interface Fraction {
  readonly numerator: Dim;
  readonly denominator: number;
}

export const nothing: Known = {
  substitution: new Map(),
  meaning: new Map(),
  bounds: new Map(),
  inequalities: [],
  equations: [],
  multiples: [],
  contradictory: false,
};

export function boundsOf(known: Pick<Known, 'bounds'>): Bounds {
  return (name) => known.bounds.get(name) ?? size;
}

export function worldOf(known: Known): World {
  const bothWays = known.equations.flatMap((d) => [d, scale(d, -1)]);
  return { bounds: boundsOf(known), inequalities: [...known.inequalities, ...bothWays] };
}

/** Rewrites a dim over free variables as a fraction over source variables; the numerator is `overflow` beyond 2^53. */
export function toFraction(d: Dim, meaning: ReadonlyMap<string, Fraction>): Fraction {
  if (!mentions(d, meaning)) return { numerator: d, denominator: 1 };
  const whole = replaceAtoms(d, (atom) => {
    if (atom.kind === 'variable') return undefined;
    if (atom.kind === 'floor') {
      const { numerator, denominator } = toFraction(atom.of, meaning);
      return floorDiv(numerator, exact(denominator * atom.by));
    }
    return extremum(
      atom.kind,
      atom.of.map((of) => toSource(of, meaning)),
    );
  });
  const parts = whole.terms.map(({ coefficient, monomial }) => {
    let denominator = 1;
    let numerator = constant(coefficient);
    for (const factor of monomial.factors) {
      const fraction = factor.atom.kind === 'variable' ? meaning.get(factor.atom.name) : undefined;
      numerator = mul(
        numerator,
        fraction ? power(fraction.numerator, factor.power) : fromMonomial(monomialOf([factor])),
      );
      if (fraction) denominator = exact(denominator * fraction.denominator ** factor.power);
    }
    return { numerator, denominator };
  });
  const denominator = parts.reduce((d, part) => lcm(d, part.denominator), 1);
  const numerator = sum(parts.map((part) => scale(part.numerator, denominator / part.denominator)));
  if (isOverflow(numerator) || Number.isNaN(denominator)) return { numerator: overflow, denominator: 1 };
  const common = numerator.terms.reduce((g, t) => gcd(g, t.coefficient), denominator);
  const reduced = collect(numerator.terms.map((t) => ({ coefficient: t.coefficient / common, monomial: t.monomial })));
  return { numerator: reduced, denominator: denominator / common };
}

/**
 * Rewrites a dim over free variables as a dim over source variables: floor(p/k), where k divides p exactly. The
 * constant of p is rounded up to a multiple of k, which leaves the value unchanged.
 */
export function toSource(d: Dim, meaning: ReadonlyMap<string, Fraction>): Dim {
  const { numerator, denominator } = toFraction(d, meaning);
  if (denominator === 1 || asConstant(numerator) !== undefined) return floorDiv(numerator, denominator);
  const whole = Math.ceil(constantTerm(numerator) / denominator) * denominator;
  return floorDiv(addConstant(collect(symbolicTerms(numerator)), whole), denominator);
}
