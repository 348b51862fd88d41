import type { Context } from '../context/context.ts';
import type { Instance, OverrideLine, Overrides, Val } from '../context/elaborated.ts';
import type { Place } from '../context/paths.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { staticMember } from './members.ts';
import { memberHelp } from './names-in-files.ts';

/**
 * Adds a line from the same model or a nearer one to overrides. It replaces lines of models further away that change
 * its inside.
 */
export function overlaid(
  below: ReadonlyMap<string, Overrides>,
  [step, ...rest]: readonly string[],
  line: OverrideLine,
): ReadonlyMap<string, Overrides> {
  if (step === undefined) return below;
  const held = below.get(step);
  const inside = held?.below ?? new Map<string, Overrides>();
  const node: Overrides =
    rest.length === 0
      ? { line, below: since(inside, line), span: line.span }
      : { line: held?.line, below: overlaid(inside, rest, line), span: held?.span ?? line.span };
  return new Map(below).set(step, node);
}

/** The lines of the model of the given line and of nearer models. */
function since(
  below: ReadonlyMap<string, Overrides>,
  { nearness }: Pick<OverrideLine, 'nearness'>,
): ReadonlyMap<string, Overrides> {
  const kept = new Map<string, Overrides>();
  for (const [step, node] of below) {
    const line = node.line && nearness <= node.line.nearness ? node.line : undefined;
    const inside = since(node.below, { nearness });
    if (line || inside.size > 0) kept.set(step, { ...node, line, below: inside });
  }
  return kept;
}

/**
 * Returns the overrides of each list item, given by its index or by `*`: the nearer model takes precedence, and
 * within a model the index.
 */
export function listOverrides(
  overrides: Overrides | undefined,
  length: number,
  context: Context,
): (i: number) => Overrides | undefined {
  if (!overrides) return () => undefined;
  for (const [step, { span }] of overrides.below) {
    if (step === '*') continue;
    const n = Number(step);
    if (!Number.isInteger(n))
      fail(
        { context },
        'CROB2301',
        span,
        { name: step, what: 'a list of modules' },
        { help: 'choose one with [0], or all with [*]' },
      );
    else if (n < 0 || n >= length) fail({ context }, 'CROB2310', span, { index: n, length });
  }
  const all = overrides.below.get('*');
  return (i) => {
    const own = overrides.below.get(String(i));
    return own && all ? merged(all, own) : (own ?? all);
  };
}

/**
 * Merges two sets of overrides of the same thing; of two lines the nearer one applies, of equally near ones that of
 * `one`.
 */
export function merged(all: Overrides, one: Overrides): Overrides {
  const line = one.line && all.line && one.line.nearness < all.line.nearness ? all.line : (one.line ?? all.line);
  const below = new Map(all.below);
  for (const [step, node] of one.below) {
    const held = below.get(step);
    below.set(step, held ? merged(held, node) : node);
  }
  return { line, below: line ? since(below, line) : below, span: one.span };
}

/** Checks that all names in the overrides exist; reports those that do not. */
export function hasNames(context: Context, instance: Instance): boolean {
  const steps = [...(instance.overrides?.below ?? [])];
  return steps.filter(([name, node]) => isName(context, instance, name, node)).length === steps.length;
}

/** An override must name a parameter or a part; all else is computed from these. */
function isName(context: Context, instance: Instance, name: string, { span, below }: Overrides): boolean {
  const { params, members } = instance.declared;
  const member = members.get(name);
  if (params.has(name) || member?.kind === 'field') return true;
  const what = instance.decl.name.name;
  const notes = [{ span: instance.decl.name.span, text: `module ${what} is declared here` }];
  if (isListStep(name)) {
    const help = 'it is one module, not a list of them';
    fail({ context }, 'CROB2301', span, { name: stepText(name), what: `module ${what}` }, { help });
  } else if (member?.kind === 'static') {
    fail({ context }, 'CROB2311', span, { name, what }, { notes });
  } else {
    const parts = [...members.values()].filter((m) => m.kind === 'field').map((m) => m.name.name);
    const names = [...params.keys(), ...parts];
    const help =
      memberHelp(context, instance, [name, ...firstSteps(below)]) ??
      didYouMean(name, names) ??
      `it has ${names.join(', ')}`;
    fail({ context }, 'CROB2301', span, { name, what }, { notes, help });
  }
  return false;
}

/** The steps of the first path. */
function firstSteps(below: ReadonlyMap<string, Overrides>): readonly string[] {
  const [first] = below;
  return first ? [first[0], ...firstSteps(first[1].below)] : [];
}

/** A step as source text, without the dot: `heads`, `[0]`. */
export function stepText(step: string): string {
  return isListStep(step) ? `[${step}]` : step;
}

function isListStep(step: string): boolean {
  return /^(-?\d+|\*)$/.test(step);
}

/** Reports overrides inside a module that belongs to another part, or inside `none`: they would have no effect. */
export function refuseInside(context: Context, value: Val, { source }: Place, { below }: Overrides): void {
  if (value.kind === 'instance') refuseShared(context, value, below, source, value.instance, value.instance.source);
  if (value.kind !== 'none') return;
  for (const [name, { span }] of below)
    fail({ context }, 'CROB2301', span, { name, what: `\`${source}\`, which is none,` });
}

/** `at` is the overridden value, `owned` its path where it belongs. */
function refuseShared(
  context: Context,
  at: Val | undefined,
  below: ReadonlyMap<string, Overrides>,
  source: string,
  shared: Instance,
  owned: string,
): void {
  for (const [step, node] of below) {
    const { line, span } = node;
    if (at?.kind === 'instance' && !isName(context, at.instance, step, node)) continue;
    const path = isListStep(step) ? `${owned}[${step}]` : `${owned}.${step}`;
    if (line) {
      fail(
        { context },
        'CROB2313',
        span,
        { path: source, owner: shared.source },
        {
          notes: [{ span: shared.span, text: `\`${shared.source}\` is made here` }],
          help: `override it where it is made: \`${path} = ${context.run.program.text(line.given(shared.shadow).span)}\``,
        },
      );
    }
    refuseShared(context, memberAt(context, at, step), node.below, source, shared, path);
  }
}

function memberAt(context: Context, value: Val | undefined, step: string): Val | undefined {
  if (value?.kind === 'list') return value.items[step === '*' ? 0 : Number(step)];
  return value?.kind === 'instance' ? staticMember(context, value.instance, step) : undefined;
}
