import type { Span } from '../../../grammar/span.ts';
import { type InitialiserName, initialisers } from '../../ir/initialisers.ts';
import type { Given, Spec, Val } from '../context/elaborated.ts';
import { type CallArgs, type Scope, writerOf } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { asNumber, error, keyOf, specOf } from '../context/values.ts';
import { matchArgs } from '../eval/arguments.ts';
import { callBuiltin } from '../eval/builtins/builtin.ts';
import { builtinNamed } from '../eval/builtins/table.ts';
import { counted, fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { callFunction, callMethod } from './methods.ts';

/** Evaluates the call `callee(args)`; its meaning depends on the kind of the callee. */
export function apply(scope: Scope, callee: Val, args: CallArgs, span: Span): Val {
  switch (callee.kind) {
    case 'error':
      return error;
    case 'function':
      return callFunction(scope, callee.decl, callee.file, args, span);
    case 'builtin':
      return callBuiltin(scope, builtinNamed(callee.name), args, span);
    case 'method':
      return callMethod(scope, callee.instance, callee.method, args, span);
    case 'instance': {
      const forward = callee.instance.declared.methods.get('forward');
      if (forward) return callMethod(scope, callee.instance, forward, args, span);
      return fail(scope, 'CROB2005', span, { name: 'forward', what: `module ${callee.instance.decl.name.name}` });
    }
    case 'spec':
      return construct(scope, callee.spec, args, span);
    case 'init':
      return initialise(scope, callee.init.name as InitialiserName, args, span);
    default:
      return fail(
        scope,
        'CROB2211',
        span,
        { what: describe(callee) },
        { help: callee.kind === 'none' ? 'what may be none is asked first: `if part != none { … }`' : undefined },
      );
  }
}

/**
 * Applies arguments to a module. The result is a spec, which becomes an instance where a declaration or slot takes
 * it.
 */
function construct(scope: Scope, spec: Spec, args: CallArgs, span: Span): Val {
  const given = [...args.positional, ...args.named.values()];
  if (given.some((g) => g.value.kind === 'error')) return error;
  const { name } = spec.decl;
  if (given.some((g) => g.value.kind === 'tensor')) return fail(scope, 'CROB2210', span, { name: name.name });
  // Missing arguments may be filled in later by the owner of the slot, so they are reported at construction.
  const matched = matchArgs(scope.context, name.name, spec.decl.params, args, span, name.span, true);
  if (!matched) return error;
  if (!addsTo(scope, spec, matched, span)) return error;
  const all = spec.args.size === 0 ? matched : new Map<string, Given>([...spec.args, ...matched]);
  return { kind: 'spec', spec: specOf(spec, all, { span, writer: writerOf(scope) }) };
}

/** Reports arguments that a module in a slot has already, with other values: the owner of the slot would replace them. */
function addsTo(scope: Scope, { decl, args }: Spec, added: ReadonlyMap<string, Given>, span: Span): boolean {
  let adds = true;
  for (const [name, { value }] of added) {
    const before = args.get(name);
    if (!before || before.value.kind === 'error' || keyOf(before.value) === keyOf(value)) continue;
    adds = false;
    const owner = scope.self?.decl.name.name ?? 'this call';
    fail(
      scope,
      'CROB2015',
      before.span,
      { name, module: decl.name.name, given: describe(before.value), owner, passed: describe(value) },
      { notes: [{ span, text: 'passed here' }] },
    );
  }
  return adds;
}

function initialise(scope: Scope, name: InitialiserName, args: CallArgs, span: Span): Val {
  const declared: readonly { readonly name: string; readonly kind: string; readonly default: number | undefined }[] =
    initialisers[name].arguments;
  const found: Record<string, number> = {};
  const take = (key: string, given: Given): boolean => {
    const arg = declared.find((a) => a.name === key);
    const n = asNumber(given.value);
    if (!arg) {
      fail(
        scope,
        'CROB2009',
        args.source.find((a) => a.name?.name === key)?.name?.span ?? given.span,
        { name: key, callee: name },
        {
          help:
            didYouMean(
              key,
              declared.map((a) => a.name),
            ) ??
            (declared.length ? `its arguments are ${declared.map((a) => a.name).join(', ')}` : 'it has no arguments'),
        },
      );
    } else if (n === undefined || (arg.kind === 'int' && !Number.isInteger(n))) {
      if (given.value.kind !== 'error')
        fail(scope, 'CROB2201', given.span, {
          expected: arg.kind === 'int' ? 'an int' : 'a number',
          actual: describe(given.value),
        });
    } else {
      found[key] = n;
      return true;
    }
    return false;
  };
  for (const [i, given] of args.positional.entries()) {
    const arg = declared[i];
    if (!arg)
      return fail(scope, 'CROB2011', given.span, {
        callee: name,
        count: counted(declared.length, 'argument'),
        given: args.positional.length,
      });
    if (!take(arg.name, given)) return error;
  }
  for (const [key, given] of args.named) if (!take(key, given)) return error;
  const ordered: Record<string, number> = {};
  for (const arg of declared) {
    const value = found[arg.name] ?? arg.default;
    if (value === undefined) return fail(scope, 'CROB2010', span, { name: arg.name, callee: name });
    ordered[arg.name] = value;
  }
  return { kind: 'init', init: { name, args: ordered } };
}
