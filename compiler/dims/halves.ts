import { extremum } from './extremum.ts';
import { type Atom, addConstant, constantTerm, type Dim, type FloorAtom, isOverflow, sub } from './polynomial.ts';
import { floorDiv } from './quotient.ts';
import { replaceAtoms } from './substitute.ts';

/**
 * Returns d without floors whose constant is at least half of an even divisor, by Hermite's identity
 * floor(p/(2k)) + floor((p + k)/(2k)) = floor(p/k): ceil(H/2) becomes H - floor(H/2). `floorDiv` keeps both forms,
 * since sizes with products of ceilings would otherwise be long and hard to bound. Returns d itself if nothing is
 * replaced.
 */
export function withoutUpperHalves(d: Dim): Dim {
  return isOverflow(d) ? d : replaceAtoms(d, replacement);
}

function replacement(atom: Atom): Dim | undefined {
  if (atom.kind === 'variable') return undefined;
  if (atom.kind === 'floor') {
    const of = withoutUpperHalves(atom.of);
    if (of === atom.of) return lowered(atom);
    return withoutOuterHalves(floorDiv(of, atom.by));
  }
  const of = atom.of.map(withoutUpperHalves);
  return of.every((one, i) => one === atom.of[i]) ? undefined : extremum(atom.kind, of);
}

/** Like `withoutUpperHalves`, for a dim whose floors have dividends without upper halves. */
function withoutOuterHalves(d: Dim): Dim {
  return isOverflow(d) ? d : replaceAtoms(d, (atom) => (atom.kind === 'floor' ? lowered(atom) : undefined));
}

/** Each step halves the divisor or merges a nest of floors, so that the steps end. */
function lowered({ of, by }: FloorAtom): Dim | undefined {
  const half = by / 2;
  if (by % 2 !== 0 || constantTerm(of) < half) return undefined;
  const lower = addConstant(of, -half);
  return sub(withoutOuterHalves(floorDiv(lower, half)), floorDiv(lower, by));
}
