import type { Value } from '../../ir/graph.ts';
import type { Context } from '../context/context.ts';
import { bitOf, type NeedsStore, needsOfValues } from '../context/needs.ts';
import type { ModelGraph } from '../models/model.ts';
import { gradientUse, mayLackGradient, type WeightUse, weightUse } from '../models/unread-weights.ts';
import type { EvaluatedRecipe } from './recipe.ts';
import { type Losses, outputOf } from './recipe-terms.ts';
import { isUpdated } from './recipe-weights.ts';

/** The outputs and weights of a model in training mode that a recipe does not use. */
export interface Unreached {
  /** Each `output(train)` that no term reads. */
  readonly outputs: readonly string[];
  /** The trained weights that no term has a gradient for are `unread`; all others count as read. */
  readonly weights: WeightUse;
}

/** Whether `unreachedBy` may find anything; cheap in the usual case that it does not. */
export function mayLeaveUnreached(context: Context, model: ModelGraph, losses: Losses): boolean {
  const unread = unreadOutputs(context, model, losses);
  return unread.length > 0 || mayLackGradient(context, model, reached(context, model, losses));
}

export function unreachedBy(
  context: Context,
  model: ModelGraph,
  { losses, trained, fixed }: Pick<EvaluatedRecipe, 'losses' | 'trained' | 'fixed'>,
): Unreached {
  const outputs = unreadOutputs(context, model, losses);
  // Weights behind an unused output are covered by the report about that output.
  const reported = model.outputs.filter(({ name }) => outputs.includes(outputOf(model, name)));
  const ends = [...reached(context, model, losses), ...reported.map(({ value }) => value)];
  const { read, unread } = gradientUse(context, model, ends);
  if (unread.size === 0) return { outputs, weights: { read, unread } };
  const unreadByOutputs = weightUse(context, model).unread;
  const allFixed = fixed.map(({ value }) => value);
  const isReported = (path: string) => !unreadByOutputs.has(path) && isUpdated(trained?.value, allFixed, path);
  const [own, others] = [new Map<string, number>(), new Set(read)];
  for (const [path, size] of unread) {
    if (isReported(path)) own.set(path, size);
    else others.add(path);
  }
  return { outputs, weights: { read: others, unread: own } };
}

function unreadOutputs({ run }: Context, model: ModelGraph, losses: Losses): readonly string[] {
  const forLosses = [...model.flat.outputs].filter(([, { decl }]) => decl.stage).map(([name]) => name);
  if (forLosses.length === 0) return [];
  const read = new Set(namesRead(run.store.needs.values, losses).map((name) => outputOf(model, name)));
  return forLosses.filter((name) => !read.has(name));
}

/** The outputs through which gradients reach the model. */
function reached({ run }: Context, model: ModelGraph, losses: Losses): readonly Value[] {
  const read = new Set(namesRead(run.store.needs.gradients, losses));
  return model.outputs.filter(({ name }) => read.has(name)).map(({ value }) => value);
}

/**
 * The inputs and outputs of the model that a term depends on. By name, because a variant's losses may belong to its
 * other mode.
 */
function namesRead(known: NeedsStore, { terms, nodes, calls, seen }: Losses): readonly string[] {
  const ends = [...terms.values()].filter((term) => typeof term !== 'number');
  const { placeholders } = needsOfValues(known, ends, { nodes, calls, placeholders: [...seen.values()] });
  return [...seen.keys()].filter((_, i) => ((placeholders[i] ?? 0) & bitOf(0)) !== 0);
}
