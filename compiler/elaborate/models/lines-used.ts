import type { Span } from '../../../grammar/span.ts';
import { type Context, fork } from '../context/context.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { isWritten } from './flat-model.ts';
import { liveLines } from './live-members.ts';
import { elaborateModel, type ModelGraph } from './model.ts';

/**
 * A line of the model itself that nothing depends on, in training or in inference, changes nothing, whatever the reason: an
 * override, a parameter that is given, a `let`.
 */
export function checkLinesUsed(context: Context, model: ModelGraph): void {
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
  const spans = live && new Set([...live].map(({ span }) => span));
  for (const { span, use } of own)
    if (use === 'none' || (use === 'value' && spans?.has(span) === false))
      dead.set(span, { kind: 'value', name: context.run.program.text(span) });
  return dead;
}

/** The `let` of the base that was meant, where the name is nearly its own. */
function forgotten({ flat, unread }: ModelGraph, name: string): string | undefined {
  const others = [...flat.lets.keys()].filter((other) => isWritten(other) && !unread.has(other));
  return didYouMean(name, others) ?? 'use it in an output, or leave it out';
}
