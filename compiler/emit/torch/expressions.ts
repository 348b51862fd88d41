import type { BinaryExpr, Block, Expr, IfExpr, IndexExpr, MemberExpr, TensorExpr } from '../../../grammar/tree.ts';
import { builtins } from '../../elaborate/eval/builtins/table.ts';
import { asFloat, callTorch, dtypeOf, elementOf, made, rankOf } from './builtin-call.ts';
import { rowsOf, torchBuiltins, widest } from './builtins.ts';
import { translateCall } from './calls.ts';
import { initialiserValue } from './initial.ts';
import {
  bool,
  either,
  float,
  given,
  holdsTensors,
  int,
  isTensor,
  type Kind,
  listOf,
  none,
  resultType,
  tensor,
  unknown,
} from './kinds.ts';
import { memberName } from './names.ts';
import { narrow, partsPresent } from './present.ts';
import {
  assign,
  atom,
  attribute,
  binary,
  call,
  method,
  number,
  type Py,
  type PyOperator,
  type PyStatement,
  stringLiteral,
  subscript,
} from './python/tree.ts';
import type { Scope, Value } from './scope.ts';

/** Translates an expression. Statements that it needs are emitted before. */
export function translateExpression(scope: Scope, expr: Expr, hint: string | undefined): Value {
  switch (expr.kind) {
    case 'int':
      return { py: number(expr.value), kind: int, any: false };
    case 'float':
      return { py: atom(expr.text.toLowerCase()), kind: float, any: false };
    case 'factor':
      return scope.pack.refuse(expr.span, 'write a factor');
    case 'string':
      return { py: stringLiteral(expr.value), kind: { kind: 'string', choices: [] }, any: false };
    case 'bool':
      return { py: atom(expr.value ? 'True' : 'False'), kind: bool, any: false };
    case 'none':
      return { py: atom('None'), kind: none, any: false };
    case 'name':
      return named(scope, expr);
    case 'list': {
      const items = expr.items.map((item) => scope.translate(item));
      const of = items.reduce((kind: Kind, item) => either(kind, item.kind), unknown);
      return { py: { kind: 'list', items: items.map(({ py }) => py) }, kind: listOf(of), any: false };
    }
    case 'comprehension':
      return comprehension(scope, expr, hint);
    case 'tuple':
      return scope.pack.refuse(expr.span, 'write a named tuple here');
    case 'call':
      return translateCall(scope, expr, undefined);
    case 'member':
      return member(scope, expr);
    case 'index':
      return indexed(scope, expr);
    case 'unary': {
      const { py, kind, any } = scope.translate(expr.operand);
      if (expr.op === '-') return { py: negated(py), kind, any };
      return { py: { kind: 'unary', op: isTensor(kind) ? '~' : 'not', operand: py }, kind, any: any && isTensor(kind) };
    }
    case 'binary':
      return binaryValue(scope, expr);
    case 'range': {
      const [start, stop] = [scope.translate(expr.start), scope.translate(expr.stop)];
      return { py: rangeOf(start.py, stop.py), kind: listOf(int), any: false };
    }
    case 'if':
      return conditional(scope, expr, hint);
    case 'cast':
      return scope.translate(expr.operand, hint);
    case 'tensor':
      return fromIndices(scope, expr);
  }
}

function rangeOf(start: Py, stop: Py): Py {
  return call('range', start.kind === 'atom' && start.text === '0' ? [stop] : [start, stop]);
}

function named(scope: Scope, { name, span }: { readonly name: string; readonly span: Expr['span'] }): Value {
  const known = scope.lookup(name);
  if (known) return known;
  const found = scope.file.lookup(name);
  if (found?.decl.kind === 'fn') {
    const { decl } = found;
    return { py: atom(scope.pack.fn({ ...found, decl }).name), kind: { kind: 'function', of: found }, any: false };
  }
  const builtin = builtins.has(name) ? torchBuiltins[name] : undefined;
  if (builtin?.value) return { py: builtin.value, kind: { kind: 'function', of: undefined }, any: false };
  const initial = initialiserValue(scope, name, { kind: 'name', name, span });
  if (initial) return initial;
  return scope.pack.refuse(span, `pass \`${name}\` on as a value`);
}

function comprehension(scope: Scope, expr: Extract<Expr, { kind: 'comprehension' }>, hint: string | undefined): Value {
  return scope.nested(() => {
    const clauses: { target: string; iterable: Py }[] = [];
    for (const { index, item, iterable } of expr.clauses) {
      const over = scope.translate(iterable);
      const position = index && scope.declare(index.name, int, false);
      const of = elementOf(over.kind);
      const name = scope.declare(item.name, of, over.any || given(of).kind === 'part');
      clauses.push(
        position === undefined
          ? { target: name, iterable: over.py }
          : { target: `${position}, ${name}`, iterable: call('enumerate', [over.py]) },
      );
    }
    const condition = expr.condition && scope.translate(expr.condition);
    const { value: element, statements } = scope.apart(() => scope.translate(expr.element));
    const kind = listOf(element.kind);
    if (statements.length === 0)
      return {
        py: { kind: 'comprehension', element: element.py, clauses, condition: condition?.py },
        kind,
        any: false,
      };
    const items = scope.declare(hint ?? 'items', kind, false);
    const append = { kind: 'expression', value: method(atom(items), 'append', [element.py]) } as const;
    const filled: readonly PyStatement[] = [...statements, append];
    const body: readonly PyStatement[] = condition
      ? [{ kind: 'if', test: condition.py, then: filled, otherwise: [] }]
      : filled;
    const loops = clauses.reduceRight<readonly PyStatement[]>(
      (inner, { target, iterable }) => [{ kind: 'for', target, iterable, body: inner }],
      body,
    );
    const empty: Py = { kind: 'list', items: [] };
    scope.emit({ kind: 'assign', target: items, annotation: () => resultType(kind), value: empty, comment: undefined });
    for (const loop of loops) scope.emit(loop);
    return { py: atom(items), kind, any: false };
  });
}

function member(scope: Scope, expr: MemberExpr): Value {
  const object = scope.translate(expr.object);
  const name = expr.name.name;
  const own = given(object.kind);
  if (own.kind === 'tuple') {
    const item = own.items.find((one) => one.name === name);
    if (item) return { py: attribute(object.py, item.attribute), kind: item.of, any: object.any };
  }
  if (own.kind === 'part' && (own.of.decl.kind === 'module' || own.of.decl.kind === 'interface') && !own.native) {
    const info = scope.pack.version({ ...own.of, decl: own.of.decl }, own.version);
    const kind = info.member(name);
    if (kind) {
      const py = attribute(typed(object, own.name), memberName(name));
      return { py, kind, any: given(kind).kind === 'list' && given(elementOf(kind)).kind === 'part' };
    }
  }
  // What is unknown has been refused already.
  if (own.kind === 'unknown' && scope.pack.hasRefused()) return object;
  return scope.pack.refuse(expr.span, `read \`${name}\` of this`);
}

/** A part whose class type checkers do not know, such as an item of a ModuleList. */
export function typed(object: Value, name: string): Py {
  return object.any ? call('cast', [atom(name), object.py]) : object.py;
}

function indexed(scope: Scope, expr: IndexExpr): Value {
  const object = scope.translate(expr.object);
  const items = expr.items.map((item): Py => {
    if (item.kind === 'at') return scope.translate(item.value).py;
    if (item.kind !== 'range') return { kind: 'slice', start: undefined, stop: undefined };
    const start = item.start && scope.translate(item.start).py;
    const isZero = start?.kind === 'atom' && start.text === '0';
    return { kind: 'slice', start: isZero ? undefined : start, stop: item.stop && scope.translate(item.stop).py };
  });
  const own = given(object.kind);
  if (own.kind === 'unknown' && scope.pack.hasRefused()) return object;
  if (own.kind === 'list') {
    const isPart = given(own.of).kind === 'part';
    const at = expr.items[0]?.kind === 'at';
    return { py: subscript(object.py, ...items), kind: at ? own.of : own, any: object.any || isPart };
  }
  const [first] = expr.items;
  if (expr.items.length === 1 && first?.kind === 'at' && own.kind === 'tensor') {
    const index = scope.translate(first.value);
    if (isTensor(index.kind)) {
      return rowsOf(object, index);
    }
  }
  let last = items.length;
  while (last > 1 && isAll(items[last - 1])) last--;
  const removed = expr.items.filter(({ kind }) => kind === 'at').length;
  const rank = rankOf(object.kind);
  const kind = tensor(dtypeOf(object.kind), rank === undefined ? undefined : rank - removed);
  return { py: subscript(object.py, ...items.slice(0, last)), kind, any: object.any };
}

function isAll(py: Py | undefined): boolean {
  return py?.kind === 'slice' && py.start === undefined && py.stop === undefined;
}

function binaryValue(scope: Scope, expr: BinaryExpr): Value {
  const [a, b] = [scope.translate(expr.left), scope.translate(expr.right)];
  const tensors = isTensor(a.kind) || isTensor(b.kind);
  switch (expr.op) {
    case '&&':
    case '||': {
      const op: PyOperator = tensors ? (expr.op === '&&' ? '&' : '|') : expr.op === '&&' ? 'and' : 'or';
      return tensors ? compared(op, a, b) : { py: binary(op, a.py, b.py), kind: bool, any: false };
    }
    case '==':
    case '!=': {
      const isNone = a.kind.kind === 'none' || b.kind.kind === 'none';
      const op: PyOperator = isNone ? (expr.op === '==' ? 'is' : 'is not') : expr.op;
      if (isNone || !tensors) return { py: binary(op, a.py, b.py), kind: bool, any: false };
      return compared(op, a, b);
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return tensors ? compared(expr.op, a, b) : { py: binary(expr.op, a.py, b.py), kind: bool, any: false };
    default:
      return arithmetic(scope, expr.op, a, b, expr);
  }
}

/** A tensor of truth values; type checkers see no type if they see none of an operand. */
function compared(op: PyOperator, a: Value, b: Value): Value {
  return { ...made(binary(op, a.py, b.py), widest(a, b), 'bool'), any: a.any || b.any };
}

function arithmetic(scope: Scope, op: '+' | '-' | '*' | '/' | '%' | '^', a: Value, b: Value, expr: BinaryExpr): Value {
  if (a.kind.kind === 'list' && b.kind.kind === 'list') {
    if (op !== '+') return scope.pack.refuse(expr.span, 'compute with lists');
    const items = [a.py, b.py].flatMap((py) =>
      py.kind === 'list' ? py.items : [{ kind: 'starred', operand: py } as const],
    );
    return { py: { kind: 'list', items }, kind: either(a.kind, b.kind), any: false };
  }
  const written: PyOperator = op === '^' ? '**' : op;
  if (isTensor(a.kind) || isTensor(b.kind)) {
    const of = isTensor(a.kind) ? a : b;
    const dtype = [a, b].some(({ kind }) => isTensor(kind) && dtypeOf(kind) === 'f32') ? 'f32' : dtypeOf(of.kind);
    return { py: binary(written, a.py, b.py), kind: tensor(dtype, widest(a, b)), any: a.any || b.any };
  }
  const whole = a.kind.kind === 'int' && b.kind.kind === 'int';
  if (op === '/' && whole) return { py: binary('//', a.py, b.py), kind: int, any: false };
  // Python's types say nothing of most powers, which may be complex.
  const isUntyped = op === '^' && !(a.kind.kind === 'float' && b.kind.kind === 'int');
  return { py: binary(written, a.py, b.py), kind: whole ? int : float, any: a.any || b.any || isUntyped };
}

function conditional(scope: Scope, expr: IfExpr, hint: string | undefined): Value {
  const test = scope.translate(expr.condition);
  const there = partsPresent(expr.condition);
  const branchOf = (block: Block, names: readonly string[]) =>
    scope.apart(() =>
      scope.nested(() => {
        narrow(scope, names);
        return scope.block(block, hint);
      }),
    );
  const then = branchOf(expr.then, there.ifTrue);
  const otherwise = branchOf(expr.otherwise, there.ifFalse);
  const kind = either(then.value.kind, otherwise.value.kind);
  const any = then.value.any || otherwise.value.any;
  if (then.statements.length === 0 && otherwise.statements.length === 0)
    return {
      py: { kind: 'conditional', test: test.py, then: then.value.py, otherwise: otherwise.value.py },
      kind,
      any,
    };
  const name = scope.declare(hint ?? 'chosen', kind, any);
  const branch = ({ value, statements }: typeof then) =>
    value.py.kind === 'atom' && value.py.text === name ? statements : [...statements, assign(name, value.py)];
  scope.emit({ kind: 'if', test: test.py, then: branch(then), otherwise: branch(otherwise) });
  return { py: atom(name), kind, any };
}

/** `tensor f32[i in N, j in M] { … }`: the body computed with ranges that broadcast. */
function fromIndices(scope: Scope, expr: TensorExpr): Value {
  const count = expr.indices.length;
  const extents = expr.indices.map(({ extent }) => scope.translate(extent).py);
  const device = scope.device(expr.span);
  return scope.nested(() => {
    const names = expr.indices.map(({ name }, axis) => {
      const extent = extents[axis] ?? number(1);
      const counted = callTorch('arange', [extent], { device });
      const behind = count - 1 - axis;
      const shaped =
        behind === 0
          ? counted
          : behind === 1
            ? method(counted, 'unsqueeze', [number(1)])
            : method(counted, 'view', [number(-1), ...Array.from({ length: behind }, () => number(1))]);
      const python = scope.declare(name.name, tensor('i32', behind + 1), false);
      scope.emit(assign(python, shaped));
      return python;
    });
    const { value, statements } = scope.apart(() => scope.block(expr.body));
    for (const statement of statements) scope.emit(statement);
    const wanted = expr.dtype.name === 'f32' ? 'f32' : expr.dtype.name === 'bool' ? 'bool' : 'i32';
    if (!holdsTensors(value.kind)) {
      const filled = wanted === 'f32' ? asFloat(value.py) : value.py;
      return made(callTorch('full', [{ kind: 'tuple', items: extents }, filled], { device }), count, wanted);
    }
    const read = JSON.stringify([value.py, statements]);
    const isWhole = names.every((name) => read.includes(`"text":"${name}"`));
    const py = isWhole ? value.py : callTorch('broadcast_to', [value.py, { kind: 'tuple', items: extents }]);
    return { py, kind: tensor(wanted, count), any: value.any && isWhole };
  });
}

/** -x; the negative of the largest of -x is the smallest of x. */
function negated(py: Py): Py {
  if (py.kind === 'call' && py.callee.kind === 'attribute' && py.callee.name === 'amax') {
    const { of } = py.callee;
    if (of.kind === 'unary' && of.op === '-') return { ...py, callee: attribute(of.operand, 'amin') };
  }
  return { kind: 'unary', op: '-', operand: py };
}
