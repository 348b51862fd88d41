import { diagnostic } from '../../diagnostics/diagnostic.ts';
import { type Context, fork, inMode } from '../context/context.ts';
import type { ModelAt } from '../source/recipe-chain.ts';
import { attemptForm } from './attempt.ts';
import { baseOf } from './blame.ts';
import { elaborateModel, type ModelGraph } from './model.ts';

/**
 * Reports a note for inputs that no output depends on in training or inference: at the declaration in the model
 * itself, or at the name of a variant that no longer reads an input of its base. Callers must pass these inputs
 * nevertheless.
 */
export function noteUnreadInputs(context: Context, at: ModelAt, model: ModelGraph): void {
  const unread = inputsUnread(context, model);
  if (unread.length === 0) return;
  const base = baseOf(at);
  const ofBase = base && attemptForm(fork(context), base).model;
  const before = new Set(ofBase && inputsUnread(context, ofBase));
  for (const name of unread) {
    const input = model.flat.inputs.get(name);
    if (!input || before.has(name)) continue;
    const { span } = input.decl.name;
    const isOwn = input.model === model.flat.name;
    const notes = isOwn ? [] : [{ span, text: 'declared here' }];
    context.report(diagnostic('CROB2318', isOwn ? span : at.decl.name.span, { name }, { notes }));
  }
}

function inputsUnread(context: Context, model: ModelGraph): readonly string[] {
  const here = [...model.unread].filter((name) => model.flat.inputs.has(name));
  if (here.length === 0) return here;
  const other = elaborateModel(inMode(context, !context.training), model.flat);
  return here.filter((name) => !other || other.unread.has(name));
}
