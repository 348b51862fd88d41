import { type Diagnostic, diagnosticKey } from '../diagnostics/diagnostic.ts';
import { apply } from './apply.ts';
import type { Depth, Interpreter, Session } from './body.ts';
import { instantiate } from './construct.ts';
import { isDoubtful } from './doubtful.ts';
import { evaluate } from './evaluate.ts';
import { member } from './members.ts';
import { callFunction, callMethod } from './methods.ts';
import type { Program } from './program.ts';
import { type Read, type SharedTemplates, sharedTemplates } from './sharing.ts';
import { execute, run } from './statements.ts';
import { dependsOnTraining } from './template-body.ts';

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
): Session {
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
export function beside(session: Session): Session {
  return { ...session, templates: new Map(), reads: [], depth: atTheStart(), report: () => undefined };
}

/** Limits count from each declaration anew. */
export function startOver({ depth }: Session): void {
  depth.steps = 0;
  depth.calls = 0;
  depth.nesting = 0;
  depth.tooDeep = false;
  depth.constructions.length = 0;
}

/** Does something, and tells whether it went without an error and whether it would be otherwise for another `training`. */
export function watched(
  session: Session,
  act: (session: Session) => void,
): { readonly sound: boolean; readonly dependent: boolean } {
  const reads: Read[] = [];
  let sound = true;
  session.reads.push(reads);
  try {
    act({
      ...session,
      report(d) {
        if (d.severity === 'error') sound = false;
        session.report(d);
      },
    });
  } finally {
    session.reads.pop();
  }
  return { sound, dependent: reads.some(dependsOnTraining) };
}
