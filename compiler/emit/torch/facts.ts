import type { Block, CallExpr, Expr, LetStatement } from '../../../grammar/tree.ts';
import { nodesBelow, type TreeNode } from '../../../grammar/within.ts';
import { builtins } from '../../elaborate/eval/builtins/table.ts';
import { isRefused, type PatternResult } from '../../elaborate/patterns/fault.ts';
import { parseArrow, parseEinsum, parseStarred, type Side } from '../../elaborate/patterns/pattern.ts';
import { rankOf } from './builtin-call.ts';
import { given } from './kinds.ts';
import type { Scope } from './scope.ts';

/** What the syntax of a body tells of its expressions, before it is translated. */
export class Facts {
  readonly scope: Scope;
  readonly block: Block;
  readonly #nodes: readonly TreeNode[];

  constructor(scope: Scope, block: Block) {
    this.scope = scope;
    this.block = block;
    this.#nodes = nodesBelow({ statements: block.statements, value: block.value });
  }

  /** How often a name is read or assigned. */
  mentions(name: string): number {
    return this.#nodes.filter((node) => node.kind === 'name' && node.name === name).length;
  }

  /** Whether a name means nothing in the body. */
  isFree(name: string): boolean {
    return this.#declared(name) === 0 && this.mentions(name) === 0 && this.scope.lookup(name) === undefined;
  }

  /** How many statements declare a name. */
  #declared(name: string): number {
    return this.#nodes.filter((node) => {
      if (node.kind === 'let') return node.name.name === name;
      if (node.kind === 'let-items') return node.names.some((one) => one.name.name === name);
      const clauses = node.kind === 'for' ? [node.clause] : node.kind === 'comprehension' ? node.clauses : [];
      if (clauses.some(({ index, item }) => index?.name === name || item.name === name)) return true;
      return node.kind === 'tensor' && node.indices.some((one) => one.name.name === name);
    }).length;
  }

  /** Whether an expression has the same value everywhere behind the place where it stands. */
  isStable(expr: Expr): boolean {
    return nodesBelow(expr).every((node) => node.kind !== 'name' || this.#isFixed(node.name));
  }

  /** Whether an expression has the same value at a statement of the body as behind it. */
  isKnownBefore(expr: Expr, { span }: LetStatement): boolean {
    const names = nodesBelow(expr).flatMap((node) => (node.kind === 'name' ? [node] : []));
    return names.every((one) => {
      const by = this.onlyLet(one);
      return this.#isFixed(one.name) && (by ? by.span.start < span.start : this.#declared(one.name) === 0);
    });
  }

  #isFixed(name: string): boolean {
    const isAssigned = this.#nodes.some(
      (node) =>
        node.kind === 'assign' &&
        nodesBelow(node.target).some((target) => target.kind === 'name' && target.name === name),
    );
    return !isAssigned && this.#declared(name) <= 1;
  }

  /** The statement among those of the body itself that alone declares the name that an expression is. */
  onlyLet(expr: Expr): LetStatement | undefined {
    if (expr.kind !== 'name' || this.#declared(expr.name) !== 1) return undefined;
    const found = this.block.statements.find((one) => one.kind === 'let' && one.name.name === expr.name);
    return found?.kind === 'let' ? found : undefined;
  }

  /** The arguments without names of a call of a built-in function; undefined for other expressions. */
  builtin(expr: Expr, name: string): readonly Expr[] | undefined {
    if (expr.kind !== 'call' || expr.callee.kind !== 'name' || expr.callee.name !== name) return undefined;
    const { scope } = this;
    const isOther = scope.lookup(name) ?? scope.self?.method(name) ?? scope.file.lookup(name);
    if (isOther || !builtins.has(name)) return undefined;
    return expr.args.flatMap((arg) => (arg.name ? [] : [arg.value]));
  }

  /** Whether an expression is a number, and no tensor. */
  isNumber(expr: Expr): boolean {
    switch (expr.kind) {
      case 'int':
      case 'float':
        return true;
      case 'name': {
        const by = this.onlyLet(expr);
        if (by) return this.#isFixed(expr.name) && this.isNumber(by.value);
        if (this.#declared(expr.name) > 0) return false;
        const kind = this.scope.lookup(expr.name)?.kind.kind;
        return kind === 'int' || kind === 'float';
      }
      case 'unary':
        return this.isNumber(expr.operand);
      case 'binary':
        return '+-*/%^'.includes(expr.op) && this.isNumber(expr.left) && this.isNumber(expr.right);
      default:
        return false;
    }
  }

  /** The rank of a tensor, as far as the syntax tells. */
  rank(expr: Expr): number | undefined {
    switch (expr.kind) {
      case 'name':
        return this.#rankOfName(expr);
      case 'index': {
        const whole = this.rank(expr.object);
        return whole === undefined ? undefined : whole - expr.items.filter(({ kind }) => kind === 'at').length;
      }
      case 'binary': {
        if (this.isNumber(expr.right)) return this.rank(expr.left);
        if (this.isNumber(expr.left)) return this.rank(expr.right);
        const ranks = [this.rank(expr.left), this.rank(expr.right)];
        return ranks.includes(undefined) ? undefined : Math.max(...ranks.map((one) => one ?? 0));
      }
      case 'tensor':
        return expr.indices.length;
      case 'call':
        return this.#rankOfCall(expr);
      default:
        return undefined;
    }
  }

  #rankOfName(expr: Extract<Expr, { kind: 'name' }>): number | undefined {
    const by = this.onlyLet(expr);
    if (by) return this.rank(by.value);
    const list = this.block.statements.find(
      (one) => one.kind === 'let-items' && one.names.some(({ name }) => name.name === expr.name),
    );
    const split = list?.kind === 'let-items' && this.builtin(list.value, 'split') ? list.value : undefined;
    if (split?.kind === 'call') return axisCount(patternIn(split, parseStarred));
    if (this.#declared(expr.name) > 0) return undefined;
    const known = this.scope.lookup(expr.name);
    return known && given(known.kind).kind === 'tensor' ? rankOf(known.kind) : undefined;
  }

  #rankOfCall(expr: CallExpr): number | undefined {
    for (const name of ['rearrange', 'repeat', 'sum', 'mean', 'amax'])
      if (this.builtin(expr, name)) return axisCount(patternIn(expr, parseArrow)?.right);
    if (this.builtin(expr, 'einsum')) return axisCount(patternIn(expr, parseEinsum)?.result);
    for (const name of ['softmax', 'relu', 'sigmoid', 'tanh', 'exp', 'sqrt', 'f32']) {
      const [only] = this.builtin(expr, name) ?? [];
      if (only) return this.rank(only);
    }
    const operands = this.builtin(expr, 'matmul')?.map((one) => this.rank(one) ?? 0);
    if (operands?.every((rank) => rank >= 2)) return Math.max(...operands);
    return undefined;
  }
}

/** The pattern of a call, whose place among the arguments differs. */
export function patternIn<T>(expr: CallExpr, parse: (text: string) => PatternResult<T>): T | undefined {
  const literal = expr.args.find(({ value }) => value.kind === 'string')?.value;
  const read = literal?.kind === 'string' ? parse(literal.value) : undefined;
  return read === undefined || isRefused(read) ? undefined : read;
}

function axisCount(side: Side | undefined): number | undefined {
  return side === undefined || side.hasRest ? undefined : side.axes.length;
}
