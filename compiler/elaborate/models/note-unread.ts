import { diagnostic } from '../../diagnostics/diagnostic.ts';
import { type Context, fork } from '../context/context.ts';
import type { ModelAt } from '../source/recipe-chain.ts';
import { attemptForm } from './attempt.ts';
import { baseOf } from './blame.ts';
import type { ModelGraph } from './model.ts';
import { placeInModel, reportedWeights, trialsOf } from './reported-weights.ts';
import { mayLeaveUnread, type WeightUse, weightUse } from './unread-weights.ts';
import { counted, listed } from './weight-groups.ts';

/**
 * A note for weights that methods read and no output depends on, which are then no part of the graph: at the one line of a
 * variant without which it is otherwise, or else at the name of the variant. Of a model that extends none they are reported where
 * they are declared, unless an override is to blame. What the base leaves unread is the base's.
 */
export function noteUnread(context: Context, at: ModelAt, model: ModelGraph): void {
  if (!mayLeaveUnread(context, model)) return;
  const use = weightUse(context, model);
  if (use.unread.size === 0) return;
  const useOf = (one: ModelAt) => useOfModel(context, one);
  const base = baseOf(at);
  const reported = reportedWeights(context, model, {
    use,
    before: base && useOf(base),
    trials: () => trialsOf(at, useOf),
    placeOf: (declared, guilty) => placeInModel(at.decl, declared, guilty),
  });
  for (const { span, notes, wasRead, groups } of reported) {
    const args = { weights: listed(groups), longer: wasRead ? ' any longer' : '', count: counted(groups) };
    context.report(diagnostic('CROB2317', span, args, { notes }));
  }
}

/** How a model that is right reads its weights. */
function useOfModel(context: Context, at: ModelAt): WeightUse | undefined {
  const inner = fork(context);
  const { model, faults } = attemptForm(inner, at);
  return model && faults.size === 0 ? weightUse(inner, model) : undefined;
}
