import type { Ident, ModelDecl } from '../../grammar/tree.ts';
import { diagnostic } from '../diagnostics/diagnostic.ts';
import { asConstant, constant, type Dim, variables } from '../dims/dim.ts';
import { type Clause, Facts, showClause } from '../dims/facts.ts';
import { type Attempt, attempt, attemptForm } from './attempt.ts';
import { explained } from './blame.ts';
import type { Session } from './body.ts';
import { isDoubtful } from './doubtful.ts';
import type { ModelGraph } from './model.ts';
import type { FileScope } from './program.ts';
import type { ModelAt } from './recipe-chain.ts';
import { substituteClause } from './signature.ts';

/** A model in the session's form, with everything that is wrong with it reported; undefined when something is. */
export function modelGraph(session: Session, decl: ModelDecl, file: FileScope): ModelGraph | undefined {
  return told(session, { decl, file }, attempt(session, { decl, file }));
}

/** The same of a model that is checked in another form as well, so that its parts are known to be used. */
export function trainingGraph(session: Session, at: ModelAt): ModelGraph | undefined {
  return told(session, at, attemptForm(session, at));
}

function told(session: Session, at: ModelAt, { model, faults }: Attempt): ModelGraph | undefined {
  // What may come of text that was lost to a syntax error is no one's fault; the model has gaps all the same.
  const certain = new Map([...faults].filter(([, d]) => !isDoubtful(session.program, d)));
  for (const d of explained(session, at, certain)) session.report(d);
  return faults.size === 0 ? model : undefined;
}

/** Sizes must be of dims that the model has, and keep its conditions. */
export function checkSizes(
  session: Session,
  model: ModelGraph,
  { name: of, span }: Ident,
  sizes: ReadonlyMap<string, number>,
): void {
  const free = new Set(model.inputs.flatMap((input) => input.value.type.shape.flatMap((d) => [...variables(d)])));
  for (const name of sizes.keys()) {
    if (free.has(name)) continue;
    session.report(diagnostic('CROB2116', span, { name }, { help: `the dims of ${of} are ${[...free].join(', ')}` }));
  }
  for (const clause of brokenGuards(model, sizes)) {
    session.report(
      diagnostic('CROB2207', span, { what: of, clause }, { details: [...sizes].map(([name, n]) => `${name} = ${n}`) }),
    );
  }
}

/** Conditions of the model that the bound sizes break. */
function brokenGuards(model: ModelGraph, bindings: ReadonlyMap<string, number>): string[] {
  const by = new Map<string, Dim>([...bindings].map(([dim, n]) => [dim, constant(n)]));
  return model.facts.clauses
    .filter((clause) => Facts.none.holds(substituteClause(clause, by)).answer === 'refuted' && isGround(clause, by))
    .map((clause) => showClause(clause));
}

function isGround(clause: Clause, by: ReadonlyMap<string, Dim>): boolean {
  const bound = substituteClause(clause, by);
  return (bound.kind === 'mod' ? [bound.value] : [bound.left, bound.right]).every(
    (side) => asConstant(side) !== undefined,
  );
}
