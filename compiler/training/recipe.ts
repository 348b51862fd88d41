import { position, type Span } from '../../grammar/span.ts';
import { type Selection, selects } from '../elaborate/models/selection.ts';
import type { EvaluatedRecipe } from '../elaborate/recipes/recipe.ts';
import type { Constructed, Rate, SettingValue, Sourced } from '../elaborate/recipes/recipe-settings.ts';
import { isUpdated, type Trained } from '../elaborate/recipes/recipe-weights.ts';
import type { Program } from '../elaborate/source/program.ts';
import {
  type MetricName,
  metricNames,
  type optimizers,
  type ProtocolName,
  type precisionNames,
  protocolNames,
  type schedules,
} from '../elaborate/source/recipe-tables.ts';
import { settingsFile } from '../elaborate/source/settings-source.ts';
import type { PlacedMap } from '../elaborate/weights/weights-map-places.ts';

/**
 * The precision of matrix products and convolutions in training: `f32`, `tf32` (f32 with factors that CUDA rounds to 10
 * bits of mantissa), or half precision with weights and moments in f32.
 */
export type TrainingPrecision = (typeof precisionNames)[number];

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

/**
 * A part of the schedule, as a factor of the optimizer's `lr`. `warmup` lasts `steps`; each other part lasts until the
 * next one.
 */
export type SchedulePart =
  | { readonly kind: 'warmup'; readonly steps: number }
  | { readonly kind: 'poly'; readonly power: number; readonly end: number }
  | { readonly kind: 'cosine'; readonly end: number }
  | { readonly kind: 'constant'; readonly factor: number };

/** Weights that share settings; if several groups select a weight, the first one applies. */
export interface Group extends Selection {
  readonly lr: Rate | undefined;
  readonly weightDecay: Rate | undefined;
}

/** Published weights for a part of the model, with a map of their names. */
export interface Initialisation extends Selection {
  /** The path as written; it is relative to the folder of the file that contains it. */
  readonly file: string;
  /** The place in the source: `models/crobim.crob:46`. */
  readonly source: string;
  readonly via: PlacedMap | undefined;
  /** Weights that it does not initialise. */
  readonly except: readonly Selection[];
}

/** How a model is trained, resolved to plain data. */
export interface Recipe {
  readonly name: string;
  readonly model: string;
  /** The size of every dim of the model, including the batch `B`. */
  readonly dims: ReadonlyMap<string, number>;
  /** The terms as written, by name; the loss is their sum. */
  readonly terms: ReadonlyMap<string, string>;
  /** Inputs of the losses that are not inputs of the model, such as `target`. */
  readonly inputs: readonly string[];
  readonly optimizer: Optimizer;
  /** In order; a constant factor of 1 if the recipe has no schedule. */
  readonly schedule: readonly SchedulePart[];
  readonly length: { readonly epochs: number } | { readonly steps: number };
  /** The number of micro-batches per step. */
  readonly accumulate: number;
  /** The limit on the norm of all gradients together. */
  readonly clip: number | undefined;
  /** Decay of the moving average of the weights. */
  readonly ema: number | undefined;
  /** In the unit of `length`. */
  readonly evaluateEvery: number;
  readonly earlyStop: number | undefined;
  /** If undefined, checkpoints are written at evaluations, but not too soon after one another. */
  readonly checkpointEvery: number | undefined;
  readonly protocol: ProtocolName;
  readonly metric: MetricName;
  readonly seed: number;
  readonly augment: boolean;
  /** If undefined, `tf32` on CUDA and `f32` elsewhere. */
  readonly precision: TrainingPrecision | undefined;
  readonly groups: readonly Group[];
  /**
   * From `train only` or `train all except`: the weights that are updated, before `fixed` ones are excluded; undefined
   * for all.
   */
  readonly trained: Trained | undefined;
  /** Weights that are not updated. */
  readonly fixed: readonly Selection[];
  /** Modules that are kept in evaluation form. */
  readonly evaluated: readonly Selection[];
  /** A later entry overrides an earlier one. */
  readonly inits: readonly Initialisation[];
  /** The recipe whose result this one starts from. */
  readonly startFrom: string | undefined;
  /** The source of each value, by its name in a recipe: `models/crobim.crob:46`, `--set recipe.lr=1e-4`, `default`. */
  readonly sources: ReadonlyMap<string, string>;
  /** Notes for the user on inherited settings that were left out. */
  readonly notes: readonly string[];
}

/** Returns the evaluation interval of a recipe that sets none: one epoch, or a tenth of the steps. */
export function defaultInterval(length: Recipe['length']): number {
  return 'epochs' in length ? 1 : Math.ceil(length.steps / 10);
}

/**
 * Returns the recipe with another length, like `--set recipe.steps`; adapts intervals that count epochs or derive from
 * the length.
 */
export function withSteps(recipe: Recipe, steps: number): Recipe {
  const length = { steps };
  const counted = 'steps' in recipe.length;
  const given = counted && recipe.sources.get('evaluate_every') !== 'default';
  return {
    ...recipe,
    length,
    evaluateEvery: given ? recipe.evaluateEvery : defaultInterval(length),
    checkpointEvery: counted ? recipe.checkpointEvery : undefined,
  };
}

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
  const terms = new Map<string, string>();
  for (const [name, { decl: member }] of evaluated.equations.terms) {
    terms.set(name, program.text(member.value.span).replace(/\s+/g, ' '));
    sources.set(`term ${name}`, place(member.span));
  }
  const length = epochs === undefined ? { steps: steps! } : { epochs };
  if (evaluated.start) sources.set('start_from', place(evaluated.start.span));
  const [protocol, metric] = [text('protocol') as ProtocolName | undefined, text('metric') as MetricName | undefined];
  return {
    name: names.recipe,
    model: names.model,
    dims,
    terms,
    inputs: evaluated.losses.inputs.map((input) => input.name),
    optimizer: resolveOptimizer(evaluated, sources, place),
    schedule: resolveSchedule(setting('schedule')),
    length,
    accumulate: number('accumulate') ?? 1,
    clip: number('clip'),
    ema: number('ema'),
    evaluateEvery: number('evaluate_every') ?? defaultInterval(length),
    earlyStop: number('early_stop'),
    checkpointEvery: number('checkpoint_every'),
    protocol: protocol ?? protocolNames[0],
    metric: metric ?? metricNames[0],
    seed: number('seed') ?? 0,
    augment: plainOf(setting('augment'), 'boolean') ?? false,
    precision: text('precision') as TrainingPrecision | undefined,
    groups: evaluated.groups.map(({ value, span, rates }) => {
      sources.set(`group ${value.pattern}`, place(span));
      return { ...value, lr: rates.get('lr'), weightDecay: rates.get('weight_decay') };
    }),
    trained: trainedOf(evaluated, sources, place),
    fixed: listed('fix', evaluated.fixed),
    evaluated: listed('eval', evaluated.evaluated),
    inits: evaluated.inits.map(({ value, span, from, via, except }) => {
      sources.set(`init ${value.pattern}`, place(span));
      return { ...value, file: from, source: place(span), via, except };
    }),
    startFrom: evaluated.start?.value.decl.name.name,
    sources,
    notes: [
      ...[...evaluated.outdated].map(([name, { span }]) => {
        const [was, is] = epochs === undefined ? ['epochs', 'steps'] : ['steps', 'epochs'];
        return `${name} of ${place(span)} counts ${was}, and the run counts ${is}: the setting has no effect`;
      }),
      ...evaluated.idle.map(
        ({ value, span }) => `group ${value.pattern} of ${place(span)} has no effect: none of its weights is trained`,
      ),
    ],
  };
}

function trainedOf(
  { trained }: EvaluatedRecipe,
  sources: Map<string, string>,
  place: (span: Span) => string,
): Trained | undefined {
  if (trained) sources.set('train', place(trained.span));
  return trained?.value;
}

function placeOf(program: Program, span: Span): string {
  const text = program.files.get(span.file)?.tree.text ?? '';
  if (span.file !== settingsFile) return `${span.file}:${position(text, span.start).line}`;
  const end = text.indexOf('\n', span.start);
  return `--set ${text.slice(text.lastIndexOf('\n', span.start - 1) + 1, end < 0 ? undefined : end)}`;
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

/** Returns the optimizer with the arguments that a nearer recipe or `--set` overrides. */
function resolveOptimizer(
  { settings }: EvaluatedRecipe,
  sources: Map<string, string>,
  place: (span: Span) => string,
): Optimizer {
  const { value, span } = settings.get('optimizer')!;
  if (value.kind !== 'constructed') throw new Error('bug in crobc: an optimizer that is none');
  const { name, args, given } = value.parts[0]!;
  sources.set('optimizer', place(span));
  const values: Record<string, number> = {};
  for (const [key, own] of Object.entries(args)) {
    const setting = settings.get(key);
    const changed = setting?.value.kind === 'number' ? setting.value : undefined;
    values[key] = changed ? applied(changed, own) : own;
    sources.set(key, setting && changed ? place(setting.span) : given.has(key) ? place(span) : 'default');
  }
  const { lr, weight_decay: weightDecay, beta1, beta2, eps, momentum } = values;
  switch (name as keyof typeof optimizers) {
    case 'AdamW':
      return { kind: 'AdamW', lr: lr!, weightDecay: weightDecay!, beta1: beta1!, beta2: beta2!, eps: eps! };
    case 'SGD':
      return { kind: 'SGD', lr: lr!, momentum: momentum!, weightDecay: weightDecay! };
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
  /** A factor of the optimizer's learning rate. */
  readonly lrFactor: number;
  readonly weightDecay: number;
}

/** Returns how a weight is updated. `decays` is false for a weight that is exempt from weight decay (`@no_decay`). */
export function weightSettings(
  { optimizer, groups, trained, fixed }: Pick<Recipe, 'optimizer' | 'groups' | 'trained' | 'fixed'>,
  path: string,
  decays: boolean,
): WeightSettings {
  const group = groups.find((one) => selects(one, path));
  const { lr, weightDecay } = optimizer;
  return {
    frozen: !isUpdated(trained, fixed, path),
    lrFactor: group?.lr ? applied(group.lr, lr) / lr : 1,
    weightDecay: !decays ? 0 : group?.weightDecay ? applied(group.weightDecay, weightDecay) : weightDecay,
  };
}
