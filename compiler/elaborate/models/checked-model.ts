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

/** Elaborates a model in the context's mode and reports its faults; undefined if it has any. */
export function modelGraph(context: Context, decl: ModelDecl, file: FileScope): ModelGraph | undefined {
  const model = reported(context, { decl, file }, attempt(context, { decl, file }));
  // Not in training: a model that is trained is also checked in inference.
  if (model && !context.training) {
    noteUnread(context, { decl, file }, model);
    noteUnreadInputs(context, { decl, file }, model);
  }
  return model;
}

/**
 * Like `modelGraph`, for a model that is also checked in another mode, so that the use of its parts is checked
 * there.
 */
export function trainingGraph(context: Context, at: ModelAt): ModelGraph | undefined {
  return reported(context, at, attemptForm(context, at));
}

function reported(context: Context, at: ModelAt, { model, faults }: Attempt): ModelGraph | undefined {
  // Faults that may be consequences of unparsed text are not reported, but the model is incomplete all the same.
  const certain = new Map([...faults].filter(([, d]) => !isDoubtful(context.run.program, d)));
  for (const d of explained(context, at, certain)) context.report(d);
  return faults.size === 0 ? model : undefined;
}

/** Checks that sizes belong to dims of the model and satisfy its conditions. */
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

/** The conditions of the model that the bound sizes violate, as text. */
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
