import type { AssignStatement, Block, Expr, Statement, UpdateStatement } from '../../grammar/tree.ts';
import * as dims from '../dims/dim.ts';
import type { Value } from '../ir/graph.ts';
import { binary } from './arithmetic.ts';
import { type Body, nested } from './body.ts';
import { didYouMean } from './did-you-mean.ts';
import { iterate, truth } from './evaluate.ts';
import { fitResult } from './fit-result.ts';
import { fail } from './report.ts';
import { asInt, describe, dimVal, error, type Val } from './values.ts';

export function run(body: Body, block: Block): Val | undefined {
  const returned = execute(body, block.statements);
  if (block.value && block.statements.at(-1)?.kind === 'return') fail(body, 'CROB2227', block.value.span, {});
  if (returned) return returned;
  if (!block.value) return undefined;
  const value = body.session.interpreter.evaluate(body, block.value);
  body.trace.result = block.value.span;
  return value;
}

/** Runs statements in order; what a `return` gives, if one is met. */
export function execute(body: Body, statements: readonly Statement[]): Val | undefined {
  for (const [i, statement] of statements.entries()) {
    const returned = step(body, statement);
    const next = statements[i + 1];
    if (next && statement.kind === 'return') fail(body, 'CROB2227', next.span, {});
    if (returned) return returned;
  }
  return undefined;
}

function step(body: Body, statement: Statement): Val | undefined {
  const { evaluate } = body.session.interpreter;
  switch (statement.kind) {
    case 'let':
      body.locals.declare(statement.name.name, evaluate(body, statement.value));
      return undefined;
    case 'assign':
      assign(body, statement);
      return undefined;
    case 'update':
      update(body, statement);
      return undefined;
    case 'if-statement': {
      const holds = truth(body, evaluate(body, statement.condition), statement.condition.span);
      if (holds === undefined) return error;
      const chosen = holds ? statement.then : statement.otherwise;
      return chosen ? execute(nested(body), chosen) : undefined;
    }
    case 'for': {
      const items = iterate(body, statement.clause);
      if (!items) return error;
      for (const [i, item] of items.entries()) {
        const inner = nested(body);
        if (statement.clause.index) inner.locals.declare(statement.clause.index.name, dimVal(dims.constant(i)));
        inner.locals.declare(statement.clause.item.name, item);
        const returned = execute(inner, statement.body);
        if (returned) return returned;
      }
      return undefined;
    }
    case 'return': {
      const value = evaluate(body, statement.value);
      body.trace.result = statement.value.span;
      return value;
    }
  }
}

function assign(body: Body, statement: AssignStatement): void {
  const { evaluate } = body.session.interpreter;
  const { target, op, span } = statement;
  let value = evaluate(body, statement.value);
  if (op !== '=') {
    const operator = op === '+=' ? '+' : op === '-=' ? '-' : '*';
    value = binary(
      body,
      { kind: 'binary', op: operator, left: target, right: statement.value, span },
      evaluate(body, target),
      value,
    );
  }
  if (target.kind === 'name') {
    if (!body.locals.assign(target.name, value)) {
      fail(
        body,
        'CROB2001',
        target.span,
        { name: target.name },
        {
          help: didYouMean(target.name, body.locals.names()) ?? `declare it with \`let ${target.name} = …\``,
        },
      );
    }
    return;
  }
  if (target.kind === 'index' && target.object.kind === 'name') {
    assignItem(body, target.object.name, target, value);
    return;
  }
  fail(
    body,
    'CROB2216',
    target.span,
    { op: '=', left: 'this', right: 'a value' },
    { help: 'assign to a local name or to an item of a local list' },
  );
}

function assignItem(body: Body, name: string, target: Extract<Expr, { kind: 'index' }>, value: Val): void {
  const held = body.locals.get(name);
  if (held?.kind === 'error' || value.kind === 'error') return;
  const only = target.items[0];
  if (held?.kind !== 'list' || target.items.length !== 1 || only?.kind !== 'at') {
    fail(body, 'CROB2216', target.span, { op: '[]=', left: held ? describe(held) : `\`${name}\``, right: 'an index' });
    return;
  }
  const at = body.session.interpreter.evaluate(body, only.value);
  const i = asInt(at);
  if (i === undefined || i < 0 || i >= held.items.length) {
    if (at.kind !== 'error')
      fail(body, 'CROB2209', only.span, { noun: 'item', index: i ?? describe(at), length: held.items.length });
    return;
  }
  body.locals.assign(name, { kind: 'list', items: held.items.with(i, value) });
}

function update(body: Body, statement: UpdateStatement): void {
  const name = statement.target.name;
  if (!body.session.training) {
    fail(body, 'CROB2215', statement.span, { name });
    return;
  }
  const buffer = body.member(name, statement.target.span);
  const value = body.session.interpreter.evaluate(body, statement.value);
  if (value.kind === 'error' || buffer?.kind === 'error') return;
  const weight = buffer?.kind === 'tensor' ? buffer.value.node : undefined;
  if (value.kind !== 'tensor' || weight?.op !== 'weight' || weight.attributes.role !== 'buffer') {
    fail(body, 'CROB2008', statement.target.span, {
      name,
      actual: weight?.op === 'weight' ? 'weight' : buffer ? describe(buffer).replace(/^an? /, '') : 'local name',
      expected: 'a buffer',
    });
    return;
  }
  const fitted = fitResult(
    body,
    value,
    { kind: 'tensor', type: weight.outputs[0]!.type },
    statement.value.span,
    `the new value of \`${name}\``,
  );
  if (fitted.kind !== 'tensor') return;
  body.updates.push({ path: weight.attributes.path, value: fitted.value, at: body.build!.nodes.length });
  forgetBuffers(body.weights);
}

/** A read behind an update is placed anew, where `inline` finds the new value. */
export function forgetBuffers(weights: Map<string, Value>): void {
  for (const [name, { node }] of weights)
    if (node.op === 'weight' && node.attributes.role === 'buffer') weights.delete(name);
}
