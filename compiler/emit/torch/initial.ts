import type { CallExpr, Expr } from '../../../grammar/tree.ts';
import { type InitialiserName, initialisers, isInitialiser } from '../../ir/initialisers.ts';
import { asFloat, callTorch } from './builtin-call.ts';
import { atom, call, floatText, method, type Py, tuple } from './python/tree.ts';
import type { Scope, Value } from './scope.ts';

/** The initial value of a weight as a tensor of PyTorch. */
export function initialTensor(scope: Scope, expr: Expr | undefined, shape: readonly Py[]): Py {
  if (!expr) return callTorch('zeros', shape);
  const name = expr.kind === 'name' ? expr.name : expr.kind === 'call' ? nameOf(expr) : '';
  const isOther = scope.lookup(name) ?? scope.file.lookup(name);
  if (isInitialiser(name) && !isOther) return drawn(scope, name, argumentsIn(scope, name, expr), shape);
  return call(scope.translate(expr).py, [callTorch('empty', shape)]);
}

/** An initialiser as a value: a function that fills a tensor and returns it. */
export function initialiserValue(scope: Scope, name: string, expr: Expr): Value | undefined {
  if (!isInitialiser(name)) return undefined;
  const args = argumentsIn(scope, name, expr);
  const named = [...args].flatMap(([key, value]) => {
    const known = torchArguments[name][key];
    return known === undefined ? [] : [{ name: known, value }];
  });
  const own = name === 'ring' ? scope.pack.ring() : `nn.init.${name}_`;
  const py: Py =
    named.length === 0
      ? atom(own)
      : { kind: 'call', callee: atom('partial'), args: [{ name: undefined, value: atom(own) }, ...named] };
  return { py, kind: { kind: 'init' }, any: false };
}

/** Whether a call is one of an initialiser: `uniform` is a built-in function, too, of a shape or a tensor. */
export function isInitialiserCall(name: string, { args }: CallExpr): boolean {
  if (!isInitialiser(name)) return false;
  const known: readonly string[] = initialisers[name].arguments.map((one) => one.name);
  return args.every((arg) => arg.name !== undefined && known.includes(arg.name.name));
}

/** The names that PyTorch's functions have for arguments of initialisers. */
const torchArguments: Readonly<Record<InitialiserName, Readonly<Record<string, string>>>> = {
  zeros: {},
  ones: {},
  constant: { value: 'val' },
  normal: { mean: 'mean', std: 'std' },
  trunc_normal: { mean: 'mean', std: 'std', a: 'a', b: 'b' },
  uniform: { low: 'a', high: 'b' },
  xavier_uniform: { gain: 'gain' },
  kaiming_uniform: { a: 'a' },
  ring: { heads: 'heads', levels: 'levels', points: 'points' },
};

function nameOf({ callee }: CallExpr): string {
  return callee.kind === 'name' ? callee.name : '';
}

function argumentsIn(scope: Scope, name: InitialiserName, expr: Expr): ReadonlyMap<string, Py> {
  const args = new Map<string, Py>();
  if (expr.kind !== 'call') return args;
  for (const [i, arg] of expr.args.entries()) {
    const key = arg.name?.name ?? initialisers[name].arguments[i]?.name;
    if (key !== undefined) args.set(key, scope.translate(arg.value).py);
  }
  return args;
}

function drawn(scope: Scope, name: InitialiserName, args: ReadonlyMap<string, Py>, shape: readonly Py[]): Py {
  const given = (key: string): Py | undefined => args.get(key);
  const or = (key: string): Py => {
    const fallback = initialisers[name].arguments.find((one) => one.name === key)?.default ?? 0;
    return args.get(key) ?? atom(floatText(fallback));
  };
  const empty = callTorch('empty', shape);
  switch (name) {
    case 'zeros':
    case 'ones':
      return callTorch(name, shape);
    case 'constant':
      return callTorch('full', [tuple(shape), asFloat(or('value'))]);
    case 'normal':
      return method(empty, 'normal_', [], { mean: given('mean'), std: given('std') });
    case 'uniform':
      return method(empty, 'uniform_', [or('low'), or('high')]);
    case 'ring':
      return call(scope.pack.ring(), [empty], { ...Object.fromEntries(args) });
    default: {
      const named = [...args].map(([key, value]) => [torchArguments[name][key] ?? key, value] as const);
      return call(`nn.init.${name}_`, [empty], Object.fromEntries(named));
    }
  }
}
