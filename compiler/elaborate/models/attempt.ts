import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { isCountable } from '../../ir/extent.ts';
import { type Context, collecting } from '../context/context.ts';
import type { Read } from '../context/elaborated.ts';
import type { Faults } from '../context/faults.ts';
import { dependsOnTraining } from '../context/reads.ts';
import { hasError } from '../context/values.ts';
import { fail } from '../report/report.ts';
import type { ModelAt } from '../source/recipe-chain.ts';
import { flattenModel } from './flatten.ts';
import { checkLinesUsed } from './lines-used.ts';
import { elaborateModel, type ModelGraph } from './model.ts';
import { checkReached } from './reach.ts';
import { checkWeightPaths } from './weight-paths.ts';

/** An elaborated model and its faults, each at the place where it occurs. */
export interface Attempt {
  /** Incomplete if there are faults. */
  readonly model: ModelGraph | undefined;
  readonly faults: Faults;
}

export function attempt(context: Context, at: ModelAt): Attempt {
  const { model, faults } = attemptForm(context, at);
  if (!model || faults.size > 0) return { model, faults };
  const found = new Map<string, Diagnostic>();
  const inner = collecting(context, found);
  checkReached(inner, model);
  checkWeightPaths(inner, model);
  if (found.size === 0) checkLinesUsed(inner, model);
  return { model, faults: found };
}

/** Like `attempt`, without the check that all parts are used: for a model that is also checked in another mode. */
export function attemptForm(context: Context, { decl, file }: ModelAt): Attempt {
  const faults = new Map<string, Diagnostic>();
  const reads: Read[] = [];
  const inner: Context = { ...collecting(context, faults), reads };
  const flat = flattenModel(inner, decl, file);
  const model = flat && elaborateModel(inner, flat);
  for (const read of reads) if (dependsOnTraining(read)) context.reads.push(read);
  if (model && faults.size === 0) checkWhole(model, context.training);
  if (model && faults.size === 0 && !isOfReasonableSize(model)) {
    const what = `the number of operators of ${decl.name.name}`;
    fail({ context: inner }, 'CROB2225', decl.name.span, { what, limit: operatorLimit });
  }
  // Expressions check the values they compute; this checks the nodes between them.
  if (
    model &&
    faults.size === 0 &&
    !model.nodes.every(({ outputs }) => outputs.every(({ type }) => isCountable(type.shape)))
  )
    fail({ context: inner }, 'CROB2224', decl.name.span, {});
  return { model, faults };
}

/** Throws if a model without faults lacks a declared output or contains an error value: a bug in the compiler. */
function checkWhole({ flat, outputs, instances, params }: ModelGraph, training: boolean): void {
  const lacking = [...flat.outputs].find(
    ([name, { decl }]) =>
      (training || !decl.stage) && !outputs.some((one) => one.name === name || one.name.startsWith(`${name}_`)),
  );
  const gap = lacking?.[0] ?? [...instances, ...params].find(([, value]) => hasError(value))?.[0];
  if (gap !== undefined) throw new Error(`bug in crobc: ${flat.name} has no ${gap}, and no message says why`);
}

/** The maximum number of operators of a model after its calls are expanded. */
const operatorLimit = 1_000_000;

function isOfReasonableSize({ nodes, calls }: ModelGraph): boolean {
  return calls.reduce((sum, { template }) => sum + 1 + template.operators, nodes.length) <= operatorLimit;
}
