import type { Arg, CallExpr, FnDecl, Param } from '../../../grammar/tree.ts';
import { builtins } from '../../elaborate/eval/builtins/table.ts';
import type { FileScope, Found } from '../../elaborate/source/file-scope.ts';
import { builtinCall, rankOf } from './builtin-call.ts';
import { torchBuiltins } from './builtins.ts';
import { argumentsOf, construct } from './constructs.ts';
import { initialiserValue, isInitialiserCall } from './initial.ts';
import { given, holdsTensors, type Kind, tensor } from './kinds.ts';
import { memberName } from './names.ts';
import { atom, attribute, call, method, number, type Py, type PyArg, subscript } from './python/tree.ts';
import type { Changes, Scope, Signature, Value } from './scope.ts';

/** Translates a call of a function, a method, a part or a built-in function, or the construction of a module. */
export function translateCall(scope: Scope, expr: CallExpr, changes: Changes | undefined): Value {
  const { callee } = expr;
  if (callee.kind === 'name') {
    const known = scope.lookup(callee.name);
    if (known) return callValue(scope, known, expr);
    const own = scope.self?.method(callee.name);
    if (own) return callMethod(scope, atom('self'), own, expr, false);
    if (callee.name === 'forward' && scope.self) {
      const args = expr.args.map(({ value }) => scope.translate(value));
      const kind = tensor('f32', args[0] && rankOf(args[0].kind));
      return {
        py: call(
          atom('self'),
          args.map(({ py }) => py),
        ),
        kind,
        any: true,
      };
    }
    const found = scope.file.lookup(callee.name);
    if (found) return callDeclared(scope, found, expr, changes);
    return callBuiltin(scope, callee.name, expr);
  }
  if (callee.kind === 'member') {
    const object = scope.translate(callee.object);
    const own = given(object.kind);
    const name = callee.name.name;
    if (own.kind === 'part') {
      if (own.native) return nativeMethod(scope, object, name, expr);
      const { decl } = own.of;
      if (decl.kind === 'module' || decl.kind === 'interface') {
        const info = scope.pack.version({ ...own.of, decl }, own.version);
        const found = info.method(name);
        if (found) {
          const py = object.any ? call('cast', [atom(own.name), object.py]) : object.py;
          return callMethod(scope, py, found, expr, false);
        }
      }
    }
  }
  return callValue(scope, scope.translate(callee), expr);
}

/** Other methods of the library's modules: the first rows of an embedding, and norms of tokens, channels last. */
function nativeMethod(scope: Scope, object: Value, name: string, expr: CallExpr): Value {
  const own = given(object.kind);
  const type = own.kind === 'part' ? own.native?.type : undefined;
  const x = expr.args[0] && scope.translate(expr.args[0].value);
  const result = (py: Py): Value => ({ py, kind: tensor('f32', name === 'rows' ? 2 : 3), any: true });
  if (x && type === 'nn.Embedding' && name === 'rows')
    return result(subscript(attribute(object.py, 'weight'), { kind: 'slice', start: undefined, stop: x.py }));
  if (x && name === 'tokens') {
    const turned = method(x.py, 'transpose', [number(1), number(2)]);
    if (type === 'nn.LayerNorm') return result(call(object.py, [x.py]));
    if (type === 'nn.GroupNorm') return result(method(call(object.py, [turned]), 'transpose', [number(1), number(2)]));
    if (type === 'nn.BatchNorm2d') {
      const normed = call(object.py, [contiguous(method(turned, 'unsqueeze', [number(3)]))]);
      return result(method(method(normed, 'squeeze', [number(3)]), 'transpose', [number(1), number(2)]));
    }
  }
  return scope.pack.refuse(expr.span, `call \`${name}\` of this`);
}

/**
 * PyTorch's batch normalisation (2.13, on the CPU) computes wrong gradients where the input is a transposed view of width 1
 * and the gradient of its output has other strides.
 */
function contiguous(x: Py): Py {
  return method(x, 'contiguous', []);
}

const views = new Set(['transpose', 'permute', 'unsqueeze', 'squeeze', 'unflatten', 'flatten', 'expand', 'view']);

function isView(x: Py): boolean {
  return x.kind === 'call' && x.callee.kind === 'attribute' && views.has(x.callee.name);
}

function callValue(scope: Scope, value: Value, expr: CallExpr): Value {
  const own = given(value.kind);
  switch (own.kind) {
    case 'part': {
      const { decl } = own.of;
      // Of a part that is there only together with another, type checkers do not know that it is there.
      const part = value.kind === own ? value.py : call('cast', [atom(own.name), value.py]);
      if (own.native) {
        const [only] = expr.args;
        const x = only && scope.translate(only.value);
        if (!x) break;
        const rank = rankOf(x.kind);
        const isEmbedding = own.native.type === 'nn.Embedding';
        const kind = tensor('f32', rank === undefined ? undefined : isEmbedding ? rank + 1 : rank);
        const input = own.native.type === 'nn.BatchNorm2d' && isView(x.py) ? contiguous(x.py) : x.py;
        return { py: call(part, [input]), kind, any: true };
      }
      if (decl.kind !== 'module' && decl.kind !== 'interface') break;
      const forward = scope.pack.version({ ...own.of, decl }, own.version).method('forward');
      if (forward) return callMethod(scope, undefined, forward, expr, true, part);
      break;
    }
    case 'factory': {
      const { decl } = own.of;
      if (decl.kind !== 'interface') break;
      const args = argumentsOf(scope, expr.args, decl.params, own.of.file);
      const kind: Kind = { kind: 'part', of: own.of, name: own.name, native: undefined, version: '' };
      return { py: { kind: 'call', callee: value.py, args }, kind, any: false };
    }
    case 'function': {
      const args = expr.args.map(({ name, value: one }) => ({ name: name?.name, translated: scope.translate(one) }));
      const isTold = args.some(({ translated }) => holdsTensors(translated.kind));
      const device = isTold ? [] : [{ name: 'device', value: scope.device(expr.span) }];
      const found = own.of?.decl.kind === 'fn' ? scope.pack.fn({ ...own.of, decl: own.of.decl }) : undefined;
      const [first] = args;
      const kind = found?.kind ?? tensor('f32', first && rankOf(first.translated.kind));
      const given = args.map(({ name, translated }): PyArg => ({ name, value: translated.py }));
      return { py: { kind: 'call', callee: value.py, args: [...given, ...device] }, kind, any: false };
    }
    default:
      break;
  }
  // What is unknown has been refused already.
  if (own.kind === 'unknown' && scope.pack.hasRefused()) return value;
  return scope.pack.refuse(expr.span, 'call this');
}

/** A call of a method of `object`, or of the module `whole` itself, whose result type checkers do not know. */
function callMethod(
  scope: Scope,
  object: Py | undefined,
  signature: Signature,
  expr: CallExpr,
  any: boolean,
  whole?: Py,
): Value {
  const params = signature.params.map(({ decl }) => decl);
  const file = signature.params[0]?.file ?? signature.file;
  const args = argumentsOf(scope, expr.args, params, file);
  const callee =
    whole ?? attribute(object ?? atom('self'), signature.name === 'forward' ? 'forward' : memberName(signature.name));
  return { py: { kind: 'call', callee, args }, kind: signature.kind, any };
}

function callDeclared(scope: Scope, found: Found, expr: CallExpr, changes: Changes | undefined): Value {
  const { decl } = found;
  if (decl.kind === 'module') return construct(scope, { ...found, decl }, expr.args, changes);
  if (decl.kind === 'fn') {
    if (changes) return inlined(scope, { ...found, decl }, expr, changes);
    const fn = scope.pack.fn({ ...found, decl });
    const args = argumentsOf(scope, expr.args, decl.params, found.file);
    const device = fn.device ? [{ name: 'device', value: scope.device(expr.span) }] : [];
    return { py: { kind: 'call', callee: atom(fn.name), args: [...args, ...device] }, kind: fn.kind, any: false };
  }
  return scope.pack.refuse(expr.span, `call \`${decl.name.name}\``);
}

/** What a function constructs, written out, so that lines of a variant can change its inside. */
function inlined(scope: Scope, found: Found & { readonly decl: FnDecl }, expr: CallExpr, changes: Changes): Value {
  const { params, body } = found.decl;
  const isOwn = (name: string) => params.some((param) => param.name.name === name);
  if (![...changes.below.keys()].every(isOwn) && (body.statements.length > 0 || body.value?.kind !== 'call'))
    return scope.pack.refuse(changes.span, `change the inside of what \`${found.decl.name.name}\` constructs`);
  const values = bound(scope, expr.args, params, found.file, changes);
  return scope.within(found.file, () =>
    scope.nested(() => {
      for (const [name, value] of values) scope.bind(name, value);
      const below = new Map([...changes.below].filter(([name]) => !isOwn(name)));
      const rest = below.size > 0 ? { ...changes, below } : undefined;
      const made = body.value?.kind === 'call' ? body.value : undefined;
      return made ? translateCall(scope, made, rest) : scope.pack.refuse(expr.span, 'write this construction out');
    }),
  );
}

function bound(
  scope: Scope,
  args: readonly Arg[],
  params: readonly Param[],
  file: FileScope,
  changes: Changes,
): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  for (const [i, param] of params.entries()) {
    const name = param.name.name;
    const line = changes.below.get(name)?.line;
    const arg = args.find((one) => one.name?.name === name) ?? (args[i]?.name ? undefined : args[i]);
    if (line) values.set(name, line.value(scope, param));
    else if (arg) values.set(name, scope.translate(arg.value));
    else if (param.value) {
      const { value } = param;
      values.set(
        name,
        scope.within(file, () => scope.translate(value)),
      );
    }
  }
  return values;
}

/** `floor` and `ceil` are evaluated with the quotient in them, and are in no table. */
function isRounding(name: string): boolean {
  return name === 'floor' || name === 'ceil';
}

function callBuiltin(scope: Scope, name: string, expr: CallExpr): Value {
  const names = builtins.get(name)?.names ?? (isRounding(name) ? ['x'] : undefined);
  const written = torchBuiltins[name];
  if (names && written && !isInitialiserCall(name, expr)) return written.write(builtinCall(scope, names, expr));
  const initial = initialiserValue(scope, name, expr);
  return initial ?? scope.pack.refuse(expr.span, `call \`${name}\``);
}
