import { everyCase, everyPoint } from './cases.ts';
import { type Clause, clauseVariables, failsAt, isBeyond, showClause, sidesAt } from './clause.ts';
import { exactQuotient } from './division.ts';
import { byExtrema } from './extrema-split.ts';
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

/** Unknown never means "equal": callers must treat it as a failure that `settledBy` may mend. */
export type Answer =
  | { readonly answer: 'proved' }
  | {
      readonly answer: 'refuted';
      /** Values of the question's own variables; others that the facts tie to them exist too. */
      readonly witness: ReadonlyMap<string, number>;
      /** What the two sides are there; for divisibility, the remainder and the one asked for. */
      readonly left: number;
      readonly right: number;
    }
  | { readonly answer: 'unknown'; readonly settledBy: string | undefined };

const proved: Answer = { answer: 'proved' };
const unknown: Answer = { answer: 'unknown', settledBy: undefined };

/** Cases of an equality, and of an inequality, whose cases take longer each. */
const equalityCases = 4096;
const inequalityCases = 256;
/** Steps of a proof that an inequality holds, at once and in all cases. */
const quickSteps = 100;
const thoroughSteps = 500;
/** Pivots of the linear programs in all cases together. */
const thoroughPivots = 200;
/** Assignments tried before and after the long proofs. */
const firstTries = 64;
const allTries = 3000;

/** What is known of dims: a conjunction of clauses, and what follows. Immutable. */
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

  /** Contradictory facts are fine: everything follows from them. */
  assume(clause: Clause): Facts {
    const simple =
      clause.kind === 'mod' ? { ...clause, remainder: euclidean(clause.remainder, clause.modulus) } : clause;
    // Signatures repeat the same few conditions: one object then holds the proofs for all of them.
    return remembered(this.#extended, clauseKey(simple), () => {
      return new Facts([...this.clauses, simple], learn(this.#known, simple));
    });
  }

  isContradictory(): boolean {
    return this.#known.contradictory;
  }

  /**
   * The normal form under the facts, in the source's variables: equal keys mean equal dims. It is d where it would take
   * numbers beyond 2^53.
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

  /** Whether d leaves `remainder` when divided by k. */
  divides(k: number, d: Dim, remainder = 0): Answer {
    return this.holds({ kind: 'mod', value: d, modulus: k, remainder });
  }

  holds(clause: Clause): Answer {
    if (isPlain(clause)) return proved;
    return remembered(this.#answers, clauseKey(clause), () => (isBeyond(clause) ? unknown : this.#answer(clause)));
  }

  /** The answer, unless it takes a long search for a witness. */
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

  /** Whether `clause` is proved, without looking for a witness. */
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

  /** d is `remainder` plus a multiple of `modulus`; modulus 0: it is the remainder itself. */
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
   * The `q` with `a == b * q`, found over free variables: with 32 dividing H, floor(H*W/64) is (H/8) * (W/8) there, where
   * the source's variables have a floor of a product and a product of floors. Undefined where that is not proved.
   */
  quotient(a: Dim, b: Dim): Dim | undefined {
    const q = exactQuotient(this.#reduce(a), this.#reduce(b));
    const source = q && toSource(q, this.#known.meaning);
    return source && isOverflow(source) ? undefined : source;
  }

  /** For readers: a number, or as given or in normal form, whichever is shorter, and `H/4` where 4 is known to divide H. */
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

  /** Smallest assignment in a small box that satisfies the facts, or undefined. */
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

  /** Over free variables. */
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
    if (clause.kind === 'eq') return p.terms.length === 0;
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

/** A memory is emptied when it grows past this: an editor lives long. */
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

/** Whether it is about numbers and true, as most are. */
function isPlain(clause: Clause): boolean {
  if (clause.kind === 'mod') return false;
  if (clause.kind === 'eq') return clause.left.key === clause.right.key && clause.left !== overflow;
  const left = asConstant(clause.left);
  if (left === undefined) return false;
  const right = asConstant(clause.right);
  return right !== undefined && (clause.kind === 'le' ? left <= right : left < right);
}

/** What is 0, or at least 0, or a multiple, when the clause holds. */
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

/** t where the symbolic terms of a are t times those of b. */
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

/** Clauses in crob syntax that would make a == b (or a <= b, a < b) hold, also where it is refuted without them. */
export function settledBy(facts: Facts, a: Dim, b: Dim, kind: 'eq' | 'le' | 'lt' = 'eq'): string | undefined {
  return settling(facts, { kind, left: a, right: b });
}

/** The same for any clause. */
export function settledClause(facts: Facts, clause: Clause): string | undefined {
  return settling(facts, clause);
}
