import { position, type Span } from '../../grammar/span.ts';
import type { Program } from '../elaborate/program.ts';
import type { EvaluatedRecipe, Sourced } from '../elaborate/recipe.ts';
import { type Selection, selects } from '../elaborate/recipe-paths.ts';
import type { Constructed, Rate, SettingValue } from '../elaborate/recipe-settings.ts';
import type { optimizers, schedules } from '../elaborate/recipe-tables.ts';
import { settingsFile } from '../elaborate/settings-source.ts';
import type { PlacedMap } from '../elaborate/weights-map-places.ts';

export type Optimizer =
  | {
      readonly kind: 'AdamW';
      readonly lr: number;
      readonly weightDecay: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly eps: number;
    }
  | { readonly kind: 'SGD'; readonly lr: number; readonly momentum: number; readonly weightDecay: number };

/** A part of the schedule, as a factor of the optimizer's `lr`; `warmup` lasts `steps`, the others to the next part. */
export type SchedulePart =
  | { readonly kind: 'warmup'; readonly steps: number }
  | { readonly kind: 'poly'; readonly power: number; readonly end: number }
  | { readonly kind: 'cosine'; readonly end: number }
  | { readonly kind: 'constant'; readonly factor: number };

/** Weights that share settings; the first group that has a weight counts for it. */
export interface Group extends Selection {
  readonly lr: Rate | undefined;
  readonly weightDecay: Rate | undefined;
}

/** Published weights for a part of the model, through a map of names. */
export interface Initialisation extends Selection {
  /** As written: a path, from the folder of the file that says it. */
  readonly file: string;
  /** Where it is said: `models/crobim.crob:46`. */
  readonly source: string;
  readonly via: PlacedMap | undefined;
}

/** How a model is trained, resolved to plain data. */
export interface Recipe {
  readonly name: string;
  readonly model: string;
  /** Every dim of the model, the batch `B` too. */
  readonly dims: ReadonlyMap<string, number>;
  /** The loss is their sum. */
  readonly terms: readonly string[];
  /** Inputs of the losses that the model does not have, such as `target`. */
  readonly inputs: readonly string[];
  readonly optimizer: Optimizer;
  /** In order; a constant factor of 1 when the recipe gives none. */
  readonly schedule: readonly SchedulePart[];
  readonly length: { readonly epochs: number } | { readonly steps: number };
  /** Micro-batches of one step. */
  readonly accumulate: number;
  /** Largest norm of all gradients together. */
  readonly clip: number | undefined;
  /** Decay of the moving average of the weights. */
  readonly ema: number | undefined;
  readonly evaluateEvery: number | undefined;
  readonly earlyStop: number | undefined;
  readonly checkpointEvery: number | undefined;
  readonly protocol: string | undefined;
  readonly metric: string | undefined;
  readonly seed: number;
  readonly augment: boolean;
  readonly groups: readonly Group[];
  /** Weights that are not updated. */
  readonly fixed: readonly Selection[];
  /** Modules in evaluation form. */
  readonly evaluated: readonly Selection[];
  /** A later one replaces what an earlier one gave. */
  readonly inits: readonly Initialisation[];
  /** The recipe from whose result this one starts. */
  readonly startFrom: string | undefined;
  /** Where each value was said, by its name in a recipe: `models/crobim.crob:46`, `--set recipe.lr=1e-4`, `default`. */
  readonly sources: ReadonlyMap<string, string>;
}

/** `text` is the source as it was given, for what `--set` said. */
export function resolveRecipe(
  evaluated: EvaluatedRecipe,
  program: Program,
  names: { recipe: string; model: string },
): Recipe {
  const { settings } = evaluated;
  const sources = new Map<string, string>();
  const place = (span: Span) => placeOf(program, span);
  const setting = (name: string): SettingValue | undefined => {
    const found = settings.get(name);
    sources.set(name, found ? place(found.span) : 'default');
    return found?.value;
  };
  const number = (name: string) => numberOf(setting(name));
  const text = (name: string) => plainOf(setting(name), 'string');
  const listed = <T extends Selection>(key: string, all: readonly Sourced<T>[]): readonly T[] =>
    all.map(({ value, span }) => {
      sources.set(`${key} ${value.pattern}`, place(span));
      return value;
    });
  const epochs = number('epochs');
  const steps = number('steps');
  sources.delete(epochs === undefined ? 'epochs' : 'steps');
  const dims = new Map<string, number>();
  for (const [name, { value, span }] of evaluated.bindings) {
    dims.set(name, value);
    sources.set(name, place(span));
  }
  return {
    name: names.recipe,
    model: names.model,
    dims,
    terms: [...evaluated.losses.terms.keys()],
    inputs: evaluated.losses.inputs.map((input) => input.name),
    optimizer: resolveOptimizer(evaluated, sources, place),
    schedule: resolveSchedule(setting('schedule')),
    length: epochs === undefined ? { steps: steps! } : { epochs },
    accumulate: number('accumulate') ?? 1,
    clip: number('clip'),
    ema: number('ema'),
    evaluateEvery: number('evaluate_every'),
    earlyStop: number('early_stop'),
    checkpointEvery: number('checkpoint_every'),
    protocol: text('protocol'),
    metric: text('metric'),
    seed: number('seed') ?? 0,
    augment: plainOf(setting('augment'), 'boolean') ?? false,
    groups: evaluated.groups.map(({ value, span, rates }) => {
      sources.set(`group ${value.pattern}`, place(span));
      return { ...value, lr: rates.get('lr'), weightDecay: rates.get('weight_decay') };
    }),
    fixed: listed('fix', evaluated.fixed),
    evaluated: listed('eval', evaluated.evaluated),
    inits: evaluated.inits.map(({ value, span, from, via }) => {
      sources.set(`init ${value.pattern}`, place(span));
      return { ...value, file: from, source: place(span), via };
    }),
    startFrom: evaluated.start?.value.decl.name.name,
    sources,
  };
}

function placeOf(program: Program, span: Span): string {
  const text = program.files.get(span.file)?.tree.text ?? '';
  if (span.file !== settingsFile) return `${span.file}:${position(text, span.start).line}`;
  const line = text.slice(span.start, text.indexOf('\n', span.start));
  const said = /^(\w+)\s*=\s*([^,{]*(?:\([^)]*\)[^,{]*)*)/.exec(line);
  if (!said) return settingsFile;
  const [, name, value] = said;
  return `--set ${/^[A-Z]/.test(name!) ? '' : 'recipe.'}${name}=${value!.trim()}`;
}

function numberOf(value: SettingValue | undefined): number | undefined {
  return value?.kind === 'number' ? value.value : undefined;
}

function plainOf<K extends 'string' | 'boolean'>(
  value: SettingValue | undefined,
  kind: K,
): { string: string; boolean: boolean }[K] | undefined {
  const plain = value?.kind === 'plain' ? value.value : undefined;
  return typeof plain === kind ? (plain as { string: string; boolean: boolean }[K]) : undefined;
}

/** The optimizer with what a nearer recipe, or `--set`, says of its `lr` and `weight_decay`. */
function resolveOptimizer(
  { settings }: EvaluatedRecipe,
  sources: Map<string, string>,
  place: (span: Span) => string,
): Optimizer {
  const { value, span } = settings.get('optimizer')!;
  if (value.kind !== 'constructed') throw new Error('bug in crobc: an optimizer that is none');
  const { name, args, given } = value.parts[0]!;
  sources.set('optimizer', place(span));
  for (const key of Object.keys(args)) sources.set(key, given.has(key) ? place(span) : 'default');
  const changed = (key: 'lr' | 'weight_decay'): number => {
    const said = settings.get(key);
    if (said?.value.kind !== 'number') return args[key]!;
    sources.set(key, place(said.span));
    return applied(said.value, args[key]!);
  };
  const lr = changed('lr');
  const weightDecay = changed('weight_decay');
  switch (name as keyof typeof optimizers) {
    case 'AdamW':
      return { kind: 'AdamW', lr, weightDecay, beta1: args.beta1!, beta2: args.beta2!, eps: args.eps! };
    case 'SGD':
      return { kind: 'SGD', lr, momentum: args.momentum!, weightDecay };
  }
}

function applied({ value, factor }: Rate, base: number): number {
  return factor ? value * base : value;
}

function resolveSchedule(value: SettingValue | undefined): readonly SchedulePart[] {
  if (value?.kind !== 'constructed') return [{ kind: 'constant', factor: 1 }];
  return value.parts.map(schedulePart);
}

function schedulePart({ name, args }: Constructed): SchedulePart {
  switch (name as keyof typeof schedules) {
    case 'warmup':
      return { kind: 'warmup', steps: args.steps! };
    case 'poly':
      return { kind: 'poly', power: args.power!, end: args.end! };
    case 'cosine':
      return { kind: 'cosine', end: args.end! };
    case 'constant':
      return { kind: 'constant', factor: args.factor! };
  }
}

/** How one weight is updated. */
export interface WeightSettings {
  readonly frozen: boolean;
  /** Of the optimizer's learning rate. */
  readonly lrFactor: number;
  readonly weightDecay: number;
}

/** `decays`: whether the weight is subject to weight decay at all (not `@no_decay`). */
export function weightSettings(
  { optimizer, groups, fixed }: Pick<Recipe, 'optimizer' | 'groups' | 'fixed'>,
  path: string,
  decays: boolean,
): WeightSettings {
  const group = groups.find((one) => selects(one, path));
  const { lr, weightDecay } = optimizer;
  return {
    frozen: fixed.some((one) => selects(one, path)),
    lrFactor: group?.lr ? applied(group.lr, lr) / lr : 1,
    weightDecay: !decays ? 0 : group?.weightDecay ? applied(group.weightDecay, weightDecay) : weightDecay,
  };
}
