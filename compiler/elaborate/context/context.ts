import type { Span } from '../../../grammar/span.ts';
import type { ModuleDecl } from '../../../grammar/tree.ts';
import { type Diagnostic, diagnosticKey } from '../../diagnostics/diagnostic.ts';
import type { Clause } from '../../dims/clause.ts';
import { clauseKey } from '../../dims/facts.ts';
import { isDoubtful } from '../source/doubtful.ts';
import type { Program } from '../source/program.ts';
import type { Asked } from './asked.ts';
import type { Declared } from './declared.ts';
import type { Given, Read, Template } from './elaborated.ts';
import { isWithin } from './paths.ts';
import { dependsOnTraining } from './reads.ts';
import { type TemplateStore, templateStore } from './store.ts';

/** Counters of one run, which its limits bound. */
export interface Budget {
  /** Expressions evaluated and modules constructed for one declaration. */
  steps: number;
  /** Calls around the current one. */
  calls: number;
  /** Those of them that are of functions of statics, outermost first; `callee` is the place of the function's name. */
  readonly statics: { readonly callee: Span; readonly given: ReadonlyMap<string, Given> }[];
  /** Expressions around the current one. */
  nesting: number;
  /** Modules under construction, outermost first. */
  readonly constructions: string[];
  /** Set once a limit was reported, since it would be reported again at every place. */
  exceeded: boolean;
  /** Set while the constructions around a module that contains itself are given up. */
  endless: boolean;
}

/** How often a declaration with faults may still be elaborated to find out what it lacks; shared by all runs of a program. */
export interface Trials {
  left: number;
}

/** The most for one declaration: with more, some conditions are found in the next check only. */
const mostTrials = 40;

/** One elaboration of a program in one form; its contexts share what was made in it. */
export interface Run {
  readonly program: Program;
  /** Shared with the other runs of the program. */
  readonly store: TemplateStore;
  /** Templates of this run, by key. A call of one that is under elaboration is a recursion. */
  readonly templates: Map<string, Template | 'under elaboration'>;
  /** What instances of a module have in common, made for the first of them. */
  readonly declared: Map<ModuleDecl, Declared>;
  readonly budget: Budget;
  /** What of a model waits for its value, outermost first. */
  readonly asked: Asked[];
  readonly trials: Trials;
  /** What it is tried out with. */
  readonly assumed: Assumed;
}

/** Conditions that models, methods and functions are tried out with beyond those that they state, by `ownerKey`. */
export type Assumed = ReadonlyMap<string, readonly Clause[]>;

/** The declaration of a `where` by the place of its name. */
export function ownerKey({ file, start }: Span): string {
  return `${file}:${start}`;
}

/** Where in a run an elaboration is: its form, where its diagnostics go, and where its reads are recorded. */
export interface Context {
  readonly run: Run;
  /** Whether `training` is true. */
  readonly training: boolean;
  /** Paths below which `training` is false all the same: a recipe's `eval`. */
  readonly evaluated: readonly string[];
  /** What the template under elaboration has looked at. */
  readonly reads: Read[];
  readonly report: (d: Diagnostic) => void;
}

interface Opening {
  readonly training: boolean;
  readonly store?: TemplateStore;
  /** Modules at and below these paths are in evaluation form. */
  readonly evaluated?: readonly string[];
}

/** A fresh run of a program. Diagnostics go to `report`, once for each place and text. */
export function openRun(program: Program, report: (d: Diagnostic) => void, opening: Opening): Context {
  const { training, store = templateStore(), evaluated = [] } = opening;
  const seen = new Set<string>();
  return {
    run: newRun(program, store, new Map(), { left: mostTrials }),
    training,
    evaluated,
    reads: [],
    report(d) {
      const key = diagnosticKey(d);
      if (seen.has(key)) return;
      seen.add(key);
      if (!isDoubtful(program, d)) report(d);
    },
  };
}

function newRun(program: Program, store: TemplateStore, assumed: Assumed, trials: Trials): Run {
  const budget: Budget = {
    steps: 0,
    calls: 0,
    statics: [],
    nesting: 0,
    constructions: [],
    exceeded: false,
    endless: false,
  };
  return { program, store, templates: new Map(), declared: new Map(), budget, asked: [], trials, assumed };
}

/** Another run of the same program in the same form, whose diagnostics are dropped unless they are collected. */
export function fork(context: Context): Context {
  const { program, store, assumed, trials } = context.run;
  return { ...context, run: newRun(program, store, assumed, trials), reads: [], report: () => undefined };
}

/** A fork in which some declarations have more conditions. Templates are shared only where those are conditions of models. */
export function assuming(context: Context, assumed: Assumed, store: TemplateStore): Context {
  // A base and its variant take over each other's: each once, or they would double with every round.
  const once = new Map([...assumed].map(([owner, clauses]) => [owner, distinct(clauses)]));
  return {
    ...context,
    run: newRun(context.run.program, store, once, context.run.trials),
    reads: [],
    report: () => undefined,
  };
}

function distinct(clauses: readonly Clause[]): readonly Clause[] {
  return [...new Map(clauses.map((clause) => [clauseKey(clause), clause])).values()];
}

/** Limits count from each declaration anew. */
export function resetBudget({ run: { budget, trials } }: Context): void {
  trials.left = mostTrials;
  budget.steps = 0;
  budget.calls = 0;
  budget.statics.length = 0;
  budget.nesting = 0;
  budget.exceeded = false;
  budget.constructions.length = 0;
}

/** A context whose diagnostics are kept, to be reported by whoever they concern. */
export function collecting(context: Context, into: Map<string, Diagnostic>): Context {
  const { run, training, evaluated, reads } = context;
  const report = (d: Diagnostic): void => {
    const key = diagnosticKey(d);
    if (!into.has(key)) into.set(key, d);
  };
  return { run, training, evaluated, reads, report };
}

/** A context whose diagnostics are dropped, as they are reported elsewhere. */
export function silent({ run, training, evaluated, reads }: Context): Context {
  return { run, training, evaluated, reads, report: () => undefined };
}

/** The same context, but for who notes what it reads. */
export function reading({ run, training, evaluated, report }: Context, reads: Read[]): Context {
  return { run, training, evaluated, reads, report };
}

/** The result of some work, whether it went without a message, and what it looked at. */
export interface Observed<T> {
  readonly result: T;
  readonly sound: boolean;
  readonly reads: readonly Read[];
}

/** Does some work that notes its own reads; diagnostics are reported as before. */
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

/** What of the reads depends on the form: the value of `training` that was seen. */
export function trainingSeen(reads: readonly Read[]): boolean | undefined {
  for (let i = 0; i < reads.length; i++) {
    const read = reads[i];
    if (read?.kind === 'training') return read.value;
  }
  return undefined;
}

/** Whether the work would come out otherwise in the other form. */
export function isDependent({ reads }: Observed<unknown>): boolean {
  return reads.some(dependsOnTraining);
}

/** The context for what stands at a path: in evaluation form below an `eval` of the recipe. */
export function formAt(context: Context, path: string): Context {
  if (context.evaluated.length === 0 || !context.training) return context;
  return context.evaluated.some((root) => isWithin(path, root)) ? { ...context, training: false } : context;
}

/** What the `eval`s of a recipe make of a module, as a part of its identity; '' without any. */
export function evaluatedMark(context: Context, path: string): string {
  const marks = context.evaluated.flatMap((root) => {
    if (isWithin(path, root)) return ['*'];
    return isWithin(root, path) ? [root.slice(path.length)] : [];
  });
  return marks.length === 0 ? '' : `eval(${marks.join()})`;
}
