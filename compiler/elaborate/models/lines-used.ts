import type { Span } from '../../../grammar/span.ts';
import { type Context, inMode } from '../context/context.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { isWritten } from './flat-model.ts';
import { liveLines } from './live-members.ts';
import { elaborateModel, type ModelGraph } from './model.ts';

/**
 * Reports lines of the model itself that nothing depends on in training or inference, so that they have no effect:
 * an override, the value of a parameter, a `let`.
 */
export function checkLinesUsed(context: Context, model: ModelGraph): void {
  let dead = deadLines(context, model);
  for (const training of [false, true]) {
    if (dead.size === 0) return;
    if (training === context.training && context.evaluated.length === 0) continue;
    const inner = inMode(context, training);
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

/** Returns the lines of the model itself, by span, that do not affect its result in this mode. */
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

/** Suggests the `let` of the base that was probably meant, if its name is similar. */
function forgotten({ flat, unread }: ModelGraph, name: string): string | undefined {
  const others = [...flat.lets.keys()].filter((other) => isWritten(other) && !unread.has(other));
  return didYouMean(name, others) ?? 'use it in an output, or leave it out';
}
