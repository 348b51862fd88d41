/** A kind of number that a setting accepts: its name in messages, and a predicate. */
export interface NumberKind {
  readonly expected: string;
  fits(n: number): boolean;
}

const above0: NumberKind = { expected: 'a number above 0', fits: (n) => n > 0 && Number.isFinite(n) };
const from0: NumberKind = { expected: 'a number of at least 0', fits: (n) => n >= 0 && Number.isFinite(n) };
const below1: NumberKind = { expected: 'a number from 0 to below 1', fits: (n) => n >= 0 && n < 1 };
const fraction: NumberKind = { expected: 'a number from 0 to 1', fits: (n) => n >= 0 && n <= 1 };
const count: NumberKind = { expected: 'an int of at least 1', fits: (n) => Number.isSafeInteger(n) && n >= 1 };
const whole: NumberKind = { expected: 'an int of at least 0', fits: (n) => Number.isSafeInteger(n) && n >= 0 };

/** Evaluation protocols, and the metrics that can select the best weights; the first of each is the default. */
export const protocolNames = ['lavt', 'caris', 'cris', 'rrsis', 'gres'] as const;
export const metricNames = ['mIoU', 'oIoU', 'Pr@0.5', 'Pr@0.6', 'Pr@0.7', 'Pr@0.8', 'Pr@0.9'] as const;
/** The precisions in which a step can be computed. */
export const precisionNames = ['f32', 'tf32', 'bf16', 'f16'] as const;
export type ProtocolName = (typeof protocolNames)[number];
export type MetricName = (typeof metricNames)[number];

export type SettingKind =
  | 'an optimizer'
  | 'a schedule'
  | 'true or false'
  | { readonly oneOf: readonly string[] }
  | NumberKind;

/** The settings of a recipe with their kinds. Arguments of the optimizer change those of the inherited optimizer. */
export const recipeSettings: Readonly<Record<string, SettingKind>> = {
  optimizer: 'an optimizer',
  lr: above0,
  weight_decay: from0,
  momentum: below1,
  beta1: below1,
  beta2: below1,
  eps: above0,
  schedule: 'a schedule',
  epochs: above0,
  steps: count,
  accumulate: count,
  clip: above0,
  ema: below1,
  evaluate_every: count,
  early_stop: count,
  checkpoint_every: count,
  protocol: { oneOf: protocolNames },
  metric: { oneOf: metricNames },
  seed: whole,
  augment: 'true or false',
  precision: { oneOf: precisionNames },
};

/** Settings in the unit of the recipe's length, epochs or steps. */
export const intervals = ['evaluate_every', 'checkpoint_every'] as const;

interface Argument {
  readonly kind: NumberKind;
  /** The default; an argument without one is required. */
  readonly otherwise?: number;
}
export type Constructors = Readonly<Record<string, Readonly<Record<string, Argument>>>>;

/** Optimizers with their arguments, in positional order. */
export const optimizers = {
  AdamW: {
    lr: { kind: above0 },
    weight_decay: { kind: from0, otherwise: 0.01 },
    beta1: { kind: below1, otherwise: 0.9 },
    beta2: { kind: below1, otherwise: 0.999 },
    eps: { kind: above0, otherwise: 1e-8 },
  },
  SGD: {
    lr: { kind: above0 },
    momentum: { kind: below1, otherwise: 0 },
    weight_decay: { kind: from0, otherwise: 0 },
  },
} as const satisfies Constructors;

/** Schedules of the learning rate, as factors of `lr`. */
export const schedules = {
  poly: { power: { kind: above0, otherwise: 0.9 }, end: { kind: fraction, otherwise: 0 } },
  cosine: { end: { kind: fraction, otherwise: 0 } },
  warmup: { steps: { kind: count } },
  constant: { factor: { kind: from0, otherwise: 1 } },
} as const satisfies Constructors;

/** The settings of a `group`: a number, or a factor of the optimizer's value. */
export const groupSettings: Readonly<Record<string, NumberKind>> = { lr: from0, weight_decay: from0 };

/** Arguments of optimizers, each of which a nearer recipe may set on its own. */
export const optimizerArguments: readonly string[] = [
  ...new Set(Object.values(optimizers).flatMap((one) => Object.keys(one))),
];
