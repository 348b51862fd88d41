import { extremum } from './extremum.ts';
import { type Known, worldOf } from './known.ts';
import { learn } from './learn.ts';
import type { Dim, ExtremumAtom } from './polynomial.ts';
import { type Budget, nonnegative } from './prove.ts';
import { floorDiv } from './quotient.ts';
import { simplify } from './simplify.ts';
import { replaceAtoms, substitute } from './substitute.ts';

/** The maximum number of extrema that one proof splits into cases. */
const most = 4;

/**
 * Proves a goal by cases: each min or max is replaced by each of its arguments in turn. The dim and the facts of
 * `known` are over free variables.
 */
export function byExtrema(
  d: Dim,
  known: Known,
  budget: Budget,
  prove: (d: Dim, known: Known) => boolean,
  left = most,
): boolean {
  const atom = firstExtremum(d);
  if (!atom) return prove(d, known);
  if (left === 0) return false;
  return atom.of.every((chosen) => {
    let assumed = known;
    for (const other of atom.of) {
      if (other === chosen) continue;
      const [lesser, greater] = atom.kind === 'min' ? [chosen, other] : [other, chosen];
      assumed = learn(assumed, { kind: 'le', left: lesser, right: greater });
    }
    if (assumed.contradictory) return true;
    const resolved = substitute(replaceExtremum(d, atom, chosen), assumed.substitution);
    const world = worldOf(assumed);
    return byExtrema(
      simplify(resolved, world.bounds, (p) => nonnegative(p, world, budget)),
      assumed,
      budget,
      prove,
      left - 1,
    );
  });
}

function firstExtremum(d: Dim): ExtremumAtom | undefined {
  for (const { monomial } of d.terms) {
    for (const { atom } of monomial.factors) {
      if (atom.kind === 'variable') continue;
      const inner = atom.kind === 'floor' ? firstExtremum(atom.of) : atom;
      if (inner) return inner;
    }
  }
  return undefined;
}

function replaceExtremum(d: Dim, target: ExtremumAtom, by: Dim): Dim {
  return replaceAtoms(d, (atom) => {
    if (atom.kind === 'variable') return undefined;
    if (atom.key === target.key) return by;
    if (!atom.key.includes(target.key)) return undefined;
    if (atom.kind === 'floor') return floorDiv(replaceExtremum(atom.of, target, by), atom.by);
    return extremum(
      atom.kind,
      atom.of.map((of) => replaceExtremum(of, target, by)),
    );
  });
}
