import { extremum } from './extremum.ts';
import { gcd } from './integers.ts';
import { type Bounds, intervalOf, termwise } from './interval.ts';
import { type Atom, addConstant, collect, type Dim, sub } from './polynomial.ts';
import { floorDiv } from './quotient.ts';
import { replaceAtoms } from './substitute.ts';

/** Simplifies floors and extrema that the intervals of their parts determine. */
export function simplify(d: Dim, bounds: Bounds, nonnegative: (d: Dim) => boolean = byInterval(bounds)): Dim {
  if (d.terms.every((t) => t.monomial.factors.every((f) => f.atom.kind === 'variable'))) return d;
  return replaceAtoms(d, (atom) => simplifyAtom(atom, bounds, nonnegative));
}

function byInterval(bounds: Bounds): (d: Dim) => boolean {
  return (d) => intervalOf(d, bounds).lo >= 0;
}

function simplifyAtom(atom: Atom, bounds: Bounds, nonnegative: (d: Dim) => boolean): Dim | undefined {
  if (atom.kind === 'variable') return undefined;
  if (atom.kind === 'floor') {
    const of = simplify(atom.of, bounds, nonnegative);
    return simplifyFloor(of, atom.by, bounds) ?? (of === atom.of ? undefined : floorDiv(of, atom.by));
  }
  const { kind } = atom;
  const of = atom.of.map((d) => simplify(d, bounds, nonnegative));
  const beaten = (d: Dim, by: Dim) => nonnegative(kind === 'min' ? sub(d, by) : sub(by, d));
  let kept = of;
  // One at a time: of two arguments that dominate each other, one must stay.
  for (const d of of) if (kept.some((by) => by !== d && beaten(d, by))) kept = kept.filter((other) => other !== d);
  return kept.length === atom.of.length && kept.every((d, i) => d === atom.of[i]) ? undefined : extremum(kind, kept);
}

/** floor((g*q + e) / k), where g divides k and e stays within one multiple of g: drops e. */
function simplifyFloor(of: Dim, by: number, bounds: Bounds): Dim | undefined {
  const tried = new Set<number>();
  for (const g of [by, ...of.terms.map((t) => gcd(t.coefficient, by))]) {
    if (g === 1 || tried.has(g)) continue;
    tried.add(g);
    const { lo, hi } = termwise(collect(of.terms.filter((t) => t.coefficient % g !== 0)), bounds);
    const quotient = Math.floor(lo / g);
    if (!Number.isFinite(quotient) || quotient !== Math.floor(hi / g)) continue;
    const whole = of.terms.filter((t) => t.coefficient % g === 0);
    const q = collect(whole.map((t) => ({ coefficient: t.coefficient / g, monomial: t.monomial })));
    return floorDiv(addConstant(q, quotient), by / g);
  }
  return undefined;
}
