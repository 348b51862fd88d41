import type { Clause } from './clause.ts';
import { euclidean, exact, gcd, inverse, symmetric } from './integers.ts';
import { type Interval, intervalOf, size } from './interval.ts';
import { boundsOf, type Fraction, type Known, type Multiple, toFraction, toSource } from './known.ts';
import {
  type Atom,
  add,
  addConstant,
  asConstant,
  asVariable,
  atomVariables,
  collect,
  constant,
  constantTerm,
  type Dim,
  isOverflow,
  negate,
  scale,
  soleAtom,
  sub,
  symbolicTerms,
  variable,
} from './polynomial.ts';
import { tightened, withoutPositiveFactor } from './positive-factor.ts';
import { floorDiv } from './quotient.ts';
import { simplify } from './simplify.ts';
import { substitute } from './substitute.ts';

/** Returns `known` together with `clause`. A clause that takes numbers beyond 2^53 adds nothing. */
export function learn(known: Known, clause: Clause): Known {
  const draft: Draft = {
    substitution: new Map(known.substitution),
    meaning: new Map(known.meaning),
    bounds: new Map(known.bounds),
    inequalities: [...known.inequalities],
    equations: [...known.equations],
    multiples: [...known.multiples],
    contradictory: known.contradictory,
    overflowed: false,
  };
  switch (clause.kind) {
    case 'eq': {
      const preferred = [clause.left, clause.right].flatMap((d) => asVariable(d) ?? []);
      learnZero(draft, sub(clause.left, clause.right), preferred);
      break;
    }
    case 'le':
      learnNonnegative(draft, sub(clause.right, clause.left));
      break;
    case 'lt':
      learnNonnegative(draft, addConstant(sub(clause.right, clause.left), -1));
      break;
    case 'mod':
      learnMultiple(draft, addConstant(clause.value, -clause.remainder), clause.modulus);
      break;
  }
  const { overflowed, ...learnt } = draft;
  return overflowed ? known : learnt;
}

/** A `Known` under construction. */
interface Draft {
  substitution: Map<string, Dim>;
  meaning: Map<string, Fraction>;
  bounds: Map<string, Interval>;
  inequalities: Dim[];
  equations: Dim[];
  multiples: Multiple[];
  contradictory: boolean;
  /** Whether a number exceeded 2^53; the draft is then discarded. */
  overflowed: boolean;
}

/** Whether the draft must be discarded, because d or something before it exceeds 2^53. */
function overflows(draft: Draft, d: Dim): boolean {
  draft.overflowed ||= isOverflow(d);
  return draft.overflowed;
}

function reduce(draft: Draft, d: Dim): Dim {
  return simplify(substitute(d, draft.substitution), boundsOf(draft));
}

/** Adds d == 0. Solves for the `preferred` variables first. */
function learnZero(draft: Draft, d: Dim, preferred: readonly string[] = []): void {
  let p = reduce(draft, d);
  if (overflows(draft, p)) return;
  const known = asConstant(p);
  if (known !== undefined) {
    if (known !== 0) draft.contradictory = true;
    return;
  }
  const common = symbolicTerms(p).reduce((g, t) => gcd(g, t.coefficient), 0);
  if (constantTerm(p) % common !== 0) {
    draft.contradictory = true;
    return;
  }
  p = withoutPositiveFactor(divided(p, common), boundsOf(draft));
  const solvable = linearVariables(p);
  const order = [...preferred, ...solvable.map((s) => s.name).reverse()];
  const rank = (name: string) => order.indexOf(name) + 1 || order.length + 1;
  solvable.sort((a, b) => Math.abs(a.coefficient) - Math.abs(b.coefficient) || rank(a.name) - rank(b.name));
  const [chosen] = solvable;
  if (chosen) {
    const { name, coefficient } = chosen;
    const others = sub(p, scale(variable(name), coefficient));
    if (Math.abs(coefficient) === 1) {
      eliminate(draft, name, coefficient === 1 ? negate(others) : others);
      return;
    }
    // a*x + others == 0: once others is known as a multiple of a, x has coefficient 1.
    const before = draft.substitution.size;
    learnMultiple(draft, others, Math.abs(coefficient));
    if (draft.contradictory) return;
    if (draft.substitution.size > before) {
      learnZero(draft, p, preferred);
      return;
    }
  }
  const floor = splittableFloor(p);
  if (floor) {
    splitFloor(draft, floor);
    learnZero(draft, p, preferred);
    return;
  }
  if (!draft.equations.some((e) => e.key === p.key)) draft.equations.push(p);
}

/** Adds d >= 0. */
function learnNonnegative(draft: Draft, d: Dim): void {
  const p = tightened(reduce(draft, d), boundsOf(draft));
  if (overflows(draft, p)) return;
  const { lo, hi } = intervalOf(p, boundsOf(draft));
  if (lo >= 0) return;
  if (hi < 0) {
    draft.contradictory = true;
    return;
  }
  const symbolic = symbolicTerms(p);
  const [only] = symbolic;
  const atom = symbolic.length === 1 && only ? soleAtom(only.monomial) : undefined;
  const c = constantTerm(p);
  // After division by the common factor, a single coefficient is 1 or -1.
  if (atom?.kind === 'variable') {
    if (only!.coefficient > 0) tighten(draft, atom.name, { lo: -c, hi: Number.POSITIVE_INFINITY });
    else tighten(draft, atom.name, { lo: Number.NEGATIVE_INFINITY, hi: c });
    return;
  }
  if (atom?.kind === 'floor') {
    const { of, by } = atom;
    learnNonnegative(draft, only!.coefficient > 0 ? addConstant(of, c * by) : addConstant(negate(of), c * by + by - 1));
    return;
  }
  if (atom && (atom.kind === 'min') === only!.coefficient > 0) {
    // A lower bound of a minimum is a lower bound of each argument (and dually for a maximum).
    for (const each of atom.of) learnNonnegative(draft, addConstant(scale(each, only!.coefficient), c));
    return;
  }
  const opposite = negate(p).key;
  if (draft.inequalities.some((f) => f.key === opposite)) {
    learnZero(draft, p);
    return;
  }
  if (!draft.inequalities.some((f) => f.key === p.key)) draft.inequalities.push(p);
}

/** Adds that m divides d. */
function learnMultiple(draft: Draft, d: Dim, m: number): void {
  if (m === 1) return;
  const reduced = reduce(draft, d);
  if (overflows(draft, reduced)) return;
  const terms = reduced.terms.map((t) => ({ coefficient: symmetric(t.coefficient, m), monomial: t.monomial }));
  let p = collect(terms.filter((t) => t.coefficient !== 0));
  const common = symbolicTerms(p).reduce((g, t) => gcd(g, t.coefficient), m);
  if (constantTerm(p) % common !== 0) {
    draft.contradictory = true;
    return;
  }
  p = divided(p, common);
  const modulus = m / common;
  if (modulus === 1 || p.terms.length === 0) return;
  const chosen = linearVariables(p)
    .reverse()
    .find((s) => gcd(s.coefficient, modulus) === 1);
  if (chosen) {
    const rest = scale(sub(p, scale(variable(chosen.name), chosen.coefficient)), -inverse(chosen.coefficient, modulus));
    solveMultiple(draft, chosen.name, rest, modulus);
    return;
  }
  const floor = splittableFloor(p);
  if (floor) {
    splitFloor(draft, floor);
    learnMultiple(draft, p, modulus);
    return;
  }
  if (!draft.multiples.some((k) => k.value.key === p.key && k.modulus === modulus)) {
    draft.multiples.push({ value: p, modulus });
  }
}

/** Solves x ≡ rest (mod m): replaces x by m*t + rest with a new variable t. */
function solveMultiple(draft: Draft, x: string, rest: Dim, m: number): void {
  // Coefficients in (-m, 0] keep t = (x - residue) / m bounded from below.
  const terms = symbolicTerms(rest).map((t) => ({ coefficient: -euclidean(-t.coefficient, m), monomial: t.monomial }));
  const residue = addConstant(collect(terms.filter((t) => t.coefficient !== 0)), euclidean(constantTerm(rest), m));
  if (overflows(draft, residue)) return;
  const t = fresh(draft, x);
  const { numerator, denominator } = toFraction(sub(variable(x), residue), draft.meaning);
  const by = exact(denominator * m);
  if (Number.isNaN(by)) draft.overflowed = true;
  if (overflows(draft, numerator)) return;
  draft.meaning.set(t, { numerator, denominator: by });
  const range = boundsOf(draft)(x);
  const at = intervalOf(residue, boundsOf(draft));
  const least = exact(range.lo - at.hi) / m;
  const most = exact(range.hi - at.lo) / m;
  draft.bounds.set(t, {
    lo: Number.isNaN(least) ? Number.NEGATIVE_INFINITY : Math.ceil(least),
    hi: Number.isNaN(most) ? Number.POSITIVE_INFINITY : Math.floor(most),
  });
  eliminate(draft, x, add(scale(variable(t), m), residue));
  const only = draft.bounds.get(t);
  if (only && only.lo > only.hi) draft.contradictory = true;
  else if (only && only.lo === only.hi) eliminate(draft, t, constant(only.lo));
}

/** Finds a floor((x + c) / k) of a single variable in d, with the smallest k. */
function splittableFloor(d: Dim): Extract<Atom, { kind: 'floor' }> | undefined {
  let found: Extract<Atom, { kind: 'floor' }> | undefined;
  for (const { monomial } of d.terms) {
    for (const { atom } of monomial.factors) {
      if (atom.kind !== 'floor' || asVariable(addConstant(atom.of, -constantTerm(atom.of))) === undefined) continue;
      if (!found || atom.by < found.by) found = atom;
    }
  }
  return found;
}

/** Replaces x + c by k*u + e with u = floor((x + c) / k), which turns a clause about the floor into one about u. */
function splitFloor(draft: Draft, { of, by }: Extract<Atom, { kind: 'floor' }>): void {
  const c = constantTerm(of);
  const x = asVariable(addConstant(of, -c))!;
  const range = boundsOf(draft)(x);
  const u = fresh(draft, x);
  const quotient = toSource(floorDiv(of, by), draft.meaning);
  if (overflows(draft, quotient)) return;
  draft.meaning.set(u, { numerator: quotient, denominator: 1 });
  draft.bounds.set(u, { lo: Math.floor((range.lo + c) / by), hi: Math.floor((range.hi + c) / by) });
  const e = fresh(draft, x);
  const remainder = toFraction(sub(of, scale(variable(u), by)), draft.meaning);
  if (overflows(draft, remainder.numerator)) return;
  draft.meaning.set(e, remainder);
  draft.bounds.set(e, { lo: 0, hi: by - 1 });
  eliminate(draft, x, addConstant(add(scale(variable(u), by), variable(e)), -c));
}

/** Replaces x by e everywhere; the bounds of x become inequalities of e. */
function eliminate(draft: Draft, x: string, e: Dim): void {
  if (overflows(draft, e)) return;
  const by = new Map([[x, e]]);
  for (const [name, d] of draft.substitution) {
    const replaced = substitute(d, by);
    if (overflows(draft, replaced)) return;
    draft.substitution.set(name, replaced);
  }
  draft.substitution.set(x, e);
  const { lo, hi } = draft.bounds.get(x) ?? size;
  draft.bounds.delete(x);
  if (Number.isFinite(lo)) learnNonnegative(draft, addConstant(e, -lo));
  if (Number.isFinite(hi)) learnNonnegative(draft, addConstant(negate(e), hi));
  relearn(draft);
}

/** Adds the unsolved clauses again, since a substitution or a tighter bound may let them be solved. */
function relearn(draft: Draft): void {
  const { inequalities, equations, multiples } = draft;
  draft.inequalities = [];
  draft.equations = [];
  draft.multiples = [];
  for (const d of equations) learnZero(draft, d);
  for (const { value, modulus } of multiples) learnMultiple(draft, value, modulus);
  for (const d of inequalities) learnNonnegative(draft, d);
}

function tighten(draft: Draft, name: string, to: Interval): void {
  const now = boundsOf(draft)(name);
  const next = { lo: Math.max(now.lo, to.lo), hi: Math.min(now.hi, to.hi) };
  if (next.lo === now.lo && next.hi === now.hi) return;
  draft.bounds.set(name, next);
  if (next.lo > next.hi) draft.contradictory = true;
  else if (next.lo === next.hi) eliminate(draft, name, constant(next.lo));
  else if (draft.inequalities.length + draft.equations.length > 0) relearn(draft);
}

/** Returns a new variable name that no source can contain, derived from x. */
function fresh(draft: Draft, x: string): string {
  let name = `${x}'`;
  while (draft.meaning.has(name)) name += "'";
  return name;
}

function divided(d: Dim, by: number): Dim {
  return by <= 1 ? d : collect(d.terms.map((t) => ({ coefficient: t.coefficient / by, monomial: t.monomial })));
}

/** The variables that occur exactly once in d, as a term of their own and not inside an atom. */
function linearVariables(d: Dim): { name: string; coefficient: number }[] {
  const uses = new Map<string, number>();
  for (const { monomial } of d.terms) {
    for (const { atom } of monomial.factors) {
      for (const name of atomVariables(atom)) uses.set(name, (uses.get(name) ?? 0) + 1);
    }
  }
  return d.terms.flatMap(({ coefficient, monomial }) => {
    const atom = soleAtom(monomial);
    return atom?.kind === 'variable' && uses.get(atom.name) === 1 ? [{ name: atom.name, coefficient }] : [];
  });
}
