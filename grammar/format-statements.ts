import { ExpressionFormatter, isComplete } from './format-expressions.ts';
import type { Entry } from './format-lists.ts';
import type { Layout } from './layout.ts';
import type { Block, Expr, IfStatement, ItemName, Statement } from './tree.ts';

export abstract class StatementFormatter extends ExpressionFormatter {
  protected block(block: Block): Layout {
    const entries = block.statements.map((statement) => this.#entry(statement));
    const { value } = block;
    if (value) entries.push({ start: value.span.start, end: value.span.end, layout: () => this.#value(value) });
    return this.body(entries, block.span.end - 1, !this.trivia.breaksBetween(block.span.start, block.span.end));
  }

  /** The value of a block, in parentheses if it starts with an `if` that would be parsed as a statement. */
  #value(value: Expr): Layout {
    let first = value;
    for (let next: Expr | undefined = value; next; next = leftmost(next)) first = next;
    const misread = first.kind === 'if' && (first !== value || !isComplete(first));
    return misread ? ['(', this.expr(value), ')'] : this.expr(value);
  }

  #entry(statement: Statement): Entry {
    const { start, end } = statement.span;
    return {
      start,
      end,
      docs: statement.kind === 'let' || statement.kind === 'let-items' ? statement.docs : [],
      layout: () => this.#statement(statement),
    };
  }

  #statement(statement: Statement): Layout {
    switch (statement.kind) {
      case 'let':
        return ['let ', statement.name.name, ' = ', this.expr(statement.value)];
      case 'let-items':
        return this.letItems(statement.names, statement.value);
      case 'assign':
        return [this.expr(statement.target), ` ${statement.op} `, this.expr(statement.value)];
      case 'update':
        return [statement.target.name, ' <- ', this.expr(statement.value)];
      case 'return':
        return ['return ', this.expr(statement.value)];
      case 'if-statement':
        return this.#if(statement);
      case 'for': {
        const head = this.forClause(statement.clause);
        return [head, ' ', this.#statements(statement.body, statement.clause.iterable.span.end)];
      }
    }
  }

  protected letItems(names: readonly ItemName[], value: Expr): Layout {
    const entries = names.map(
      ({ item, name }): Entry => ({
        start: item.span.start,
        end: name.span.end,
        layout: () => (item === name || item.name === name.name ? name.name : `${item.name} = ${name.name}`),
      }),
    );
    // The closing parenthesis is before `=`.
    const last = names[names.length - 1];
    return [
      'let ',
      this.list('(', entries, ')', last ? this.trivia.solid(last.name.span.end) : 0),
      ' = ',
      this.expr(value),
    ];
  }

  #if(statement: IfStatement): Layout {
    const { condition, then, otherwise } = statement;
    let end = condition.span.end;
    return this.ifElse(
      condition,
      () => {
        end = this.#closing(then, end);
        return this.#statements(then, condition.span.end);
      },
      otherwise &&
        (() => {
          const [only] = otherwise;
          if (otherwise.length === 1 && only?.kind === 'if-statement') return this.#if(only);
          // `else` follows the `}`.
          return this.#statements(otherwise, this.trivia.solid(end + 1) + 'else'.length);
        }),
    );
  }

  /** Statements in braces; `from` is an offset before the opening one. */
  #statements(statements: readonly Statement[], from: number): Layout {
    const end = this.#closing(statements, from);
    return this.body(
      statements.map((statement) => this.#entry(statement)),
      end,
      this.trivia.inline(from, end),
    );
  }

  #closing(statements: readonly Statement[], from: number): number {
    const last = statements[statements.length - 1];
    return last ? this.trivia.solid(last.span.end) : this.trivia.solid(this.trivia.solid(from) + 1);
  }
}

function leftmost(expr: Expr): Expr | undefined {
  switch (expr.kind) {
    case 'binary':
      return expr.left;
    case 'call':
      return expr.callee;
    case 'member':
    case 'index':
      return expr.object;
    case 'cast':
      return expr.operand;
    default:
      return undefined;
  }
}
