import type { Span } from '../../../grammar/span.ts';
import type { Path, RecipeMember } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import { fileScope } from '../context/scope.ts';
import { evaluate } from '../eval/evaluate.ts';
import type { ModelGraph } from '../models/model.ts';
import { covers, type Selection, selects } from '../models/selection.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { RecipeAt } from '../source/recipe-chain.ts';
import { type PlacedMap, placedMap } from '../weights/weights-map-places.ts';
import { once } from './merge-recipes.ts';
import type { Sourced } from './recipe-settings.ts';
import { kindsOf, selectWeights } from './select-weights.ts';

/** The weights of a `train only` or `train all except`. */
export interface Trained {
  readonly mode: 'only' | 'except';
  readonly paths: readonly Selection[];
}

/** Whether `train` selects a weight; without `train`, all weights are selected. */
function isTrained(trained: Trained | undefined, weight: string): boolean {
  if (!trained) return true;
  const named = trained.paths.some((one) => selects(one, weight));
  return trained.mode === 'only' ? named : !named;
}

/** Whether a recipe updates a weight, that is, trains it and does not fix it. */
export function isUpdated(trained: Trained | undefined, fixed: readonly Selection[], weight: string): boolean {
  return isTrained(trained, weight) && !fixed.some((one) => selects(one, weight));
}

/** The source of an `init`, and the selected weights that it leaves unchanged. */
export interface Initial {
  readonly from: string;
  readonly via: PlacedMap | undefined;
  readonly except: readonly Selection[];
}

/** Evaluates the one `train` of a recipe; undefined if there is none, or after a report. */
export function evaluateTrained(context: Context, { decl }: RecipeAt, model: ModelGraph): Sourced<Trained> | undefined {
  const here = new Map<string, Span>();
  let found: Sourced<Trained> | undefined;
  for (const member of decl.members) {
    if (member.kind !== 'train') continue;
    const { mode, span } = member;
    once(context, decl, here, 'train', span);
    const paths = selectAll(context, member.paths, model, kindsOf(member));
    if (paths) found = { value: { mode, paths }, span };
  }
  return found;
}

/** Evaluates paths one by one; undefined, after a report, if one selects nothing, or nothing beyond an earlier one. */
function selectAll(
  context: Context,
  paths: readonly Path[],
  model: ModelGraph,
  kinds: readonly ('param' | 'buffer')[],
): readonly Selection[] | undefined {
  const found: Selection[] = [];
  let sound = true;
  for (const path of paths) {
    const value = selectWeights(context, path, model, kinds);
    const before = value && found.find((one) => covers(one, value));
    if (before) {
      const reason = `\`${before.pattern}\` in front of it has all its weights`;
      fail({ context }, 'CROB2329', path.span, { what: value.pattern, reason });
    }
    if (value && !before) found.push(value);
    else sound = false;
  }
  return sound ? found : undefined;
}

/**
 * Reports a `fix` or `eval` that changes nothing, because an earlier one of the recipe or its bases has the same
 * weights.
 */
export function checkRepeated(
  context: Context,
  mode: 'fix' | 'eval',
  earlier: readonly Sourced<Selection>[],
  { value, span }: Sourced<Selection>,
): boolean {
  const before = earlier.find((one) => covers(one.value, value));
  if (!before) return true;
  const reason = `\`${mode} ${before.value.pattern}\` has all these weights`;
  const notes = [{ span: before.span, text: 'given here' }];
  fail({ context }, 'CROB2329', span, { what: `${mode} ${value.pattern}`, reason }, { notes });
  return false;
}

/**
 * Checks that a `fix` beside a `train` fixes weights that are trained, and not all weights of a path of
 * `train only`.
 */
export function checkFix(
  context: Context,
  trained: Sourced<Trained> | undefined,
  { value, span }: Sourced<Selection>,
): boolean {
  if (!trained) return true;
  const { mode, paths } = trained.value;
  const notes = [{ span: trained.span, text: 'the weights to train are selected here' }];
  const refuse = (reason: string): false => {
    fail({ context }, 'CROB2329', span, { what: `fix ${value.pattern}`, reason }, { notes });
    return false;
  };
  if (mode === 'except')
    return paths.some((path) => covers(path, value)) ? refuse('these weights are not trained anyhow') : true;
  const undone = paths.find((path) => covers(value, path));
  if (undone) return refuse(`\`train only\` trains \`${undone.pattern}\`, and this fixes all of it`);
  return paths.some((path) => covers(path, value)) ? true : refuse('these weights are not trained anyhow');
}

export function evaluateInit(
  context: Context,
  { path: at, from, via, except }: Extract<RecipeMember, { kind: 'init' }>,
  file: FileScope,
  { model, value }: { readonly model: ModelGraph; readonly value: Selection | undefined },
): Initial | undefined {
  const path = evaluate(fileScope(context, file), from);
  if (path.kind !== 'string' && path.kind !== 'error')
    fail({ context }, 'CROB2321', from.span, { name: 'from', expected: 'the name of a weights file, in quotes' });
  const map = via && value && placedMap(context, via, file, { model, ...value });
  const left = selectAll(context, except, model, ['param', 'buffer']);
  for (const [i, one] of (left ?? []).entries()) {
    if (!value) break;
    const { span } = except[i]!;
    const reason = covers(one, value)
      ? `that leaves nothing of \`${value.pattern}\``
      : covers(value, one)
        ? undefined
        : `\`${value.pattern}\` does not have these weights`;
    if (reason)
      fail(
        { context },
        'CROB2329',
        span,
        { what: `except ${one.pattern}`, reason },
        { notes: [{ span: at.span, text: 'the weights are selected here' }] },
      );
  }
  return path.kind === 'string' && left ? { from: path.value, via: map, except: left } : undefined;
}
