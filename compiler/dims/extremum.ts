import { add, asConstant, collect, type Dim, fromAtom, isOverflow, overflow, soleAtom, sub } from './polynomial.ts';

export function min(a: Dim, b: Dim): Dim {
  return extremum('min', [a, b]);
}

export function max(a: Dim, b: Dim): Dim {
  return extremum('max', [a, b]);
}

/**
 * Returns the minimum or maximum of `dims` in canonical form: nested extrema are flattened, arguments that differ by
 * a constant are resolved, and common terms are moved out.
 */
export function extremum(kind: 'min' | 'max', dims: readonly Dim[]): Dim {
  if (dims.some(isOverflow)) return overflow;
  const candidates = dims.flatMap((d) => flattened(kind, d));
  const kept: Dim[] = [];
  for (const d of candidates) {
    const near = kept.findIndex((other) => asConstant(sub(d, other)) !== undefined);
    if (near < 0) kept.push(d);
    else if (asConstant(sub(d, kept[near]!))! < 0 === (kind === 'min')) kept[near] = d;
  }
  if (kept.length === 1) return kept[0]!;
  const [first, ...others] = kept;
  const shared = collect(
    first!.terms.filter((t) =>
      others.every((d) => d.terms.some((u) => u.coefficient === t.coefficient && u.monomial.key === t.monomial.key)),
    ),
  );
  const of = kept.map((d) => sub(d, shared)).sort((a, b) => degreeOf(b) - degreeOf(a) || (a.key < b.key ? -1 : 1));
  const degree = degreeOf(of[0]!);
  return add(shared, fromAtom({ kind, key: `${kind}(${of.map((d) => d.key).join(',')})`, degree, of }));
}

/** Splits p + min(a, b) into p + a and p + b, recursively. */
function flattened(kind: 'min' | 'max', d: Dim): readonly Dim[] {
  for (const term of d.terms) {
    const atom = soleAtom(term.monomial);
    if (atom?.kind !== kind || term.coefficient !== 1) continue;
    const rest = sub(d, fromAtom(atom));
    return atom.of.flatMap((of) => flattened(kind, add(rest, of)));
  }
  return [d];
}

function degreeOf(d: Dim): number {
  return d.terms[0]?.monomial.degree ?? 0;
}
