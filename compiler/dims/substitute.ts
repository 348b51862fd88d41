import { extremum } from './extremum.ts';
import { exact } from './integers.ts';
import {
  type Atom,
  asVariable,
  atomMentions,
  collect,
  type Dim,
  type Factor,
  fromMonomial,
  mentions,
  monomialOf,
  mul,
  type Term,
} from './polynomial.ts';
import { floorDiv } from './quotient.ts';

/** Replaces atoms; an atom stays if `replace` returns undefined. Returns d itself if nothing is replaced. */
export function replaceAtoms(d: Dim, replace: (atom: Atom) => Dim | undefined): Dim {
  let changed = false;
  const terms: Term[] = [];
  for (const term of d.terms) {
    let value: Dim | undefined;
    const kept: Factor[] = [];
    for (const factor of term.monomial.factors) {
      const by = replace(factor.atom);
      if (!by) kept.push(factor);
      else for (let i = 0; i < factor.power; i++) value = value ? mul(value, by) : by;
    }
    if (!value) {
      terms.push(term);
      continue;
    }
    changed = true;
    if (kept.length > 0) value = mul(value, fromMonomial(monomialOf(kept)));
    for (const t of value.terms) {
      terms.push({ coefficient: exact(t.coefficient * term.coefficient), monomial: t.monomial });
    }
  }
  return changed ? collect(terms) : d;
}

/** Replaces all occurrences of variables simultaneously. */
export function substitute(d: Dim, by: ReadonlyMap<string, Dim>): Dim {
  if (by.size === 0 || !mentions(d, by)) return d;
  const name = asVariable(d);
  if (name !== undefined) return by.get(name)!;
  return replaceAtoms(d, (atom) => {
    if (atom.kind === 'variable') return by.get(atom.name);
    if (!atomMentions(atom, by)) return undefined;
    if (atom.kind === 'floor') return floorDiv(substitute(atom.of, by), atom.by);
    return extremum(
      atom.kind,
      atom.of.map((of) => substitute(of, by)),
    );
  });
}
