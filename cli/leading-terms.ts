/**
 * Cuts a sum to a width, between terms: `2*B*H + 3*B + … 4 terms`, or `2*B*H + …` if the count does not fit. The result
 * starts with the first term that fits.
 */
export function leadingTerms(text: string, width: number): string {
  if (text.length <= width) return text;
  const terms = signedTerms(text);
  const start = terms.findIndex((term) => unsigned(term).length + uncounted.length <= width);
  if (start < 0) return `${text.slice(0, width - 2)} …`;
  for (let end = terms.length; end > start; end--) {
    const kept = terms.slice(start, end);
    const short = unsigned(kept.join('')) + counted(terms.length - kept.length);
    if (short.length <= width) return short;
  }
  return unsigned(terms[start] ?? '') + uncounted;
}

const uncounted = ' + …';

function counted(left: number): string {
  return `${uncounted} ${left} ${left === 1 ? 'term' : 'terms'}`;
}

/** Removes the `+` that joins a term to the previous one. */
function unsigned(term: string): string {
  return term.replace(/^ \+ /, '').replace(/^ - /, '-');
}

/** Splits a sum into terms, each with its sign. Signs inside brackets do not separate terms. */
function signedTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (depth === 0 && i > start && /^ [+-] /.test(text.slice(i, i + 3))) {
      terms.push(text.slice(start, i));
      start = i;
    }
  }
  return [...terms, text.slice(start)];
}
