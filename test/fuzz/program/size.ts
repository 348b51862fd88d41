/** A size as this test sees it: a polynomial over names and floors, with an algebra of its own. */
export interface Size {
  /** Their sum; sorted, no two with the same factors, none with the number 0. */
  readonly terms: readonly Term[];
}

interface Term {
  readonly by: number;
  readonly of: readonly Factor[];
}

export type Factor = string | { readonly floor: Size; readonly by: number };

export const size = (n: number): Size => ({ terms: n === 0 ? [] : [{ by: n, of: [] }] });
export const named = (name: string): Size => ({ terms: [{ by: 1, of: [name] }] });
export const one = size(1);

export function plus(...sizes: readonly Size[]): Size {
  return collected(sizes.flatMap(({ terms }) => terms));
}

export function times(...sizes: readonly Size[]): Size {
  const product = (a: Size, b: Size): Size =>
    collected(a.terms.flatMap((x) => b.terms.map((y) => ({ by: x.by * y.by, of: [...x.of, ...y.of] }))));
  return sizes.reduce(product, one);
}

export const minus = (a: Size, b: Size): Size => plus(a, times(size(-1), b));

/** The whole part of `a / k`, for a positive number `k`. */
export function floored(a: Size, k: number): Size {
  if (a.terms.every(({ by }) => by % k === 0)) return { terms: a.terms.map(({ by, of }) => ({ by: by / k, of })) };
  const n = asNumber(a);
  return n === undefined ? { terms: [{ by: 1, of: [{ floor: a, by: k }] }] } : size(Math.floor(n / k));
}

function collected(terms: readonly Term[]): Size {
  const found = new Map<string, Term>();
  for (const { by, of } of terms) {
    const factors = [...of].sort((a, b) => (factorText(a) < factorText(b) ? -1 : 1));
    const key = factors.map(factorText).join('*');
    found.set(key, { by: by + (found.get(key)?.by ?? 0), of: factors });
  }
  const kept = [...found]
    .filter(([, { by }]) => by !== 0)
    .sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1));
  return { terms: kept.map(([, term]) => term) };
}

export const sameSize = (a: Size, b: Size): boolean => sizeText(a) === sizeText(b);
export const sameShape = (a: readonly Size[], b: readonly Size[]): boolean =>
  a.length === b.length && a.every((one, i) => sameSize(one, b[i]!));

/** The number that a size without names is. */
export function asNumber({ terms }: Size): number | undefined {
  if (terms.some(({ of }) => of.length > 0)) return undefined;
  return terms[0]?.by ?? 0;
}

/** As a source has it. */
export function sizeText({ terms }: Size): string {
  if (terms.length === 0) return '0';
  return terms
    .map(({ by, of }, i) => {
      const factors = [...(Math.abs(by) === 1 && of.length > 0 ? [] : [String(Math.abs(by))]), ...of.map(factorText)];
      const sign = by < 0 ? '-' : i === 0 ? '' : '+';
      return `${i === 0 ? sign : ` ${sign} `}${factors.join('*')}`;
    })
    .join('');
}

function factorText(factor: Factor): string {
  return typeof factor === 'string' ? factor : `floor((${sizeText(factor.floor)})/${factor.by})`;
}

export function sizeAt({ terms }: Size, of: (name: string) => number): number {
  const value = (factor: Factor): number =>
    typeof factor === 'string' ? of(factor) : Math.floor(sizeAt(factor.floor, of) / factor.by);
  return terms.reduce((sum, term) => sum + term.of.reduce((product, factor) => product * value(factor), term.by), 0);
}

/** The size with other sizes in the place of names. */
export function withSizes({ terms }: Size, of: (name: string) => Size): Size {
  const value = (factor: Factor): Size =>
    typeof factor === 'string' ? of(factor) : floored(withSizes(factor.floor, of), factor.by);
  return plus(...terms.map((term) => times(size(term.by), ...term.of.map(value))));
}

export function namesIn({ terms }: Size): readonly string[] {
  return terms.flatMap(({ of }) =>
    of.flatMap((factor) => (typeof factor === 'string' ? [factor] : namesIn(factor.floor))),
  );
}
