import { parse } from '../../grammar/parse.ts';
import type { Expr } from '../../grammar/tree.ts';

/** Sizes by the names of dims. */
export type Sizes = ReadonlyMap<string, number>;

/** Whether a dim is a name alone, whose size can be read from an axis. */
export function isDimName(text: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(text);
}

/**
 * Computes a dim as manifests write it, which is an expression of crob, such as `2*ceil(H/2) + 1`. Returns undefined if a
 * dim in it has no size. Throws an Error for any other text.
 */
export function dimValue(text: string, sizes: Sizes): number | undefined {
  const fail = (): never => {
    throw new Error(`\`${text}\` is no dim`);
  };
  // Most are one number or name.
  if (/^\d+$/.test(text)) return Number(text);
  if (isDimName(text)) return sizes.get(text);
  const prefix = 'fn dim() = ';
  const { tree, faults } = parse('', prefix + text);
  const [decl] = tree.declarations;
  const body = decl?.kind === 'fn' && tree.declarations.length === 1 ? decl.body : undefined;
  if (faults.length > 0 || body?.value === undefined || body.statements.length > 0) return fail();
  const value = computed(body.value, {
    name: ({ span }) => sizes.get(text.slice(span.start - prefix.length, span.end - prefix.length)) ?? Number.NaN,
    fail,
  });
  // Not -0, which a remainder of a negative number may be.
  return Number.isNaN(value) ? undefined : value + 0;
}

interface Names {
  /** The size of a dim; NaN if it has none. */
  name(expr: Expr): number;
  fail(): never;
}

function computed(expr: Expr, names: Names): number {
  switch (expr.kind) {
    case 'int':
      return expr.value;
    case 'name':
    case 'member':
    case 'index':
      return names.name(expr);
    case 'unary':
      return expr.op === '-' ? -computed(expr.operand, names) : names.fail();
    case 'binary':
      return binary(expr.op, computed(expr.left, names), computed(expr.right, names)) ?? names.fail();
    case 'call': {
      const values = expr.args.map((arg) => computed(arg.value, names));
      const callee = expr.callee.kind === 'name' ? expr.callee.name : '';
      return called(callee, values) ?? names.fail();
    }
    default:
      return names.fail();
  }
}

function binary(op: string, a: number, b: number): number | undefined {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '^':
      return a ** b;
    // Euclidean, as in crob: never negative.
    case '%':
      return ((a % b) + b) % b;
    default:
      return undefined;
  }
}

function called(name: string, values: readonly number[]): number | undefined {
  const [first] = values;
  if (first === undefined) return undefined;
  switch (name) {
    case 'floor':
      return values.length === 1 ? Math.floor(first) : undefined;
    case 'ceil':
      return values.length === 1 ? Math.ceil(first) : undefined;
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    default:
      return undefined;
  }
}
