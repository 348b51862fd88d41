import type { Ident } from '../../../grammar/tree.ts';
import { variables } from '../../dims/dim.ts';
import type { Context } from '../context/context.ts';
import { isWithin } from '../context/paths.ts';
import { checkSizes } from '../models/checked-model.ts';
import { brokenAtSizes } from '../models/conditions-at-sizes.ts';
import type { ModelGraph } from '../models/model.ts';
import { fail, shownClause } from '../report/report.ts';
import type { Sourced } from './recipe-settings.ts';

/** Checks the model's conditions at the bound sizes. Unknown dims were reported with the terms. */
export function checkBoundSizes(
  context: Context,
  name: Ident,
  bindings: ReadonlyMap<string, Sourced<number>>,
  model: ModelGraph,
  evaluated: readonly string[],
): void {
  const free = new Set(model.inputs.flatMap(({ value }) => value.type.shape.flatMap((d) => [...variables(d)])));
  const sizes = [...bindings].flatMap(([dim, { value }]) => (free.has(dim) ? [[dim, value] as const] : []));
  checkSizes(context, model, { ...name, name: model.flat.name }, new Map(sizes));
  for (const { condition, clause, path } of brokenAtSizes(model, new Map(sizes))) {
    // Modules below an `eval` are not in training mode.
    if (evaluated.some((root) => isWithin(path, root))) continue;
    const details = [`here it reads ${shownClause(model.facts, clause)}`, ...sizes.map(([dim, n]) => `${dim} = ${n}`)];
    const notes = [{ span: condition.span, text: 'required here' }];
    const needs = context.run.program.text(condition.span);
    // A part whose weights have the path of the model is called by the name of the model.
    const what = `training ${path || model.flat.name}`;
    fail({ context }, 'CROB2207', name.span, { what, clause: needs }, { details, notes });
  }
}
