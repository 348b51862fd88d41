import type { Span } from '../../../grammar/span.ts';
import type { ModuleDecl } from '../../../grammar/tree.ts';
import { type Diagnostic, diagnosticKey, isUnknownName } from '../../diagnostics/diagnostic.ts';
import type { Clause } from '../../dims/clause.ts';
import { clauseKey } from '../../dims/facts.ts';
import { isDoubtful } from '../source/doubtful.ts';
import type { Program } from '../source/program.ts';
import type { Asked } from './asked.ts';
import type { Declared } from './declared.ts';
import type { Given, Read } from './elaborated.ts';
import { isWithin } from './paths.ts';
import { dependsOnTraining } from './reads.ts';
import { type Forms, removeFaulty, type TemplateStore, type Templates, templateStore } from './store.ts';

/** Counters of one run, bounded by limits. */
export interface Budget {
  /** Expressions evaluated and modules constructed for one declaration. */
  steps: number;
  /** Nesting depth of calls. */
  calls: number;
  /** The active calls of static functions, outermost first; `callee` is the span of the function's name. */
  readonly statics: { readonly callee: Span; readonly given: ReadonlyMap<string, Given> }[];
  /** Nesting depth of expressions. */
  nesting: number;
  /** Modules under construction, outermost first. */
  readonly constructions: string[];
  /** Whether a limit has been reported; it would otherwise be reported again at every expression. */
  exceeded: boolean;
  /** Set while the constructions around a module that contains itself are unwound. */
  endless: boolean;
}

/**
 * The remaining trial elaborations of a declaration with faults, to find the conditions it lacks; shared by all runs
 * of a program.
 */
export interface Trials {
  left: number;
}

/** The maximum for one declaration; beyond it, some conditions are found only in the next check. */
const mostTrials = 40;

/** One elaboration of a program for training or inference; its contexts share the results. */
export interface Run {
  readonly program: Program;
  /** Shared with the other runs of the program. */
  readonly store: TemplateStore;
  /** Templates of this run, by key. A call of a template under elaboration is recursive. */
  readonly templates: Templates;
  /** What runs in either mode share with this one; undefined for runs whose templates are their own. */
  readonly forms: Forms | undefined;
  /** The parts that all instances of a module share, computed for the first one. */
  readonly declared: Map<ModuleDecl, Declared>;
  readonly budget: Budget;
  /** The values of the model under evaluation, outermost first. */
  readonly asked: Asked[];
  readonly trials: Trials;
  /** Conditions assumed on trial. */
  readonly assumed: Assumed;
}

/** Conditions assumed on trial, in addition to the declared ones, for models, methods and functions, by `ownerKey`. */
export type Assumed = ReadonlyMap<string, readonly Clause[]>;

/** The key of a declaration that can have a `where`: the position of its name. */
export function ownerKey({ file, start }: Span): string {
  return `${file}:${start}`;
}

/** The context of an elaboration in a run: its mode, where its diagnostics go, and where its reads are recorded. */
export interface Context {
  readonly run: Run;
  /** Whether `training` is true. */
  readonly training: boolean;
  /** Paths below which `training` is always false: a recipe's `eval`. */
  readonly evaluated: readonly string[];
  /** The reads of the template under elaboration. */
  readonly reads: Read[];
  readonly report: (d: Diagnostic) => void;
}

interface Opening {
  readonly training: boolean;
  readonly store?: TemplateStore;
  /** Templates to use and to add to, of runs with this store. */
  readonly forms?: Forms;
  /** Modules at and below these paths are in evaluation mode. */
  readonly evaluated?: readonly string[];
}

/** Opens a run of a program. Diagnostics go to `report`, identical ones only once. */
export function openRun(program: Program, report: (d: Diagnostic) => void, opening: Opening): Context {
  const { training, store = templateStore(), forms, evaluated = [] } = opening;
  const run = newRun({ program, store, assumed: new Map(), trials: { left: mostTrials }, forms }, training);
  return { run, training, evaluated, reads: [], report: onceEach(program, report) };
}

/** Returns the same context with diagnostics going to `report`, identical ones only once. */
export function reportingTo(context: Context, report: (d: Diagnostic) => void): Context {
  return { ...context, reads: [], report: onceEach(context.run.program, report) };
}

function onceEach(program: Program, report: (d: Diagnostic) => void): Context['report'] {
  const seen = new Set<string>();
  return (d) => {
    const key = diagnosticKey(d);
    if (seen.has(key)) return;
    seen.add(key);
    if (!isDoubtful(program, d)) report(d);
  };
}

function newRun(
  { program, store, assumed, trials, forms }: Pick<Run, 'program' | 'store' | 'assumed' | 'trials' | 'forms'>,
  training: boolean,
): Run {
  const templates: Templates = forms ? forms[training ? 'training' : 'inference'] : new Map();
  const budget: Budget = {
    steps: 0,
    calls: 0,
    statics: [],
    nesting: 0,
    constructions: [],
    exceeded: false,
    endless: false,
  };
  return { program, store, templates, forms, declared: new Map(), budget, asked: [], trials, assumed };
}

/**
 * Forks the context into a new run of the same program in the same mode, with templates of its own or with `forms`;
 * diagnostics are discarded unless collected.
 */
export function fork(context: Context, forms?: Forms): Context {
  const run = newRun({ ...context.run, forms }, context.training);
  return { ...context, run, reads: [], report: () => undefined };
}

/** Forks the context into a run in a mode, without `eval`s of a recipe, for the same model; diagnostics are discarded. */
export function inMode(context: Context, training: boolean): Context {
  return {
    ...context,
    run: newRun(context.run, training),
    training,
    evaluated: [],
    reads: [],
    report: () => undefined,
  };
}

/** Returns copies of the templates that a run shares, for trials with changed declarations. */
export function formsForTrials({ run: { forms } }: Context): Forms {
  return { inference: new Map(forms?.inference), training: new Map(forms?.training) };
}

/** Runs a trial, and removes its templates with faults: their messages have places in it. */
export function trial<T>(context: Context, forms: Forms, work: (context: Context) => T): T {
  const result = work(fork(context, forms));
  removeFaulty(forms.inference);
  removeFaulty(forms.training);
  return result;
}

/**
 * Forks the context with additional conditions for some declarations. Pass the same store only if all of these are
 * conditions of models.
 */
export function assuming(context: Context, assumed: Assumed, store: TemplateStore): Context {
  // A base and its variant adopt each other's conditions; without removing duplicates, they would double every
  // round.
  const once = new Map([...assumed].map(([owner, clauses]) => [owner, distinct(clauses)]));
  return {
    ...context,
    run: newRun({ ...context.run, store, assumed: once, forms: undefined }, context.training),
    reads: [],
    report: () => undefined,
  };
}

function distinct(clauses: readonly Clause[]): readonly Clause[] {
  return [...new Map(clauses.map((clause) => [clauseKey(clause), clause])).values()];
}

/** Resets the limits, which apply to each declaration separately. */
export function resetBudget({ run: { budget, trials } }: Context): void {
  trials.left = mostTrials;
  budget.steps = 0;
  budget.calls = 0;
  budget.statics.length = 0;
  budget.nesting = 0;
  budget.exceeded = false;
  budget.constructions.length = 0;
}

/** Returns a context that collects its diagnostics in `into` instead of reporting them. */
export function collecting(context: Context, into: Map<string, Diagnostic>): Context {
  const { run, training, evaluated, reads } = context;
  const report = (d: Diagnostic): void => {
    const key = diagnosticKey(d);
    if (!into.has(key)) into.set(key, d);
  };
  return { run, training, evaluated, reads, report };
}

/**
 * Returns a context for what cannot be judged, because it rests on something that has an error. Its diagnostics remain
 * faults, but only unknown names are reported.
 */
export function unjudged({ run, training, evaluated, reads, report }: Context): Context {
  return {
    run,
    training,
    evaluated,
    reads,
    report: (d) => report(isUnknownName(d) ? d : { ...d, mayFollow: true }),
  };
}

/** Returns a context that discards diagnostics, because they are reported elsewhere. */
export function silent({ run, training, evaluated, reads }: Context): Context {
  return { run, training, evaluated, reads, report: () => undefined };
}

/** Returns the same context with reads recorded in `reads`. */
export function reading({ run, training, evaluated, report }: Context, reads: Read[]): Context {
  return { run, training, evaluated, reads, report };
}

/** The result of some work, whether it had no errors, and what it read. */
export interface Observed<T> {
  readonly result: T;
  readonly sound: boolean;
  readonly reads: readonly Read[];
}

/** Runs `work` with its own list of reads; diagnostics are reported as before. */
export function observe<T>(context: Context, work: (context: Context) => T): Observed<T> {
  const reads: Read[] = [];
  let sound = true;
  const { run, training, evaluated } = context;
  const report = (d: Diagnostic): void => {
    if (d.severity === 'error') sound = false;
    context.report(d);
  };
  const result = work({ run, training, evaluated, reads, report });
  return { result, sound, reads };
}

/** The value of `training` that was read, if any. */
export function trainingSeen(reads: readonly Read[]): boolean | undefined {
  for (let i = 0; i < reads.length; i++) {
    const read = reads[i];
    if (read?.kind === 'training') return read.value;
  }
  return undefined;
}

/** Whether the result depends on `training`. */
export function isDependent({ reads }: Observed<unknown>): boolean {
  return reads.some(dependsOnTraining);
}

/** The context for a module at a path: in evaluation mode below an `eval` of the recipe. */
export function formAt(context: Context, path: string): Context {
  if (context.evaluated.length === 0 || !context.training) return context;
  return context.evaluated.some((root) => isWithin(path, root)) ? { ...context, training: false } : context;
}

/** The part of a module's identity that stems from the `eval`s of a recipe; '' if there are none. */
export function evaluatedMark(context: Context, path: string): string {
  const marks = context.evaluated.flatMap((root) => {
    if (isWithin(path, root)) return ['*'];
    return isWithin(root, path) ? [root.slice(path.length)] : [];
  });
  return marks.length === 0 ? '' : `eval(${marks.join()})`;
}
