import type { Span } from '../../../grammar/span.ts';
import type { Ident } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import { fail } from '../report/report.ts';
import type { FlatModel, From } from './flat-model.ts';

/** The kinds of names in a model. */
export type Kind = 'parameter' | 'part' | 'input' | 'let' | 'output';

/** A declaration of a base. */
interface Held {
  readonly kind: Kind;
  readonly span: Span;
  readonly model: string;
}

/** Returns the declarations of a base by name, before a variant is merged. */
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

/** The name of each kind in messages, and the syntax with which a variant replaces one. */
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
 * Checks that a variant's declaration has the same kind as the base's one of that name; otherwise it would add a
 * second declaration instead of replacing the first. A parameter is set like a part, and an output without a value
 * refers to the `let` of its name.
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
