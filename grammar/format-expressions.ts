import { type Entry, ListFormatter } from './format-lists.ts';
import { fill, group, hardline, indent, type Layout, line, softline, suffix } from './layout.ts';
import { writeString } from './strings.ts';
import type { Arg, BinaryExpr, BinaryOp, Block, Expr, ForClause, IndexItem, ShapeItem, Type } from './tree.ts';

const binding: Readonly<Record<BinaryOp, number>> = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
  '^': 8,
};
const comparison = 3;
const cast = 4;
const sum = 5;
const product = 6;
const unary = 7;
const postfix = 9;
const atom = 10;

function strength(expr: Expr): number {
  if (expr.kind === 'binary') return binding[expr.op];
  if (expr.kind === 'cast') return cast;
  if (expr.kind === 'unary') return unary;
  if (expr.kind === 'range') return 0;
  return atom;
}

/**
 * Formats expressions and types. With `tight` (in shapes, indices and exponents) sums of simple terms have no
 * spaces.
 */
export abstract class ExpressionFormatter extends ListFormatter {
  /** A block in braces, on one line if its span is. */
  protected abstract block(block: Block): Layout;

  /** An expression, in parentheses if it binds less strongly than `least`. */
  protected expr(expr: Expr, least = 0, tight = false): Layout {
    const layout = this.#bare(expr, tight);
    return strength(expr) < least ? ['(', layout, ')'] : layout;
  }

  #bare(expr: Expr, tight: boolean): Layout {
    switch (expr.kind) {
      case 'int':
        return String(expr.value);
      case 'float':
      case 'factor':
        return expr.text;
      case 'string':
        return writeString(expr.value);
      case 'bool':
        return String(expr.value);
      case 'none':
        return 'none';
      case 'name':
        return expr.name;
      case 'list':
        return this.#list(expr.items, expr.round === true, expr.span.end - 1, tight);
      case 'comprehension':
        return this.#comprehension(expr.element, expr.clauses, expr.condition);
      case 'tuple':
        return this.list(
          '(',
          expr.items.map(({ name, value }) => this.#argument({ name, value })),
          ')',
          expr.span.end - 1,
        );
      case 'call':
        return [this.expr(expr.callee, postfix, tight), this.args(expr.args, expr.span.end - 1, tight)];
      case 'member':
        return [this.expr(expr.object, postfix, tight), '.', expr.name.name];
      case 'index':
        return [
          this.expr(expr.object, postfix, tight),
          this.list(
            '[',
            expr.items.map((item) => this.#index(item)),
            ']',
            expr.span.end - 1,
          ),
        ];
      case 'unary':
        return [expr.op, this.expr(expr.operand, unary, tight)];
      case 'binary':
        return this.#binary(expr, tight);
      case 'range':
        return [this.expr(expr.start, 1, true), '..', this.expr(expr.stop, 1, true)];
      case 'if':
        return this.ifElse(
          expr.condition,
          () => this.block(expr.then),
          () => this.#otherwise(expr.otherwise),
        );
      case 'cast':
        return [this.expr(expr.operand, cast, tight), ' as ', this.type(expr.type)];
      case 'tensor': {
        const indices = expr.indices.map(
          ({ name, extent }): Entry => ({
            start: name.span.start,
            end: extent.span.end,
            layout: () => [name.name, ' in ', this.expr(extent, 0, true)],
          }),
        );
        const last = expr.indices[expr.indices.length - 1];
        const end = last ? this.trivia.solid(last.extent.span.end) : expr.dtype.span.end;
        return ['tensor ', expr.dtype.name, this.list('[', indices, ']', end), ' ', this.block(expr.body)];
      }
    }
  }

  protected ifElse(condition: Expr, then: () => Layout, otherwise: (() => Layout) | undefined): Layout {
    const head: Layout = ['if ', this.expr(condition), ' ', then()];
    return otherwise ? [head, ' else ', otherwise()] : head;
  }

  #otherwise(block: Block): Layout {
    if (block.statements.length === 0 && block.value?.kind === 'if' && isComplete(block.value))
      return this.expr(block.value);
    return this.block(block);
  }

  #list(items: readonly Expr[], round: boolean, end: number, tight: boolean): Layout {
    const open = round ? '(' : '[';
    const close = round ? ')' : ']';
    // Long lists of numbers fill each line.
    if (
      items.length > 8 &&
      !this.trivia.pending(end) &&
      items.every((item) => item.kind === 'int' || item.kind === 'float')
    ) {
      const parts = items.flatMap((item, i): Layout[] => (i === 0 ? [this.expr(item)] : [line, this.expr(item)]));
      const commas = parts.map((part, i): Layout => (i % 2 === 0 && i < parts.length - 1 ? [part, ','] : part));
      return group(open, indent([softline, fill(commas)]), softline, close);
    }
    const entries = items.map((item) => this.entry(item, tight));
    if (!round || items.length !== 1) return this.list(open, entries, close, end);
    return ['(', this.expr(items[0]!), ',)'];
  }

  protected entry(expr: Expr, tight = false): Entry {
    return { start: expr.span.start, end: expr.span.end, layout: () => this.expr(expr, 0, tight) };
  }

  #argument(arg: Arg, tight = false): Entry {
    const { name, value } = arg;
    const layout = () => (name ? [name.name, ' = ', this.expr(value, 0, tight)] : this.expr(value, 0, tight));
    return { start: (name ?? value).span.start, end: value.span.end, layout };
  }

  protected args(args: readonly Arg[], end: number, tight = false): Layout {
    const [only] = args;
    const hugs =
      only && args.length === 1 && !only.name && (only.value.kind === 'list' || only.value.kind === 'comprehension');
    if (hugs && !this.trivia.pending(only.value.span.start)) {
      const layout = this.expr(only.value);
      if (!this.trivia.pending(end)) return ['(', layout, ')'];
      return this.list(
        '(',
        [{ start: only.value.span.start, end: only.value.span.end, layout: () => layout }],
        ')',
        end,
      );
    }
    return this.list(
      '(',
      args.map((arg) => this.#argument(arg, tight)),
      ')',
      end,
    );
  }

  #index(item: IndexItem): Entry {
    const layout = (): Layout => {
      if (item.kind === 'all') return ':';
      if (item.kind === 'any') return '*';
      if (item.kind === 'at') return this.expr(item.value, 0, true);
      const start = item.start ? this.expr(item.start, 1, true) : [];
      return [start, '..', item.stop ? this.expr(item.stop, 1, true) : []];
    };
    return { start: item.span.start, end: item.span.end, layout };
  }

  #comprehension(element: Expr, clauses: readonly ForClause[], condition: Expr | undefined): Layout {
    const parts: Layout[] = [softline, this.expr(element)];
    for (const clause of clauses) parts.push(line, this.forClause(clause));
    if (condition) parts.push(line, 'if ', this.expr(condition));
    return group('[', indent(parts), softline, ']');
  }

  protected forClause({ index, item, iterable }: ForClause): Layout {
    return ['for ', index ? `${index.name}, ` : '', item.name, ' in ', this.expr(iterable)];
  }

  #binary(expr: BinaryExpr, tight: boolean): Layout {
    const level = binding[expr.op];
    if (expr.op === '^') return [this.expr(expr.left, postfix, true), '^', this.expr(expr.right, unary, true)];
    // A left-associative chain of one precedence level is one group; comparisons don't chain.
    const steps: BinaryExpr[] = [];
    let first: Expr = expr;
    while (first.kind === 'binary' && (steps.length === 0 || flattens(first, steps[0]!))) {
      steps.unshift(first);
      first = first.left;
    }
    const mixed = first.kind === 'binary' && binding[first.op] === level;
    // A comment inside the parentheses that end the expression is printed after it, so it is not checked here.
    const close =
      isTight(steps, first, level, tight) && !this.trivia.pending(steps[steps.length - 1]!.right.span.start);
    const head = mixed ? ['(', this.expr(first, 0, tight), ')'] : this.expr(first, level, tight);
    if (close) return [head, steps.map((step) => [step.op, this.expr(step.right, level + 1, tight)])];
    const rest = steps.map((step): Layout => {
      const comments = this.trivia.before(step.right.span.start);
      const trailing = comments[0] && !comments[0].ownLine ? comments[0] : undefined;
      const above = (trailing ? comments.slice(1) : comments).map((comment) => [comment.text, hardline]);
      return [
        ' ',
        step.op,
        trailing ? suffix(trailing.text) : [],
        line,
        above,
        this.expr(step.right, level + 1, tight),
      ];
    });
    return group(head, indent(rest));
  }

  protected type(type: Type): Layout {
    switch (type.kind) {
      case 'tensor-type': {
        const question = type.optional ? '?' : '';
        return [
          type.dtype.name,
          this.list(
            '[',
            type.shape.map((item) => this.#dim(item)),
            ']',
            type.span.end - 1,
          ),
          question,
        ];
      }
      case 'named-type':
        return [
          type.name.name,
          type.length ? ['[', this.expr(type.length, 0, true), ']'] : [],
          type.optional ? '?' : '',
        ];
      case 'list-type':
        return ['list[', this.type(type.element), ']', type.optional ? '?' : ''];
      case 'pyramid-type': {
        const clause: Layout = ['for ', type.index.name, ' in ', this.expr(type.iterable)];
        const list = group('[', indent([softline, this.type(type.element), line, clause]), softline, ']');
        return [list, type.optional ? '?' : ''];
      }
      case 'sequence-type':
        return [
          this.list(
            '[',
            type.items.map((item) => this.#typeEntry(item)),
            ']',
            type.span.end - (type.optional ? 2 : 1),
          ),
          type.optional ? '?' : '',
        ];
      case 'choice-type': {
        const bars = type.choices.map(
          ({ value }, i): Layout => (i === 0 ? writeString(value) : [' |', line, writeString(value)]),
        );
        return [group(indent(bars)), type.optional ? '?' : ''];
      }
      case 'alias-type':
        return [
          type.name.name,
          this.args(type.args, type.span.end - (type.optional ? 2 : 1)),
          type.optional ? '?' : '',
        ];
      case 'tuple-type': {
        const items = type.items.map(
          ({ name, type: of }): Entry => ({
            start: name.span.start,
            end: of.span.end,
            layout: () => [name.name, ': ', this.type(of)],
          }),
        );
        return this.list('(', items, ')', type.span.end - 1);
      }
      case 'typeof-type':
        return `typeof(${type.name.name})`;
    }
  }

  #typeEntry(type: Type): Entry {
    return { start: type.span.start, end: type.span.end, layout: () => this.type(type) };
  }

  #dim(item: ShapeItem): Entry {
    const layout = () => (item.kind === 'spread' ? `...${item.name?.name ?? ''}` : this.expr(item.value, 0, true));
    return { start: item.span.start, end: item.span.end, layout };
  }
}

/** Whether both branches of an `if` end in a value, so that it is an expression even where statements are expected. */
export function isComplete(expr: Expr & { kind: 'if' }): boolean {
  return expr.then.value !== undefined && expr.otherwise.value !== undefined;
}

/**
 * Whether a left operand is printed without parentheses. Comparisons don't chain; `(a/b) * c` keeps its parentheses
 * for readability.
 */
function flattens(left: BinaryExpr, step: BinaryExpr): boolean {
  if (binding[left.op] !== binding[step.op] || binding[step.op] === comparison) return false;
  return left.op === step.op || (left.op !== '/' && left.op !== '%');
}

/**
 * Whether a chain is printed without spaces: products of simple terms (`%` only in shapes), and with `tight` also
 * sums of them.
 */
function isTight(steps: readonly BinaryExpr[], first: Expr, level: number, tight: boolean): boolean {
  if (level === product) {
    return isSimple(first, tight) && steps.every((step) => isSimple(step.right, tight) && (tight || step.op !== '%'));
  }
  if (level !== sum || !tight) return false;
  const term = (expr: Expr) => isSimple(expr, true) || (expr.kind === 'binary' && binding[expr.op] === product);
  return isSimple(first, true) && steps.every((step) => term(step.right));
}

function isSimple(expr: Expr, tight: boolean): boolean {
  switch (expr.kind) {
    case 'int':
    case 'name':
      return true;
    case 'member':
      return isSimple(expr.object, tight);
    case 'index':
      return isSimple(expr.object, tight);
    case 'call':
      return tight;
    case 'binary':
      if (expr.op === '^') return isSimple(expr.left, tight);
      return tight && binding[expr.op] >= sum && isSimple(expr.left, true) && isSimple(expr.right, true);
    default:
      return false;
  }
}
