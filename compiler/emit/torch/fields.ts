import type { Expr } from '../../../grammar/tree.ts';
import { elementOf } from './builtin-call.ts';
import { translateCall } from './calls.ts';
import { either, given, int, type Kind, listOf, unknown } from './kinds.ts';
import { call, type Py } from './python/tree.ts';
import type { Changes, Scope, Value } from './scope.ts';

/** Translates what constructs a part or a list of parts; `changes` are lines of a variant for its inside. */
export function translateField(scope: Scope, expr: Expr, changes: Changes | undefined): Value {
  if (!changes) return scope.translate(expr);
  if (changes.line) return changes.line.value(scope, undefined);
  switch (expr.kind) {
    case 'call':
      return translateCall(scope, expr, known(scope, expr, changes));
    case 'list': {
      const items = expr.items.map((item, i) => translateField(scope, item, itemChanges(changes, i)));
      const of = items.reduce((kind: Kind, item) => either(kind, item.kind), unknown);
      return { py: { kind: 'list', items: items.map(({ py }) => py) }, kind: listOf(of), any: false };
    }
    case 'comprehension':
      return items(scope, expr, changes);
    case 'if': {
      const { condition, then, otherwise } = expr;
      if (then.statements.length > 0 || otherwise.statements.length > 0 || !then.value || !otherwise.value) break;
      const test = scope.translate(condition);
      const [a, b] = [translateField(scope, then.value, changes), translateField(scope, otherwise.value, changes)];
      return {
        py: { kind: 'conditional', test: test.py, then: a.py, otherwise: b.py },
        kind: either(a.kind, b.kind),
        any: false,
      };
    }
    default:
      break;
  }
  return expr.kind === 'none'
    ? scope.translate(expr)
    : scope.pack.refuse(changes.span, 'change the inside of this part');
}

/** The changes for what is constructed: one of two modules may lack a parameter that the other has. */
function known(scope: Scope, expr: Extract<Expr, { kind: 'call' }>, changes: Changes): Changes {
  const found = expr.callee.kind === 'name' ? scope.file.lookup(expr.callee.name) : undefined;
  if (found?.decl.kind !== 'module') return changes;
  const names = new Set([...found.decl.params, ...found.decl.members].map(({ name }) => name.name));
  return { ...changes, below: new Map([...changes.below].filter(([name]) => names.has(name))) };
}

function itemChanges(changes: Changes, i: number): Changes | undefined {
  return changes.below.get(String(i)) ?? changes.below.get('*');
}

function items(scope: Scope, expr: Extract<Expr, { kind: 'comprehension' }>, changes: Changes): Value {
  const all = changes.below.get('*');
  if (!all || changes.below.size > 1) return scope.pack.refuse(changes.span, 'change one item of a list of parts');
  return scope.nested(() => {
    const clauses = expr.clauses.map(({ index, item, iterable }) => {
      const over = scope.translate(iterable);
      const position = index && scope.declare(index.name, int, false);
      const of = elementOf(over.kind);
      const name = scope.declare(item.name, of, given(of).kind === 'part');
      const counted: Py = position === undefined ? over.py : call('enumerate', [over.py]);
      return { target: position === undefined ? name : `${position}, ${name}`, iterable: counted };
    });
    const condition = expr.condition && scope.translate(expr.condition).py;
    const element = translateField(scope, expr.element, all);
    return {
      py: { kind: 'comprehension', element: element.py, clauses, condition },
      kind: listOf(element.kind),
      any: false,
    };
  });
}
