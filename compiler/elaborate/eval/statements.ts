import type { AssignStatement, Block, Expr, ForStatement, Statement, UpdateStatement } from '../../../grammar/tree.ts';
import * as dims from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import type { Val } from '../context/elaborated.ts';
import { isGraphScope, nested, type Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { dimVal, error } from '../context/values.ts';
import { overItems } from '../report/items.ts';
import { argText, fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { binary } from './arithmetic.ts';
import { declare, record } from './declare.ts';
import { evaluate, truth, withinIntegers } from './evaluate.ts';
import { fitResult } from './fit-result.ts';
import { withoutAssignment } from './in-place.ts';
import { declareItems } from './items.ts';
import { knownInt } from './known-sizes.ts';
import { iterate } from './loops.ts';

export function run(scope: Scope, block: Block): Val | undefined {
  const returned = execute(scope, block.statements);
  if (block.value && block.statements.at(-1)?.kind === 'return') fail(scope, 'CROB2227', block.value.span, {});
  if (returned) return returned;
  if (!block.value) return undefined;
  const value = evaluate(scope, block.value);
  scope.trace.result = block.value.span;
  return value;
}

/** Executes statements in order; returns the value of the first `return` that is reached. */
export function execute(scope: Scope, statements: readonly Statement[]): Val | undefined {
  for (let i = 0; i < statements.length; i++) {
    const statement = statements[i];
    if (!statement) continue;
    const returned = step(scope, statement);
    const next = statements[i + 1];
    if (next && statement.kind === 'return') fail(scope, 'CROB2227', next.span, {});
    if (returned) return returned;
  }
  return undefined;
}

function step(scope: Scope, statement: Statement): Val | undefined {
  switch (statement.kind) {
    case 'let':
      declare(scope, statement.name, evaluate(scope, statement.value));
      return undefined;
    case 'let-items':
      declareItems(scope, statement, evaluate(scope, statement.value));
      return undefined;
    case 'assign':
      assign(scope, statement);
      return undefined;
    case 'update':
      update(scope, statement);
      return undefined;
    case 'if-statement': {
      const holds = truth(scope, evaluate(scope, statement.condition), statement.condition.span);
      if (holds === undefined) return error;
      const chosen = holds ? statement.then : statement.otherwise;
      return chosen ? execute(nested(scope), chosen) : undefined;
    }
    case 'for': {
      const items = iterate(scope, statement.clause);
      return items ? overItems(scope, (inner, next) => loop(inner, statement, items, next)) : error;
    }
    case 'return': {
      const value = evaluate(scope, statement.value);
      scope.trace.result = statement.value.span;
      return value;
    }
  }
}

/** `next` is called before each item. */
function loop(scope: Scope, { clause, body }: ForStatement, items: readonly Val[], next: () => void): Val | undefined {
  for (const [i, item] of items.entries()) {
    next();
    const inner = nested(scope);
    if (clause.index) inner.locals.declare(clause.index.name, dimVal(dims.constant(i)));
    inner.locals.declare(clause.item.name, item);
    const returned = execute(inner, body);
    if (returned) return returned;
  }
  return undefined;
}

function assign(scope: Scope, statement: AssignStatement): void {
  const { target, op, span } = statement;
  let value = evaluate(scope, statement.value);
  if (target.kind === 'index' && target.object.kind === 'name') {
    const held = scope.locals.get(target.object.name);
    if (held?.kind === 'tensor') {
      if (value.kind === 'error') return;
      const help = withoutAssignment(scope, target.object.name, held, target, statement, value);
      fail(scope, 'CROB2123', span, { target: argText(scope, target) }, { help });
      return;
    }
  }
  if (op !== '=') {
    const operator = op === '+=' ? '+' : op === '-=' ? '-' : '*';
    const expr = { kind: 'binary', op: operator, left: target, right: statement.value, span } as const;
    value = withinIntegers(scope, binary(scope, expr, evaluate(scope, target), value), span);
  }
  if (target.kind === 'name') {
    if (!scope.locals.assign(target.name, value)) {
      fail(
        scope,
        'CROB2001',
        target.span,
        { name: target.name },
        {
          help: didYouMean(target.name, scope.locals.names()) ?? `declare it with \`let ${target.name} = …\``,
        },
      );
    } else record(scope, target.name, value, target.span);
    return;
  }
  if (target.kind === 'index' && target.object.kind === 'name') {
    assignItem(scope, target.object.name, target, value);
    return;
  }
  fail(
    scope,
    'CROB2216',
    target.span,
    { op: '=', left: 'this', right: 'a value' },
    { help: 'assign to a local name or to an item of a local list' },
  );
}

function assignItem(scope: Scope, name: string, target: Extract<Expr, { kind: 'index' }>, value: Val): void {
  const held = scope.locals.get(name);
  if (held?.kind === 'error' || value.kind === 'error') return;
  const only = target.items[0];
  if (held?.kind !== 'list' || target.items.length !== 1 || only?.kind !== 'at') {
    fail(scope, 'CROB2216', target.span, { op: '[]=', left: held ? describe(held) : `\`${name}\``, right: 'an index' });
    return;
  }
  const at = evaluate(scope, only.value);
  const i = knownInt(scope, at);
  if (i === undefined || i < 0 || i >= held.items.length) {
    if (at.kind !== 'error')
      fail(scope, 'CROB2209', only.span, { noun: 'item', index: i ?? describe(at), length: held.items.length });
    return;
  }
  scope.locals.assign(name, { kind: 'list', items: held.items.with(i, value) });
  record(scope, `${name}[${i}]`, value, target.span);
}

function update(scope: Scope, statement: UpdateStatement): void {
  const name = statement.target.name;
  if (!scope.context.training) {
    fail(scope, 'CROB2215', statement.span, { name });
    return;
  }
  if (!isGraphScope(scope)) {
    fail(scope, 'CROB2208', statement.span, { what: `the update of ${name}` });
    return;
  }
  const buffer = scope.member(name, statement.target.span);
  const value = evaluate(scope, statement.value);
  if (value.kind === 'error' || buffer?.kind === 'error') return;
  const weight = buffer?.kind === 'tensor' ? buffer.value.node : undefined;
  if (value.kind !== 'tensor' || weight?.op !== 'weight' || weight.attributes.role !== 'buffer') {
    fail(scope, 'CROB2008', statement.target.span, {
      name,
      actual: weight?.op === 'weight' ? 'weight' : buffer ? describe(buffer).replace(/^an? /, '') : 'local name',
      expected: 'a buffer',
    });
    return;
  }
  const fitted = fitResult(
    scope,
    value,
    { kind: 'tensor', type: weight.outputs[0].type },
    statement.value.span,
    `the new value of \`${name}\``,
  );
  if (fitted.kind !== 'tensor') return;
  const { build, updates, weights } = scope.graph;
  updates.push({ path: weight.attributes.path, value: fitted.value, at: build.nodes.length });
  forgetBuffers(weights);
}

/**
 * Forgets the placed buffers after an update, so that the next read creates a new node, for which `inline` finds the
 * new value.
 */
export function forgetBuffers(weights: Map<string, Value>): void {
  for (const [name, { node }] of weights)
    if (node.op === 'weight' && node.attributes.role === 'buffer') weights.delete(name);
}
