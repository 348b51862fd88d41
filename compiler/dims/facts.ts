import { everyCase, everyPoint } from './cases.ts';
import { type Clause, clauseVariables, failsAt, isBeyond, showClause, sidesAt } from './clause.ts';
import { exactQuotient } from './division.ts';
import { byExtrema } from './extrema-split.ts';
import { withoutUpperHalves } from './halves.ts';
import { euclidean, gcd } from './integers.ts';
import { type Interval, intervalOf } from './interval.ts';
import { boundsOf, type Known, nothing, toSource, worldOf } from './known.ts';
import { learn } from './learn.ts';
import {
  addConstant,
  asConstant,
  constantTerm,
  type Dim,
  isOverflow,
  one,
  overflow,
  scale,
  sub,
  symbolicTerms,
} from './polynomial.ts';
import { printWith } from './print.ts';
import { type Budget, nonnegative, type World } from './prove.ts';
import { settlingClauses } from './settle.ts';
import { simplify } from './simplify.ts';
import { substitute } from './substitute.ts';
import { type Assignment, search } from './witness.ts';

export { type Clause, showClause } from './clause.ts';

/**
 * The answer to a question about dims. `unknown` never means "equal": callers must treat it as a failure, which the
 * condition `settledBy` may resolve.
 */
export type Answer =
  | { readonly answer: 'proved' }
  | {
      readonly answer: 'refuted';
      /** Values of the variables in the question; the facts can be satisfied with them. */
      readonly witness: ReadonlyMap<string, number>;
      /** The values of both sides at the witness; for divisibility, the actual and the required remainder. */
      readonly left: number;
      readonly right: number;
    }
  | { readonly answer: 'unknown'; readonly settledBy: string | undefined };

const proved: Answer = { answer: 'proved' };
const unknown: Answer = { answer: 'unknown', settledBy: undefined };

/** The maximum number of cases for an equality, and for an inequality, whose cases each take longer. */
const equalityCases = 4096;
const inequalityCases = 256;
/** The step budgets of a proof of an inequality: of the quick attempt, and of the thorough one, all cases together. */
const quickSteps = 100;
const thoroughSteps = 500;
/** The pivot budget of the linear programs of all cases together. */
const thoroughPivots = 200;
/** The number of assignments tried as witnesses before the thorough proofs, and after them. */
const firstTries = 64;
const allTries = 3000;

/** The known facts about dims: a conjunction of clauses and its consequences. Immutable. */
export class Facts {
  static readonly none: Facts = new Facts([], nothing);

  readonly clauses: readonly Clause[];
  readonly #known: Known;
  readonly #world: World;
  readonly #extended = new Map<string, Facts>();
  readonly #answers = new Map<string, Answer>();
  readonly #shown = new Map<string, string>();
  readonly #reduced = new Map<string, Dim>();
  readonly #normal = new Map<string, Dim>();
  readonly #nonnegative = new Map<string, boolean>();
  readonly #proofs = new Map<string, boolean>();

  private constructor(clauses: readonly Clause[], known: Known) {
    this.clauses = clauses;
    this.#known = known;
    this.#world = worldOf(known);
  }

  /** Returns these facts and `clause`. Facts may be contradictory; everything then follows from them. */
  assume(clause: Clause): Facts {
    const simple =
      clause.kind === 'mod' ? { ...clause, remainder: euclidean(clause.remainder, clause.modulus) } : clause;
    // Cached, since signatures repeat the same few conditions: one shared object then caches the proofs for all of
    // them.
    return remembered(this.#extended, clauseKey(simple), () => {
      return new Facts([...this.clauses, simple], learn(this.#known, simple));
    });
  }

  isContradictory(): boolean {
    return this.#known.contradictory;
  }

  /**
   * Returns the normal form of d under the facts, over source variables: equal keys mean equal dims. If it would
   * take numbers beyond 2^53, returns d.
   */
  normalize(d: Dim): Dim {
    return remembered(this.#normal, d.key, () => {
      const normal = toSource(this.#reduce(d), this.#known.meaning);
      return isOverflow(normal) ? d : normal;
    });
  }

  equal(a: Dim, b: Dim): Answer {
    return a.key === b.key && !isOverflow(a) ? proved : this.holds({ kind: 'eq', left: a, right: b });
  }

  lessEqual(a: Dim, b: Dim): Answer {
    return this.holds({ kind: 'le', left: a, right: b });
  }

  lessThan(a: Dim, b: Dim): Answer {
    return this.holds({ kind: 'lt', left: a, right: b });
  }

  /** Whether d is congruent to `remainder` modulo k. */
  divides(k: number, d: Dim, remainder = 0): Answer {
    return this.holds({ kind: 'mod', value: d, modulus: k, remainder });
  }

  holds(clause: Clause): Answer {
    if (isPlain(clause)) return proved;
    return remembered(this.#answers, clauseKey(clause), () => (isBeyond(clause) ? unknown : this.#answer(clause)));
  }

  /** Returns the answer, or undefined if that takes a long search for a witness. */
  decide(clause: Clause): Answer | undefined {
    if (isBeyond(clause)) return undefined;
    if (this.#quickly(clause)) return proved;
    return this.#refute(clause, firstTries) ?? (this.#thoroughly(clause) ? proved : undefined);
  }

  #answer(clause: Clause): Answer {
    const answer = this.decide(clause) ?? this.#refute(clause, allTries);
    if (answer) return answer;
    const facts = this;
    return {
      answer: 'unknown',
      get settledBy() {
        return settling(facts, clause);
      },
    };
  }

  /** Whether `clause` can be proved; does not look for a witness. */
  proves(clause: Clause): boolean {
    if (isBeyond(clause)) return false;
    return isPlain(clause) || this.#quickly(clause) || this.#thoroughly(clause);
  }

  interval(d: Dim): Interval {
    const p = this.#reduce(d);
    let { lo, hi } = intervalOf(p, boundsOf(this.#known));
    if (isOverflow(p)) return { lo, hi };
    for (const f of this.#world.inequalities) {
      const t = ratio(p, f);
      if (t === undefined) continue;
      const end = constantTerm(p) - t * constantTerm(f);
      if (t > 0) lo = Math.max(lo, end);
      else hi = Math.min(hi, end);
    }
    return { lo, hi };
  }

  /**
   * Returns a known congruence: d is `remainder` plus a multiple of `modulus`. With modulus 0, d equals `remainder`.
   */
  congruence(d: Dim): { modulus: number; remainder: number } {
    const p = this.#reduce(d);
    if (isOverflow(p)) return { modulus: 1, remainder: 0 };
    let modulus = symbolicTerms(p).reduce((g, t) => gcd(g, t.coefficient), 0);
    let remainder = constantTerm(p);
    for (const m of this.#known.multiples) {
      const t = ratio(p, m.value);
      if (t === undefined || Math.abs(t) * m.modulus <= modulus) continue;
      modulus = Math.abs(t) * m.modulus;
      remainder = constantTerm(p) - t * constantTerm(m.value);
    }
    return { modulus, remainder: modulus === 0 ? remainder : euclidean(remainder, modulus) };
  }

  /**
   * Returns the `q` with `a == b * q`, or undefined if none is proved. It is searched over free variables: if 32
   * divides H, floor(H*W/64) becomes (H/8) * (W/8) there, while over source variables one side has a floor of a
   * product and the other a product of floors.
   */
  quotient(a: Dim, b: Dim): Dim | undefined {
    const q = exactQuotient(this.#reduce(a), this.#reduce(b));
    const source = q && toSource(q, this.#known.meaning);
    return source && isOverflow(source) ? undefined : source;
  }

  /**
   * Returns d as text for messages: a constant, or the shorter of d and its normal form, with `H/4` for floors known
   * to be exact.
   */
  show(d: Dim): string {
    return remembered(this.#shown, d.key, () => this.#show(d));
  }

  #show(d: Dim): string {
    const exact = (p: Dim, k: number) => this.#quickly({ kind: 'mod', value: p, modulus: k, remainder: 0 });
    const normal = this.normalize(d);
    const shown = printWith(normal, exact);
    const given = printWith(d, exact);
    return shown.length < given.length || asConstant(normal) !== undefined ? shown : given;
  }

  /** Returns the smallest assignment in a small box that satisfies the facts, or undefined. */
  example(names: Iterable<string>): Assignment | undefined {
    if (this.isContradictory()) return undefined;
    const { clauses } = this;
    return search({
      known: this.#known,
      clauses,
      names: new Set(names),
      hints: [],
      tries: allTries,
      accepts: () => true,
    });
  }

  /** d over free variables, simplified. */
  #reduce(d: Dim): Dim {
    return remembered(this.#reduced, d.key, () => {
      const replaced = substitute(d, this.#known.substitution);
      return simplify(replaced, this.#world.bounds, (p) => this.#isNonnegative(p));
    });
  }

  #isNonnegative(p: Dim): boolean {
    return remembered(this.#nonnegative, p.key, () => nonnegative(p, this.#world, { left: quickSteps, pivots: 0 }));
  }

  #quickly(clause: Clause): boolean {
    if (this.isContradictory()) return true;
    const p = this.#reduce(difference(clause));
    if (clause.kind === 'eq') return p.terms.length === 0 || withoutUpperHalves(p).terms.length === 0;
    if (clause.kind === 'mod') return this.#isMultiple(p, clause.modulus);
    return this.#isNonnegative(p);
  }

  #thoroughly(clause: Clause): boolean {
    const p = this.#reduce(difference(clause));
    if (isOverflow(p)) return false;
    const key = clause.kind === 'mod' ? `${clause.modulus}|${p.key}` : clause.kind === 'eq' ? `=${p.key}` : p.key;
    return remembered(this.#proofs, key, () => {
      const budget = { left: thoroughSteps, pivots: thoroughPivots };
      return byExtrema(p, this.#known, budget, (d, under) => proveByCases(clause, d, worldOf(under), budget));
    });
  }

  #isMultiple(p: Dim, k: number): boolean {
    if (p.terms.every((t) => t.coefficient % k === 0)) return true;
    return this.#known.multiples.some(({ value, modulus }) => {
      // t*value is a multiple of k whenever t*modulus is.
      const step = k / gcd(k, modulus);
      for (let t = step; t < k; t += step) {
        const rest = sub(p, scale(value, t));
        if (rest.terms.every((term) => term.coefficient % k === 0)) return true;
      }
      return false;
    });
  }

  #refute(clause: Clause, tries: number): Answer | undefined {
    const names = clauseVariables(clause);
    if (names.size === 0) {
      const at = () => 1;
      return failsAt(clause, at) ? { answer: 'refuted', witness: new Map(), ...sidesAt(clause, at) } : undefined;
    }
    const hints = [this.#reduce(difference(clause))];
    const witness = search({
      known: this.#known,
      clauses: this.clauses,
      names,
      hints,
      tries,
      accepts: (at) => failsAt(clause, at),
    });
    return witness && { answer: 'refuted', witness, ...sidesAt(clause, (name) => witness.get(name)!) };
  }
}

/** The maximum size of a cache, which is then cleared: an editor process runs for a long time. */
const mostRemembered = 20_000;

function remembered<T>(memory: Map<string, T>, key: string, make: () => T): T {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (memory.size >= mostRemembered) memory.clear();
  memory.set(key, made);
  return made;
}

export function clauseKey(c: Clause): string {
  if (c.kind === 'mod') return `${c.value.key} % ${c.modulus} ${c.remainder}`;
  return `${c.left.key} ${c.kind} ${c.right.key}`;
}

/** Whether the clause is trivially true (equal keys, or constants), as most clauses are. */
function isPlain(clause: Clause): boolean {
  if (clause.kind === 'mod') return false;
  if (clause.kind === 'eq') return clause.left.key === clause.right.key && clause.left !== overflow;
  const left = asConstant(clause.left);
  if (left === undefined) return false;
  const right = asConstant(clause.right);
  return right !== undefined && (clause.kind === 'le' ? left <= right : left < right);
}

/** The dim that is 0, at least 0, or a multiple of the modulus if the clause holds. */
function difference(clause: Clause): Dim {
  switch (clause.kind) {
    case 'eq':
      return sub(clause.left, clause.right);
    case 'le':
      return sub(clause.right, clause.left);
    case 'lt':
      return sub(sub(clause.right, clause.left), one);
    case 'mod':
      return addConstant(clause.value, -clause.remainder);
  }
}

function proveByCases(clause: Clause, p: Dim, world: World, budget: Budget): boolean {
  const isNonnegative = (d: Dim, under: World) => nonnegative(d, under, budget);
  if (clause.kind === 'mod') {
    const { modulus } = clause;
    return (
      everyCase(p, modulus, world, equalityCases, (d) => d.terms.every((t) => t.coefficient % modulus === 0)) ?? false
    );
  }
  if (clause.kind !== 'eq') return everyCase(p, 1, world, inequalityCases, isNonnegative) ?? false;
  const isZero = (d: Dim, { bounds }: World) => d.terms.length === 0 || everyPoint(d, bounds, 64) === true;
  if (everyCase(p, 1, world, equalityCases, isZero)) return true;
  return world.inequalities.length > 0 && isNonnegative(p, world) && isNonnegative(scale(p, -1), world);
}

/** The number t for which the symbolic terms of a are t times those of b, if there is one. */
function ratio(a: Dim, b: Dim): number | undefined {
  const s = symbolicTerms(a);
  const u = symbolicTerms(b);
  if (s.length === 0 || s.length !== u.length) return undefined;
  const t = s[0]!.coefficient / u[0]!.coefficient;
  const same = s.every(
    (term, i) => term.monomial.key === u[i]!.monomial.key && term.coefficient === t * u[i]!.coefficient,
  );
  return same && Number.isInteger(t) ? t : undefined;
}

function settling(facts: Facts, clause: Clause): string | undefined {
  return settlingClauses(facts, clause)
    ?.map((c) => showClause(c))
    .join(', ');
}

/**
 * Returns clauses in crob syntax under which a == b (or a <= b, a < b) would hold, even if it is refuted without
 * them.
 */
export function settledBy(facts: Facts, a: Dim, b: Dim, kind: 'eq' | 'le' | 'lt' = 'eq'): string | undefined {
  return settling(facts, { kind, left: a, right: b });
}

/** Like `settledBy`, for any clause. */
export function settledClause(facts: Facts, clause: Clause): string | undefined {
  return settling(facts, clause);
}
