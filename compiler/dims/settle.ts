import { type Clause, clauseVariables, holdsAt, showClause } from './clause.ts';
import { exact, gcd, lcm } from './integers.ts';
import {
  add,
  asVariable,
  collect,
  constant,
  type Dim,
  divideMonomials,
  monomialOf,
  negate,
  scale,
  soleAtom,
  sub,
  variable,
  variables,
} from './polynomial.ts';

/** The largest modulus of which all remainders are tried, and the largest bound that is searched for. */
const manyRemainders = 64;
const largestBound = 4096;

/** The maximum number of candidate conditions that are tried. */
const attempts = 40;

/** The methods of `Facts` that are needed to test whether a condition settles a target. */
interface Assumptions {
  isContradictory(): boolean;
  assume(clause: Clause): Assumptions;
  decide(clause: Clause): { readonly answer: 'proved' | 'unknown' } | Refuted | undefined;
  proves(clause: Clause): boolean;
  example(names: Iterable<string>): ReadonlyMap<string, number> | undefined;
  normalize(dim: Dim): Dim;
  interval(dim: Dim): { readonly lo: number; readonly hi: number };
}

interface Refuted {
  readonly answer: 'refuted';
  readonly witness: ReadonlyMap<string, number>;
}

/**
 * Returns the first condition of a fixed list of likely ones that the facts allow and under which `target` is
 * proved: divisibility that makes its floors exact, the simplified equation or inequality itself, or a bound of one
 * variable.
 */
export function settlingClauses(facts: Assumptions, target: Clause): readonly Clause[] | undefined {
  if (facts.isContradictory()) return undefined;
  // A candidate that a known counterexample satisfies is rejected without a proof attempt.
  const counterexamples: ReadonlyMap<string, number>[] = [];
  const isExcluded = (clauses: readonly Clause[]) =>
    counterexamples.some((at) =>
      clauses.every(
        (c) => [...clauseVariables(c)].every((name) => at.has(name)) && holdsAt(c, (name) => at.get(name)!),
      ),
    );
  let left = attempts;
  for (const clauses of candidates(facts, target)) {
    if (isExcluded(clauses)) continue;
    const under = clauses.reduce((f, c) => f.assume(c), facts);
    // What is known anyway, or known not to hold, is no attempt.
    if (under.isContradictory() || clauses.every((c) => facts.proves(c))) continue;
    if (left-- === 0) return undefined;
    const answer = under.decide(target);
    if (answer?.answer === 'refuted') counterexamples.push(answer.witness);
    else if (answer?.answer === 'proved' && under.example(new Set(clauses.flatMap((c) => [...clauseVariables(c)]))))
      return clauses;
  }
  return undefined;
}

function* candidates(facts: Assumptions, target: Clause): Generator<readonly Clause[]> {
  if (target.kind === 'mod') {
    yield* remainders(new Map([...variables(target.value)].map((name) => [name, target.modulus])));
    yield* remainders(divisors(target.value, target.modulus));
    yield [target];
    return;
  }
  const { left, right } = target;
  if (target.kind === 'eq') {
    const found = new Map<string, number>();
    for (const d of [left, right])
      for (const [name, k] of divisors(d, 1)) found.set(name, lcm(found.get(name) ?? 1, k));
    yield* remainders(found);
    yield* equations(facts, left, right);
    return;
  }
  const p = facts.normalize(sub(right, target.kind === 'lt' ? add(left, constant(1)) : left));
  yield* bounds(facts, target, p);
  // Without floors, the inequality itself is the weakest sufficient condition, and easy to read.
  if (isExact(facts, p)) yield [inequality(p)];
  yield* box(facts, target, p);
  yield [inequality(p)];
}

/** For each variable, computes a modulus: if it divides the variable, all floors around the variable become exact. */
function divisors(d: Dim, times: number, found = new Map<string, number>()): Map<string, number> {
  for (const { coefficient, monomial } of d.terms) {
    const rest = times / gcd(coefficient, times);
    for (const { atom } of monomial.factors) {
      if (atom.kind === 'variable') found.set(atom.name, lcm(found.get(atom.name) ?? 1, rest));
      else if (atom.kind === 'floor') divisors(atom.of, exact(atom.by * rest), found);
      else for (const of of atom.of) divisors(of, rest, found);
    }
  }
  return found;
}

/** The maximum number of variables that are constrained together, and of sets of moduli that are considered. */
const mostTogether = 3;
const mostModuli = 4096;

/**
 * Yields divisibility conditions, weakest first, that is, those that the largest share of sizes meets. Among equally
 * weak ones, conditions with the same modulus for each variable come first, the smallest modulus first, as most
 * images are square: for H*W/196, `H % 14 == 0, W % 14 == 0` rather than `H % 196 == 0`. Other remainders of a
 * single variable come last.
 */
function* remainders(moduli: ReadonlyMap<string, number>): Generator<readonly Clause[]> {
  const split = [...moduli].filter(([, k]) => k > 1);
  const congruent = (name: string, modulus: number, remainder: number): Clause => ({
    kind: 'mod',
    value: variable(name),
    modulus,
    remainder,
  });
  for (const choice of multiples(split)) yield choice.map(([name, m]) => congruent(name, m, 0));
  if (split.length > mostTogether) yield split.map(([name, k]) => congruent(name, k, 0));
  for (const [name, k] of split) {
    for (const m of divisorsOf(k)) if (m <= manyRemainders) for (let r = 1; r < m; r++) yield [congruent(name, m, r)];
  }
}

type Moduli = readonly (readonly [name: string, modulus: number])[];

function multiples(split: Moduli): readonly Moduli[] {
  let choices: Moduli[] = [[]];
  for (const [name, k] of split) {
    const divisors = divisorsOf(k);
    for (const before of choices.filter((c) => c.length < mostTogether))
      if (choices.length + divisors.length <= mostModuli)
        choices.push(...divisors.map((m): Moduli => [...before, [name, m]]));
  }
  choices = choices.filter((c) => c.length > 0);
  const share = (c: Moduli) => c.reduce((product, [, m]) => product * m, 1);
  const uneven = (c: Moduli) => (c.every(([, m]) => m === c[0]![1]) ? 0 : 1);
  const largest = (c: Moduli) => Math.max(...c.map(([, m]) => m));
  return choices.sort((a, b) => share(a) - share(b) || uneven(a) - uneven(b) || largest(a) - largest(b));
}

/** The divisors of k greater than 1, in ascending order. */
function divisorsOf(k: number): number[] {
  const found: number[] = [];
  for (let m = 2; m <= Math.min(k, largestBound); m++) if (k % m === 0) found.push(m);
  if (k > largestBound) found.push(k);
  return found;
}

function* equations(facts: Assumptions, left: Dim, right: Dim): Generator<readonly Clause[]> {
  const simple = (a: Dim, b: Dim): Clause => ({ kind: 'eq', left: a, right: b });
  const p = facts.normalize(sub(left, right));
  for (const [a, b] of [
    [left, right],
    [right, left],
  ] as const) {
    const name = asVariable(a);
    if (name !== undefined && !variables(b).has(name) && b.terms.length <= 2) yield [simple(a, b)];
  }
  const q = primitive(p);
  const solved: Clause[] = [];
  for (const term of q.terms) {
    const { coefficient, monomial } = term;
    const atom = soleAtom(monomial);
    if (!atom || Math.abs(coefficient) !== 1) continue;
    // floor(x/k) == n holds where x is k*n: `H == 480` for H/32 == 15.
    const name = atom.kind === 'floor' ? asVariable(atom.of) : atom.kind === 'variable' ? atom.name : undefined;
    const by = atom.kind === 'floor' ? atom.by : 1;
    const others = sub(q, collect([term]));
    if (name !== undefined && !variables(others).has(name))
      solved.push(simple(variable(name), scale(others, -coefficient * by)));
  }
  solved.sort((a, b) => weight(a) - weight(b));
  for (const clause of solved) yield [clause];
  const sides = apart(q);
  yield [simple(sides.positive, sides.negative)];
}

/** Sort key: short clauses first, and all clauses without subtraction before the others. */
function weight(c: Clause): number {
  const text = showClause(c);
  return text.length + (text.includes('- ') || text.includes('-') ? 100 : 0);
}

function inequality(p: Dim): Clause {
  const { positive, negative } = apart(primitive(p));
  return { kind: 'le', left: negative, right: positive };
}

function apart(p: Dim): { positive: Dim; negative: Dim } {
  return {
    positive: collect(p.terms.filter((t) => t.coefficient > 0)),
    negative: negate(collect(p.terms.filter((t) => t.coefficient < 0))),
  };
}

/** Divides p by the factors that all its terms share. */
function primitive(p: Dim): Dim {
  const [first, ...others] = p.terms;
  if (!first || others.length === 0) return p;
  const common = p.terms.reduce((g, t) => gcd(g, t.coefficient), 0);
  const shared = first.monomial.factors.filter(
    ({ atom, power }) =>
      atom.kind === 'variable' &&
      others.every((t) => (t.monomial.factors.find((f) => f.atom.key === atom.key)?.power ?? 0) >= power),
  );
  const by = monomialOf(shared);
  return collect(
    p.terms.map((t) => ({ coefficient: t.coefficient / common, monomial: divideMonomials(t.monomial, by)! })),
  );
}

/** Yields the smallest lower bound, or else the largest upper bound, of p's only variable that gives p >= 0. */
function* bounds(facts: Assumptions, target: Clause, p: Dim): Generator<readonly Clause[]> {
  const [name, ...others] = variables(p);
  if (name === undefined || others.length > 0) return;
  const x = variable(name);
  const below = (n: number): Clause => ({ kind: 'le', left: x, right: constant(n) });
  const above = (n: number): Clause => ({ kind: 'le', left: constant(n), right: x });
  const { lo, hi } = facts.interval(x);
  const from = edge(facts, target, (n) => [above(n)], Math.max(1, lo), Math.min(hi, largestBound));
  if (from !== undefined) yield [above(from)];
  const to = edge(facts, target, (n) => [below(-n)], -Math.min(hi, largestBound), -Math.max(1, lo));
  if (to !== undefined) yield [below(-to)];
}

function isPolynomial(p: Dim): boolean {
  return p.terms.every((t) => t.monomial.factors.every((f) => f.atom.kind === 'variable'));
}

/**
 * Yields lower bounds, of one variable of p or of each: bounds such that none can be lowered without raising
 * another.
 */
function* box(facts: Assumptions, target: Clause, p: Dim): Generator<readonly Clause[]> {
  const names = [...variables(p)];
  if (names.length < 2 || names.length > mostTogether) return;
  const above = (name: string, n: number): Clause => ({ kind: 'le', left: constant(n), right: variable(name) });
  const all = (n: number): readonly Clause[] => names.map((name) => above(name, n));
  for (const name of names) {
    const own = edge(facts, target, (n) => [above(name, n)], 1, largestBound);
    if (own !== undefined) yield [above(name, own)];
  }
  const equal = edge(facts, target, all, 1, largestBound);
  if (equal === undefined) return;
  const least = new Map(names.map((name) => [name, equal]));
  for (const name of names) {
    const others = names.filter((other) => other !== name).map((other) => above(other, least.get(other)!));
    const own = edge(facts, target, (n) => [...others, above(name, n)], 1, equal);
    if (own !== undefined) least.set(name, own);
  }
  yield [...least].flatMap(([name, n]) => (facts.interval(variable(name)).lo >= n ? [] : [above(name, n)]));
}

/**
 * Returns the smallest n in [lo, hi] for which clauses(n) settles the target, assuming that larger n also settle it.
 */
function edge(
  facts: Assumptions,
  target: Clause,
  clauses: (n: number) => readonly Clause[],
  lo: number,
  hi: number,
): number | undefined {
  const settles = (n: number) =>
    clauses(n)
      .reduce((f, c) => f.assume(c), facts)
      .proves(target);
  if (lo > hi || !settles(hi)) return undefined;
  let [least, most] = [lo, hi];
  while (least < most) {
    const middle = Math.floor((least + most) / 2);
    if (settles(middle)) most = middle;
    else least = middle + 1;
  }
  return least;
}

/**
 * Whether every floor in a dim divides a known multiple, such as `H/32` under `H % 32 == 0`; it then prints as a
 * quotient.
 */
function isExact(facts: Assumptions, d: Dim): boolean {
  return d.terms.every(({ monomial }) =>
    monomial.factors.every(
      ({ atom }) =>
        atom.kind === 'variable' ||
        (atom.kind === 'floor' &&
          isPolynomial(atom.of) &&
          facts.proves({ kind: 'mod', value: atom.of, modulus: atom.by, remainder: 0 })),
    ),
  );
}
