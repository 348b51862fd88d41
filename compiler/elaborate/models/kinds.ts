import type { Span } from '../../../grammar/span.ts';
import type { Ident } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import { fail } from '../report/report.ts';
import type { FlatModel, From } from './flat-model.ts';

/** What a name of a model may be. */
export type Kind = 'parameter' | 'part' | 'input' | 'let' | 'output';

/** Something of that name that a base has. */
interface Held {
  readonly kind: Kind;
  readonly span: Span;
  readonly model: string;
}

/** What a base has by each name, before a variant adds to it. */
export function heldNames(flat: FlatModel): ReadonlyMap<string, readonly Held[]> {
  const held = new Map<string, Held[]>();
  const add = <T>(kind: Kind, all: ReadonlyMap<string, From<T>>, spanOf: (decl: T) => Span) => {
    for (const [name, { decl, model }] of all)
      held.set(name, [...(held.get(name) ?? []), { kind, span: spanOf(decl), model }]);
  };
  const ofName = ({ name }: { readonly name: Ident }) => name.span;
  add('parameter', flat.params, ofName);
  add('part', flat.fields, ({ path }) => path.span);
  add('input', flat.inputs, ofName);
  add('let', flat.lets, ofName);
  add('output', flat.outputs, ofName);
  return held;
}

/** What one of a kind is called, and how a variant gives it anew. */
const kinds: Readonly<Record<Kind, { readonly one: string; readonly anew: (name: string) => string }>> = {
  parameter: { one: 'a parameter', anew: (name) => `${name} = …` },
  part: { one: 'a part', anew: (name) => `${name} = …` },
  input: { one: 'an input', anew: (name) => `input ${name}: …` },
  let: { one: 'a `let`', anew: (name) => `let ${name} = …` },
  output: { one: 'an output', anew: (name) => `output ${name} = …` },
};

/** A member of a variant; only an output may be without a value. */
interface Given {
  readonly kind: Kind;
  readonly name: string;
  readonly span: Span;
  readonly valued: boolean;
}

/**
 * A variant that gives a name of its base anew must mean the same kind of thing: else it would add a second one, beside what it
 * was to replace. A parameter is set as a part is, and an output without a value is the `let` of its name.
 */
export function isSameKind(
  context: Context,
  held: readonly Held[] | undefined,
  { kind, name, span, valued }: Given,
): boolean {
  const [first] = held ?? [];
  if (!first) return true;
  const isSame = (one: Kind) =>
    one === kind || (kind === 'part' && one === 'parameter') || (kind === 'output' && !valued && one === 'let');
  if (held!.some((one) => isSame(one.kind))) return true;
  const { kind: other, model } = first;
  fail(
    { context },
    'CROB2308',
    span,
    { name, kind: kinds[kind].one, held: kinds[other].one, model },
    {
      notes: [{ span: first.span, text: `declared in ${model}` }],
      help: `\`${kinds[other].anew(name)}\` changes it; for ${kinds[kind].one} in its place, take it out first: \`without ${name}\``,
    },
  );
  return false;
}
