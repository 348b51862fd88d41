import { diagnostic } from '../../diagnostics/diagnostic.ts';
import { type Context, formsForTrials, trial } from '../context/context.ts';
import type { ModelAt } from '../source/recipe-chain.ts';
import { attemptForm } from './attempt.ts';
import { baseOf } from './blame.ts';
import type { ModelGraph } from './model.ts';
import { placeInModel, reportedWeights, trialsOf } from './reported-weights.ts';
import { mayLeaveUnread, type WeightUse, weightUse } from './unread-weights.ts';
import { counted, listed } from './weight-groups.ts';

/**
 * Reports a note for weights that methods read but no output depends on, so that the graph does not contain them.
 * For a variant, the note is at the one line that causes it, or at the variant's name. For a model without a base,
 * it is at the declaration of the weights, unless an override is to blame. Weights that the base also leaves unread
 * are reported for the base.
 */
export function noteUnread(context: Context, at: ModelAt, model: ModelGraph): void {
  if (!mayLeaveUnread(context, model)) return;
  const use = weightUse(context, model);
  if (use.unread.size === 0) return;
  const forms = formsForTrials(context);
  const useOf = (one: ModelAt) => trial(context, forms, (inner) => useOfModel(inner, one));
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

/** Returns how a model uses its weights; undefined if it has faults. */
function useOfModel(context: Context, at: ModelAt): WeightUse | undefined {
  const { model, faults } = attemptForm(context, at);
  return model && faults.size === 0 ? weightUse(context, model) : undefined;
}
