import { asConstant, asVariable, type Dim, fold, print } from '../../dims/dim.ts';
import type { ClientGuard } from './info.ts';

interface Expression {
  readonly text: string;
  /** The operator precedence of the text: a sum, a product, or anything that needs no parentheses. */
  readonly level: 'sum' | 'product' | 'unit';
}

/** Returns a property access: after a dot, or in brackets if the name is not an identifier. */
export function member(object: string, name: string): string {
  return isIdentifier(name) ? `${object}.${name}` : `${object}[${quoted(name)}]`;
}

export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n')}'`;
}

/** Returns a dim as a TypeScript expression over the members of `dims`. */
export function expression(dim: Dim): string {
  return written(dim).text;
}

function written(dim: Dim): Expression {
  return fold<Expression>(dim, {
    constant: (n) => ({ text: String(n), level: 'unit' }),
    variable: (name) => ({ text: member('dims', name), level: 'unit' }),
    add: (items) => ({
      text: items
        .map(({ text }) => text)
        .reduce((a, b) => (b.startsWith('-') ? `${a} - ${b.slice(1)}` : `${a} + ${b}`)),
      level: 'sum',
    }),
    mul: (items) => ({ text: items.map((item) => within(item, 'product')).join(' * '), level: 'product' }),
    floorDiv: (a, k) => ({ text: `Math.floor(${within(a, 'product')} / ${k})`, level: 'unit' }),
    min: (a, b) => ({ text: `Math.min(${a.text}, ${b.text})`, level: 'unit' }),
    max: (a, b) => ({ text: `Math.max(${a.text}, ${b.text})`, level: 'unit' }),
  });
}

function within({ text, level }: Expression, outer: 'product'): string {
  return level === 'sum' && outer === 'product' ? `(${text})` : text;
}

/** Returns the condition that holds if the guard does, and the template string of the message if it does not. */
export function guardCheck({ left, relation, right, remainder = 0 }: ClientGuard): {
  readonly condition: string;
  readonly message: string;
} {
  const [a, b] = [within(written(left), 'product'), within(written(right), 'product')];
  // The subject of `1 <= H` is H.
  const turned = asConstant(left) !== undefined;
  switch (relation) {
    case '%': {
      // Remainders are Euclidean, also for a negative number.
      const rest = remainder === 0 ? `${a} % ${b}` : `((${a} % ${b}) + ${b}) % ${b}`;
      const more = remainder === 0 ? '' : `${remainder} more than `;
      return { condition: `${rest} === ${remainder}`, message: message(left, `${more}a multiple of ${term(right)}`) };
    }
    case '==':
      return { condition: `${a} === ${b}`, message: turned ? message(right, term(left)) : message(left, term(right)) };
    case '<=':
      return {
        condition: `${a} <= ${b}`,
        message: turned ? message(right, `at least ${term(left)}`) : message(left, `at most ${term(right)}`),
      };
    case '<':
      return {
        condition: `${a} < ${b}`,
        message: turned ? message(right, `more than ${term(left)}`) : message(left, `less than ${term(right)}`),
      };
  }
}

function message(subject: Dim, wanted: string): string {
  return `\`${inTemplate(print(subject))} is \${${expression(subject)}}: must be ${wanted}\``;
}

/** Returns a dim for a template string: its text, and its value unless it is a number. */
function term(dim: Dim): string {
  if (asConstant(dim) !== undefined) return print(dim);
  return `${inTemplate(print(dim))}, which is \${${expression(dim)}}`;
}

function inTemplate(text: string): string {
  return text.replace(/[\\`$]/g, '\\$&');
}

/** Returns the input axes whose size is exactly the variable. */
export function bareAxes(name: string, inputs: readonly { readonly name: string; readonly dims: readonly Dim[] }[]) {
  return inputs.flatMap((input) => {
    const axis = input.dims.findIndex((dim) => asVariable(dim) === name);
    return axis < 0 ? [] : [{ input: input.name, axis }];
  });
}
