/** Python as data: expressions and statements, as far as generated modules need them. */

export type Py =
  /** A name, a number, a string or a dotted name. */
  | { readonly kind: 'atom'; readonly text: string }
  | { readonly kind: 'call'; readonly callee: Py; readonly args: readonly PyArg[] }
  | { readonly kind: 'attribute'; readonly of: Py; readonly name: string }
  | { readonly kind: 'subscript'; readonly of: Py; readonly items: readonly Py[] }
  | { readonly kind: 'slice'; readonly start: Py | undefined; readonly stop: Py | undefined }
  | { readonly kind: 'binary'; readonly op: PyOperator; readonly left: Py; readonly right: Py }
  | { readonly kind: 'unary'; readonly op: '-' | '~' | 'not'; readonly operand: Py }
  | { readonly kind: 'list'; readonly items: readonly Py[] }
  | { readonly kind: 'tuple'; readonly items: readonly Py[] }
  | { readonly kind: 'conditional'; readonly test: Py; readonly then: Py; readonly otherwise: Py }
  | {
      readonly kind: 'comprehension';
      readonly element: Py;
      readonly clauses: readonly { readonly target: string; readonly iterable: Py }[];
      readonly condition: Py | undefined;
    }
  | { readonly kind: 'starred'; readonly operand: Py }
  | { readonly kind: 'dict'; readonly items: readonly Py[] }
  /** `key: value` in a dict. */
  | { readonly kind: 'pair'; readonly key: Py; readonly value: Py };

export interface PyArg {
  readonly name: string | undefined;
  readonly value: Py;
}

export type PyOperator =
  | 'or'
  | 'and'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'is'
  | 'is not'
  | '|'
  | '&'
  | '+'
  | '-'
  | '*'
  | '/'
  | '//'
  | '%'
  | '**';

export interface PyParam {
  readonly name: string;
  readonly type: string;
  readonly value: Py | undefined;
}

export type PyStatement =
  | {
      readonly kind: 'assign';
      readonly target: string;
      /** Called when the module is complete: a later statement may need the annotation. */
      readonly annotation: () => string | undefined;
      readonly value: Py;
      readonly comment: string | undefined;
    }
  | { readonly kind: 'expression'; readonly value: Py }
  | { readonly kind: 'return'; readonly value: Py; readonly comment: string | undefined }
  | { readonly kind: 'raise'; readonly error: Py }
  | { readonly kind: 'comment'; readonly text: string }
  /** Lines of Python, as they are. */
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | { readonly kind: 'docstring'; readonly lines: readonly string[] }
  | { readonly kind: 'field'; readonly name: string; readonly type: string }
  | {
      readonly kind: 'if';
      readonly test: Py;
      readonly then: readonly PyStatement[];
      readonly otherwise: readonly PyStatement[];
    }
  | { readonly kind: 'for'; readonly target: string; readonly iterable: Py; readonly body: readonly PyStatement[] }
  | {
      readonly kind: 'def';
      readonly name: string;
      readonly params: readonly PyParam[];
      readonly self: boolean;
      /** The number of parameters before those that are passed by name only. */
      readonly keywordOnly: number | undefined;
      readonly result: string;
      readonly body: readonly PyStatement[];
    }
  | {
      readonly kind: 'class';
      readonly name: string;
      readonly bases: readonly string[];
      readonly body: readonly PyStatement[];
    };

export const atom = (text: string): Py => ({ kind: 'atom', text });
export const number = (n: number): Py =>
  n < 0 ? { kind: 'unary', op: '-', operand: atom(String(-n)) } : atom(String(n));
export const attribute = (of: Py, name: string): Py => ({ kind: 'attribute', of, name });
export const list = (items: readonly Py[]): Py => ({ kind: 'list', items });
export const tuple = (items: readonly Py[]): Py => ({ kind: 'tuple', items });
export const subscript = (of: Py, ...items: readonly Py[]): Py => ({ kind: 'subscript', of, items });
export const binary = (op: PyOperator, left: Py, right: Py): Py => ({ kind: 'binary', op, left, right });
export const negative = (operand: Py): Py => ({ kind: 'unary', op: '-', operand });

/** A call; arguments with a name are those of `named` that are not undefined. */
export function call(
  callee: Py | string,
  args: readonly Py[],
  named: Readonly<Record<string, Py | undefined>> = {},
): Py {
  const keywords = Object.entries(named).flatMap(([name, value]) => (value ? [{ name, value }] : []));
  return {
    kind: 'call',
    callee: typeof callee === 'string' ? atom(callee) : callee,
    args: [...args.map((value) => ({ name: undefined, value })), ...keywords],
  };
}

/** `of.name(args)`. */
export function method(
  of: Py,
  name: string,
  args: readonly Py[],
  named: Readonly<Record<string, Py | undefined>> = {},
): Py {
  return call(attribute(of, name), args, named);
}

/** A string literal, with double quotes unless it contains some. */
export function stringLiteral(text: string): Py {
  const escaped = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\t/g, '\\t');
  if (!escaped.includes('"')) return atom(`"${escaped}"`);
  return atom(escaped.includes("'") ? `"${escaped.replace(/"/g, '\\"')}"` : `'${escaped}'`);
}

export function assign(target: string, value: Py, comment?: string): PyStatement {
  return { kind: 'assign', target, annotation: () => undefined, value, comment };
}

/** A float as Python and its formatters write it. */
export function floatText(value: number): string {
  const text = String(value);
  return /[.e]/.test(text) ? text.replace('e+', 'e') : `${text}.0`;
}
