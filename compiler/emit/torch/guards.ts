import type { Expr, InterfaceDecl, ModuleDecl } from '../../../grammar/tree.ts';
import { nodesBelow } from '../../../grammar/within.ts';
import type { Py, PyStatement } from './python/tree.ts';

/**
 * Returns the condition on the parameters of a module without which no method reads a weight, such as `affine`;
 * undefined if there is none. Only then, crob's models have the weight.
 */
export function guardOf(
  decl: ModuleDecl | InterfaceDecl,
  weight: string,
  textOf: (expr: Expr) => string,
): Expr | undefined {
  const parameters = new Set(decl.params.map(({ name }) => name.name));
  const isStatic = (condition: Expr) =>
    nodesBelow(condition).every((node) => node.kind !== 'name' || parameters.has(node.name));
  const reads: (readonly Expr[])[] = [];
  const visit = (node: object, guards: readonly Expr[]): void => {
    if ('kind' in node && node.kind === 'name' && 'name' in node && node.name === weight) reads.push(guards);
    if (isBranching(node)) {
      visit(node.condition, guards);
      visit(node.then, [...guards, node.condition]);
      if (node.otherwise) visit(node.otherwise, guards);
      return;
    }
    for (const value of Object.values(node)) if (typeof value === 'object' && value !== null) visit(value, guards);
  };
  for (const member of decl.members) visit(member, []);
  const [first, ...others] = reads;
  return first?.find(
    (guard) => isStatic(guard) && others.every((guards) => guards.some((other) => textOf(other) === textOf(guard))),
  );
}

interface Branching {
  readonly condition: Expr;
  readonly then: object;
  readonly otherwise: object | undefined;
}

function isBranching(node: object): node is Branching {
  return 'kind' in node && (node.kind === 'if' || node.kind === 'if-statement');
}

/** Joins neighbouring statements under the same condition, such as those that register `weight` and `bias`. */
export function joinGuarded(statements: readonly PyStatement[]): readonly PyStatement[] {
  const out: PyStatement[] = [];
  for (const statement of statements) {
    const last = out.at(-1);
    if (statement.kind === 'if' && last?.kind === 'if' && isSame(statement.test, last.test)) {
      const otherwise = [...last.otherwise, ...statement.otherwise];
      out[out.length - 1] = { ...last, then: [...last.then, ...statement.then], otherwise };
    } else out.push(statement);
  }
  return out;
}

function isSame(a: Py, b: Py): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
