import { type Diagnostic, diagnosticKey } from '../diagnostics/diagnostic.ts';
import { apply } from './calls/apply.ts';
import { callFunction, callMethod } from './calls/methods.ts';
import { type Read, type SharedTemplates, sharedTemplates } from './calls/sharing.ts';
import { dependsOnTraining } from './calls/template-body.ts';
import type { Context, Depth, Interpreter } from './context/scope.ts';
import { evaluate } from './eval/evaluate.ts';
import { execute, run } from './eval/statements.ts';
import { instantiate } from './modules/construct.ts';
import { member } from './modules/members.ts';
import { isDoubtful } from './source/doubtful.ts';
import type { Program } from './source/program.ts';

const interpreter: Interpreter = { evaluate, run, execute, apply, callFunction, callMethod, instantiate, member };

/**
 * A fresh elaboration of a program; messages go to `report`, once for each place and text. Modules at and below the
 * `evaluated` paths are in evaluation form.
 */
export function openSession(
  program: Program,
  training: boolean,
  report: (d: Diagnostic) => void,
  shared: SharedTemplates = sharedTemplates(),
  evaluated: readonly string[] = [],
): Context {
  const seen = new Set<string>();
  const depth = atTheStart();
  return {
    program,
    interpreter,
    training,
    evaluated,
    templates: new Map(),
    shared,
    reads: [],
    depth,
    report(d) {
      depth.reported++;
      const key = diagnosticKey(d);
      if (seen.has(key)) return;
      seen.add(key);
      if (isDoubtful(program, d)) return;
      report(d);
    },
  };
}

function atTheStart(): Depth {
  return { calls: 0, constructions: [], steps: 0, reported: 0, nesting: 0, tooDeep: false, endless: false };
}

/** One more elaboration of the same program, to see what comes out: nobody hears of it. */
export function beside(context: Context): Context {
  return { ...context, templates: new Map(), reads: [], depth: atTheStart(), report: () => undefined };
}

/** Limits count from each declaration anew. */
export function startOver({ depth }: Context): void {
  depth.steps = 0;
  depth.calls = 0;
  depth.nesting = 0;
  depth.tooDeep = false;
  depth.constructions.length = 0;
}

/** Does something, and tells whether it went without an error and whether it would be otherwise for another `training`. */
export function watched(
  context: Context,
  act: (context: Context) => void,
): { readonly sound: boolean; readonly dependent: boolean } {
  const reads: Read[] = [];
  let sound = true;
  context.reads.push(reads);
  try {
    act({
      ...context,
      report(d) {
        if (d.severity === 'error') sound = false;
        context.report(d);
      },
    });
  } finally {
    context.reads.pop();
  }
  return { sound, dependent: reads.some(dependsOnTraining) };
}
