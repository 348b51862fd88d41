import type { Expr, Ident, Param } from '../../../grammar/tree.ts';
import { variable } from '../../dims/dim.ts';
import { Builder } from '../../graphs/builder.ts';
import { ownerKey, unjudged } from '../context/context.ts';
import type { GraphType, Val } from '../context/elaborated.ts';
import { type GraphScope, graphBody, type Scope } from '../context/scope.ts';
import { unflatten } from '../context/template.ts';
import { dimVal, error, int } from '../context/values.ts';
import { evaluate } from './evaluate.ts';
import { conditions, isDimType, isGraphType, resolveType, tensorNamed } from './signature.ts';

/** Arguments derived from a signature alone, and the body that passes them. */
export interface StandIns {
  readonly inner: GraphScope;
  readonly types: ReadonlyMap<string, GraphType>;
  readonly given: readonly Val[];
}

/** The signature of a method or function. */
interface Signature {
  readonly name: Ident;
  readonly params: readonly Param[];
  readonly where: readonly Expr[];
}

/**
 * Creates placeholder arguments for a signature, under its `where`: tensors of fresh dims, dims with the parameters'
 * names, other parameters with their defaults, ints without a default as 0. A spread becomes four axes.
 */
export function standIns(outer: Scope, { params, where, name }: Signature): StandIns | undefined {
  const scope: Scope = { ...outer, later: (one) => tensorNamed(params, outer.file, one) ?? outer.later(one) };
  const values = new Map<string, Val>();
  const hold = (param: Param, value: Val): void => {
    values.set(param.name.name, value);
    scope.locals.declare(param.name.name, value);
  };
  for (const param of params) {
    if (isGraphType(param.type, scope.file)) continue;
    if (isDimType(param.type)) {
      scope.dims.known.set(param.name.name, variable(param.name.name));
      hold(param, dimVal(variable(param.name.name)));
    } else {
      hold(param, param.value ? evaluate(scope, param.value) : int(0));
    }
  }
  // Conditions refer to these parameters, and make sizes of tensors exact (`H/4`).
  let { facts } = scope;
  const { found, areAll } = conditions(scope, where, () => {});
  for (const condition of found) facts = facts.assume(condition.clause);
  for (const clause of scope.context.run.assumed.get(ownerKey(name.span)) ?? []) facts = facts.assume(clause);
  const graph = graphBody(new Builder(facts));
  const context = areAll ? scope.context : unjudged(scope.context);
  const inner: GraphScope = { ...scope, context, facts, graph };
  const types = new Map<string, GraphType>();
  for (const param of params) {
    if (!isGraphType(param.type, scope.file)) continue;
    const type = resolveType(inner, param.type, types, { next: () => 4 });
    if (!type) return undefined;
    types.set(param.name.name, type);
    const { build } = graph;
    hold(
      param,
      unflatten(type, (t) => build.input(`${param.name.name} ${build.nodes.length}`, t)),
    );
  }
  return { inner, types, given: params.map((param) => values.get(param.name.name) ?? error) };
}
