import type { Expr, Param } from '../../../grammar/tree.ts';
import { type InitialiserName, initialisers } from '../../ir/initialisers.ts';
import { asFloat, callTorch } from './builtin-call.ts';
import { floatText } from './expressions.ts';
import { atom, call, method, number, type Py, tuple } from './python/tree.ts';
import type { Scope, Value } from './scope.ts';

/**
 * The initial value of a weight as a tensor of PyTorch. `defaults` are the module's parameters: an initialiser that is a
 * parameter is the parameter's default, as generated modules have no parameters for initialisers.
 */
export function initialTensor(
  scope: Scope,
  expr: Expr | undefined,
  shape: readonly Py[],
  defaults: readonly Param[],
): Py {
  if (!expr) return callTorch('zeros', shape);
  const refuse = () => scope.pack.refuse(expr.span, 'write this initialiser').py;
  if (expr.kind === 'name') {
    const param = defaults.find(({ name }) => name.name === expr.name);
    if (param) return initialTensor(scope, param.value, shape, defaults);
    return isInitialiserName(expr.name) ? drawn(expr.name, new Map(), shape) : refuse();
  }
  if (expr.kind !== 'call' || expr.callee.kind !== 'name') return refuse();
  const name = expr.callee.name;
  const found = scope.file.lookup(name);
  if (found?.decl.kind === 'fn') {
    const { params, body } = found.decl;
    const values = new Map<string, Value>();
    for (const [i, arg] of expr.args.entries()) {
      const key = arg.name?.name ?? params[i]?.name.name;
      if (key !== undefined) values.set(key, scope.translate(arg.value));
    }
    return scope.within(found.file, () =>
      scope.nested(() => {
        for (const [key, value] of values) scope.bind(key, value);
        return initialTensor(scope, body.value, shape, []);
      }),
    );
  }
  if (!isInitialiserName(name)) return refuse();
  const args = new Map<string, Py>();
  for (const [i, arg] of expr.args.entries()) {
    const key = arg.name?.name ?? initialisers[name].arguments[i]?.name;
    if (key !== undefined) args.set(key, scope.translate(arg.value).py);
  }
  return drawn(name, args, shape);
}

function isInitialiserName(name: string): name is InitialiserName {
  return name in initialisers;
}

function drawn(name: InitialiserName, args: ReadonlyMap<string, Py>, shape: readonly Py[]): Py {
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
    case 'trunc_normal':
      return call('nn.init.trunc_normal_', [empty], {
        mean: given('mean'),
        std: given('std'),
        a: given('a'),
        b: given('b'),
      });
    case 'xavier_uniform':
      return call('nn.init.xavier_uniform_', [empty], { gain: given('gain') });
    case 'kaiming_uniform':
      return call('nn.init.kaiming_uniform_', [empty], { a: given('a') });
    case 'ring':
      // A module has such a weight only inside a Linear, whose initial values come from the weights file.
      return callTorch('zeros', shape.length > 0 ? shape : [number(1)]);
  }
}
