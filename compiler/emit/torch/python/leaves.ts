import type { Py, PyArg, PyOperator } from './tree.ts';

/** A token of a logical line, with what a formatter needs in order to break the line. */
export interface Leaf {
  readonly text: string;
  /** Whether a space precedes it on one line. */
  readonly space: boolean;
  readonly bracket?: 'open' | 'close';
  /** An opening bracket of a list, tuple or dict, and not of a call or an index. */
  readonly display?: true;
  /** A bracket that is written only where a line is broken inside it. */
  readonly hidden?: true;
  /** A line can be broken before this leaf (after it, if it is a comma), with this priority. */
  readonly delimiter?: number;
}

/** The priorities of delimiters: a line is broken at those of the highest priority at its depth. */
export const priority = { comma: 18, ternary: 16, logic: 14, comparison: 10, dot: 1 } as const;
const comprehension = 20;

const operators: Readonly<Record<PyOperator, { readonly binds: number; readonly delimiter: number }>> = {
  or: { binds: 2, delimiter: priority.logic },
  and: { binds: 3, delimiter: priority.logic },
  '==': { binds: 5, delimiter: priority.comparison },
  '!=': { binds: 5, delimiter: priority.comparison },
  '<': { binds: 5, delimiter: priority.comparison },
  '<=': { binds: 5, delimiter: priority.comparison },
  '>': { binds: 5, delimiter: priority.comparison },
  '>=': { binds: 5, delimiter: priority.comparison },
  is: { binds: 5, delimiter: priority.comparison },
  'is not': { binds: 5, delimiter: priority.comparison },
  '|': { binds: 6, delimiter: 9 },
  '&': { binds: 7, delimiter: 7 },
  '+': { binds: 8, delimiter: 5 },
  '-': { binds: 8, delimiter: 5 },
  '*': { binds: 9, delimiter: 4 },
  '/': { binds: 9, delimiter: 4 },
  '//': { binds: 9, delimiter: 4 },
  '%': { binds: 9, delimiter: 4 },
  '**': { binds: 11, delimiter: 2 },
};
const unaryBinds = 10;
const primary = 12;

/** How tightly an expression binds: an operand that binds less tightly than its operator needs brackets. */
function binds(py: Py): number {
  switch (py.kind) {
    case 'binary':
      return operators[py.op].binds;
    case 'unary':
      return py.op === 'not' ? 4 : unaryBinds;
    case 'conditional':
      return 1;
    case 'starred':
    case 'slice':
      return 0;
    default:
      return primary;
  }
}

/** Returns the tokens of an expression. */
export function leavesOf(py: Py): readonly Leaf[] {
  const out: Leaf[] = [];
  write(out, py, false);
  return out;
}

/** The text of tokens on one line; those of `shown` are written although they are hidden. */
export function textOf(leaves: readonly Leaf[], shown: ReadonlySet<Leaf> = none): string {
  return leaves
    .map((leaf, i) => {
      const text = leaf.hidden && !shown.has(leaf) ? '' : leaf.text;
      return leaf.space && i > 0 ? ` ${text}` : text;
    })
    .join('');
}

const none: ReadonlySet<Leaf> = new Set();

/** The text of an expression on one line. */
export function oneLine(py: Py): string {
  return textOf(leavesOf(py));
}

function write(out: Leaf[], py: Py, space: boolean): void {
  const put = (text: string, after = false, more: Partial<Leaf> = {}) => out.push({ text, space: after, ...more });
  switch (py.kind) {
    case 'atom':
      put(py.text, space);
      break;
    case 'attribute': {
      operand(out, py.of, primary, space);
      chained(out, py);
      break;
    }
    case 'call':
      operand(out, py.callee, primary, space);
      put('(', false, { bracket: 'open' });
      argumentsOf(out, py.args);
      put(')', false, { bracket: 'close' });
      break;
    case 'subscript':
      operand(out, py.of, primary, space);
      put('[', false, { bracket: 'open' });
      separated(out, py.items);
      put(']', false, { bracket: 'close' });
      break;
    case 'slice': {
      const complex = [py.start, py.stop].some((one) => one && !isSimple(one));
      if (py.start) write(out, py.start, space);
      put(':', (complex && py.start !== undefined) || (space && !py.start));
      if (py.stop) write(out, py.stop, complex);
      break;
    }
    case 'list':
      put('[', space, { bracket: 'open', display: true });
      separated(out, py.items);
      put(']', false, { bracket: 'close' });
      break;
    case 'tuple':
      put('(', space, { bracket: 'open', display: true });
      separated(out, py.items);
      if (py.items.length === 1) put(',');
      put(')', false, { bracket: 'close' });
      break;
    case 'unary':
      put(py.op, space);
      // The formatter black puts brackets around a power behind a sign.
      operand(out, py.operand, py.op === 'not' ? 4 : isPower(py.operand) ? primary : unaryBinds, py.op === 'not');
      break;
    case 'binary': {
      const { binds: own, delimiter } = operators[py.op];
      const compares = own === operators['=='].binds;
      const power = py.op === '**';
      operand(out, py.left, power || compares ? own + 1 : own, space);
      const hugs = power && isSimplePower(py.left) && isSimplePower(py.right);
      put(py.op, !hugs, { delimiter });
      operand(out, py.right, power ? unaryBinds : own + 1, !hugs);
      break;
    }
    case 'conditional': {
      // Hidden brackets around it, unless it stands behind a bracket.
      const bare = out.at(-1)?.text === '(';
      if (!bare) put('(', space, { bracket: 'open', hidden: true });
      operand(out, py.then, 2, bare && space);
      put('if', true, { delimiter: priority.ternary });
      operand(out, py.test, 2, true);
      put('else', true, { delimiter: priority.ternary });
      operand(out, py.otherwise, 1, true);
      if (!bare) put(')', false, { bracket: 'close', hidden: true });
      break;
    }
    case 'comprehension':
      put('[', space, { bracket: 'open', display: true });
      operand(out, py.element, 1, false);
      for (const { target, iterable } of py.clauses) {
        put('for', true, { delimiter: comprehension });
        put(target, true);
        put('in', true);
        operand(out, iterable, 2, true);
      }
      if (py.condition) {
        put('if', true, { delimiter: comprehension });
        operand(out, py.condition, 2, true);
      }
      put(']', false, { bracket: 'close' });
      break;
    case 'dict':
      put('{', space, { bracket: 'open', display: true });
      separated(out, py.items);
      put('}', false, { bracket: 'close' });
      break;
    case 'pair':
      write(out, py.key, space);
      put(':');
      write(out, py.value, true);
      break;
    case 'starred':
      put('*', space);
      operand(out, py.operand, 6, false);
      break;
  }
}

/** `.name`: a line can be broken before it behind a bracket. */
function chained(out: Leaf[], { name }: Extract<Py, { kind: 'attribute' }>): void {
  const delimiter = out.at(-1)?.bracket === 'close' ? priority.dot : undefined;
  out.push(
    delimiter === undefined ? { text: `.${name}`, space: false } : { text: `.${name}`, space: false, delimiter },
  );
}

function operand(out: Leaf[], py: Py, least: number, space: boolean): void {
  if (binds(py) >= least) {
    write(out, py, space);
    return;
  }
  out.push({ text: '(', space, bracket: 'open', display: true });
  write(out, py, false);
  out.push({ text: ')', space: false, bracket: 'close' });
}

/** Tokens in brackets that are written only where the line is broken inside them. */
export function inHiddenBrackets(leaves: readonly Leaf[], space: boolean): readonly Leaf[] {
  return [
    { text: '(', space, bracket: 'open', hidden: true, display: true },
    ...leaves,
    { text: ')', space: false, bracket: 'close', hidden: true },
  ];
}

function separated(out: Leaf[], items: readonly Py[]): void {
  for (const [i, item] of items.entries()) {
    if (i > 0) out.push({ text: ',', space: false, delimiter: priority.comma });
    write(out, item, i > 0);
  }
}

function argumentsOf(out: Leaf[], args: readonly PyArg[]): void {
  for (const [i, { name, value }] of args.entries()) {
    if (i > 0) out.push({ text: ',', space: false, delimiter: priority.comma });
    if (name === undefined) write(out, value, i > 0);
    else {
      out.push({ text: `${name}=`, space: i > 0 });
      write(out, value, false);
    }
  }
}

function isSimple(py: Py): boolean {
  return py.kind === 'atom' || (py.kind === 'unary' && py.operand.kind === 'atom');
}

function isPower(py: Py): boolean {
  return py.kind === 'binary' && py.op === '**';
}

/** Whether `**` stands between its operands without spaces: for names, numbers and dotted names. */
function isSimplePower(py: Py): boolean {
  if (py.kind === 'atom') return true;
  if (py.kind === 'unary') return py.op === '-' && py.operand.kind === 'atom' && /^[\d.]/.test(py.operand.text);
  return py.kind === 'attribute' && isSimplePower(py.of);
}
