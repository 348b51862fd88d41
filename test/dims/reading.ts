import type { Dim } from '../../compiler/dims/dim.ts';
import * as dims from '../../compiler/dims/dim.ts';

/** Reads a printed dim back, as crob reads it: `*`, `/` and `%` of one precedence and to the left, minus tighter. */
export function read(text: string): Dim {
  const tokens = text.match(/[A-Za-z_][\w]*(\[\d+\])?|\d+|[-+*/%^(),]/g) ?? [];
  let i = 0;
  const take = (token: string) => {
    if (tokens[i] !== token) throw new Error(`${token} expected at ${i} of ${text}`);
    i++;
  };
  const number = (d: Dim) => {
    const n = dims.asConstant(d);
    if (n === undefined) throw new Error(`a number expected in ${text}`);
    return n;
  };
  const sum = (): Dim => {
    let left = term();
    while (tokens[i] === '+' || tokens[i] === '-')
      left = tokens[i++] === '+' ? dims.add(left, term()) : dims.sub(left, term());
    return left;
  };
  const term = (divide = dims.floorDiv): Dim => {
    let left = unary();
    for (;;) {
      const op = tokens[i];
      if (op !== '*' && op !== '/' && op !== '%') return left;
      i++;
      const right = unary();
      left =
        op === '*' ? dims.mul(left, right) : op === '/' ? divide(left, number(right)) : dims.mod(left, number(right));
    }
  };
  const unary = (): Dim => {
    if (tokens[i] !== '-') return power();
    i++;
    return dims.negate(unary());
  };
  const power = (): Dim => {
    const base = atom();
    if (tokens[i] !== '^') return base;
    i++;
    return dims.power(base, number(atom()));
  };
  const atom = (): Dim => {
    const token = tokens[i++];
    if (token === undefined) throw new Error(`${text} ends early`);
    if (/^\d/.test(token)) return dims.constant(Number(token));
    if (token === '(' || token === 'floor' || token === 'ceil') {
      if (token !== '(') take('(');
      const inside = token === 'ceil' ? term(dims.ceilDiv) : sum();
      take(')');
      return inside;
    }
    if (token === 'min' || token === 'max') {
      take('(');
      const a = sum();
      take(',');
      const b = sum();
      take(')');
      return token === 'min' ? dims.min(a, b) : dims.max(a, b);
    }
    return dims.variable(token);
  };
  const d = sum();
  if (i !== tokens.length) throw new Error(`${text} goes on after ${i} tokens`);
  return d;
}
