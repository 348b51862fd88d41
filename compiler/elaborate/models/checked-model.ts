import type { Ident, ModelDecl } from '../../../grammar/tree.ts';
import { diagnostic } from '../../diagnostics/diagnostic.ts';
import { asConstant, constant, type Dim, variables } from '../../dims/dim.ts';
import { type Clause, Facts, showClause } from '../../dims/facts.ts';
import type { Guard } from '../../ir/graph.ts';
import { guardClause } from '../../ir/guard-clause.ts';
import type { Context } from '../context/context.ts';
import { substituteClause } from '../eval/signature.ts';
import { isDoubtful } from '../source/doubtful.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { ModelAt } from '../source/recipe-chain.ts';
import { type Attempt, attempt, attemptForm } from './attempt.ts';
import { explained } from './blame.ts';
import type { ModelGraph } from './model.ts';
import { noteUnread } from './note-unread.ts';
import { noteUnreadInputs } from './note-unread-inputs.ts';

/** A model in the context's form, with everything that is wrong with it reported; undefined when something is. */
export function modelGraph(context: Context, decl: ModelDecl, file: FileScope): ModelGraph | undefined {
  const model = reported(context, { decl, file }, attempt(context, { decl, file }));
  // A training step is compiled from a model that is checked in inference as well.
  if (model && !context.training) {
    noteUnread(context, { decl, file }, model);
    noteUnreadInputs(context, { decl, file }, model);
  }
  return model;
}

/** The same of a model that is checked in another form as well, so that its parts are known to be used. */
export function trainingGraph(context: Context, at: ModelAt): ModelGraph | undefined {
  return reported(context, at, attemptForm(context, at));
}

function reported(context: Context, at: ModelAt, { model, faults }: Attempt): ModelGraph | undefined {
  // What may come of text that was lost to a syntax error is no one's fault; the model has gaps all the same.
  const certain = new Map([...faults].filter(([, d]) => !isDoubtful(context.run.program, d)));
  for (const d of explained(context, at, certain)) context.report(d);
  return faults.size === 0 ? model : undefined;
}

/** Sizes must be of dims that the model has, and keep its conditions. */
export function checkSizes(
  context: Context,
  model: ModelGraph,
  { name: of, span }: Ident,
  sizes: ReadonlyMap<string, number>,
): void {
  const free = new Set(model.inputs.flatMap((input) => input.value.type.shape.flatMap((d) => [...variables(d)])));
  for (const name of sizes.keys()) {
    if (free.has(name)) continue;
    context.report(diagnostic('CROB2116', span, { name }, { help: `the dims of ${of} are ${[...free].join(', ')}` }));
  }
  for (const clause of brokenGuards(model, sizes)) {
    const details = [...sizes].map(([name, n]) => `${name} = ${n}`);
    const stated = model.guards.find((one) => shownGuard(one) === clause)?.span;
    const notes = stated ? [{ span: stated, text: 'required here' }] : [];
    context.report(diagnostic('CROB2207', span, { what: of, clause }, { details, notes }));
  }
}

function shownGuard(guard: Guard): string | undefined {
  const clause = guardClause(guard);
  return clause && showClause(clause);
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
