import type { Span } from '../../../grammar/span.ts';
import type { Declaration } from '../../../grammar/tree.ts';
import { type Diagnostic, diagnostic } from '../../diagnostics/diagnostic.ts';
import { DimOverflow } from '../../dims/dim.ts';
import { type Context, collecting, fork } from '../context/context.ts';
import type { Faults } from '../context/faults.ts';
import { dependsOnTraining, type Read } from '../context/reads.ts';
import type { Call, Template } from '../context/template.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { ModelAt } from '../source/recipe-chain.ts';
import { flattenModel } from './flatten.ts';
import { liveLines } from './live-members.ts';
import { elaborateModel, type ModelGraph } from './model.ts';
import { checkReached } from './reach.ts';
import { checkWeightPaths } from './weight-paths.ts';

/** A model as it comes out, and what is wrong with it, each fault where it shows. */
export interface Attempt {
  /** With faults it has gaps. */
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

/** The same, whether or not all parts are used: of a model that is checked in another form as well. */
export function attemptForm(context: Context, { decl, file }: ModelAt): Attempt {
  const faults = new Map<string, Diagnostic>();
  const reads: Read[] = [];
  const inner: Context = { ...collecting(context, faults), reads };
  const model = withinIntegers(inner, decl, () => {
    const flat = flattenModel(inner, decl, file);
    return flat && elaborateModel(inner, flat);
  });
  for (const read of reads) if (dependsOnTraining(read)) context.reads.push(read);
  if (model && faults.size === 0 && !isOfReasonableSize(model)) {
    const what = `the number of operators of ${decl.name.name}`;
    fail({ context: inner }, 'CROB2225', decl.name.span, { what, limit: operatorLimit });
  }
  return { model, faults };
}

/**
 * A line of the model itself that nothing depends on, in training or in inference, changes nothing, whatever the reason: an
 * override, a parameter that is given, a `let`.
 */
function checkLinesUsed(context: Context, model: ModelGraph): void {
  let dead = deadLines(context, model);
  for (const training of [false, true]) {
    if (dead.size === 0) return;
    if (training === context.training && context.evaluated.length === 0) continue;
    const inner = { ...fork(context), training, evaluated: [], reads: [] };
    const form = elaborateModel(inner, model.flat);
    const here = form && deadLines(inner, form);
    dead = new Map([...dead].filter(([span]) => !here || here.has(span)));
  }
  for (const [span, { kind, name }] of dead)
    if (kind === 'let') fail({ context }, 'CROB2316', span, { name }, { help: forgotten(model, name) });
    else fail({ context }, 'CROB2314', span, { path: name });
}

interface DeadLine {
  readonly kind: 'let' | 'value';
  readonly name: string;
}

/** Lines of the model itself, by where they stand, that do not change what it computes in this form. */
function deadLines(context: Context, model: ModelGraph): ReadonlyMap<Span, DeadLine> {
  const { flat, overrides, reads, unread } = model;
  const dead = new Map<Span, DeadLine>();
  for (const name of unread) {
    const own = flat.lets.get(name) ?? flat.values.get(name);
    if (own?.nearness !== flat.nearness) continue;
    const equation = flat.lets.get(name);
    if (equation) dead.set(equation.decl.name.span, { kind: 'let', name });
    else dead.set(own.decl.span, { kind: 'value', name });
  }
  const own = overrides.filter(({ nearness }) => nearness === flat.nearness);
  const live = own.length > 0 ? liveLines(context, reads) : undefined;
  if (live) {
    const spans = new Set([...live].map(({ span }) => span));
    for (const { span, use } of own)
      if (use === 'none' || (use === 'value' && !spans.has(span)))
        dead.set(span, { kind: 'value', name: context.run.program.text(span) });
  }
  return dead;
}

/** The `let` of the base that was meant, where the name is nearly its own. */
function forgotten({ flat, unread }: ModelGraph, name: string): string | undefined {
  const others = [...flat.lets.keys()].filter((other) => !unread.has(other));
  return didYouMean(name, others) ?? `use it in an output, or leave it out`;
}

/** Most operators that a model may have once its calls are expanded. */
const operatorLimit = 1_000_000;

function isOfReasonableSize(model: ModelGraph): boolean {
  const known = new Map<Template, number>();
  const sizeOf = (template: Template): number => {
    let size = known.get(template);
    if (size === undefined) {
      size = (template.body?.nodes.length ?? 0) + total(template.body?.calls ?? []);
      known.set(template, size);
    }
    return size;
  };
  const total = (calls: readonly Call[]): number => calls.reduce((sum, call) => sum + 1 + sizeOf(call.template), 0);
  return model.nodes.length + total(model.calls) <= operatorLimit;
}

/** Expressions report numbers that are too large themselves; here are those that come up between them. */
export function withinIntegers<T>(context: Context, decl: Declaration, check: () => T): T | undefined {
  try {
    return check();
  } catch (e) {
    if (!(e instanceof DimOverflow)) throw e;
    context.report(diagnostic('CROB2224', decl.name.span, {}));
    return undefined;
  }
}
