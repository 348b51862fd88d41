import type { Selection } from '../../elaborate/models/selection.ts';
import type { Rate } from '../../elaborate/recipes/recipe-settings.ts';
import type { Recipe, SchedulePart } from '../../training/recipe.ts';
import {
  assign,
  atom,
  call,
  floatText,
  number,
  type Py,
  type PyStatement,
  stringLiteral,
  tuple,
} from './python/tree.ts';

/** The outputs of a model by what their axes say of samples. */
export interface OutputAxes {
  /** The first axis is the batch, and no other is. */
  readonly batched: readonly string[];
  /** Samples are related in another way: a matrix of all pairs. */
  readonly coupled: readonly string[];
}

/** The settings of a recipe as the value `RECIPE`. What is as in the class is left out. */
export function recipeValue(recipe: Recipe, inputs: readonly string[], outputs: OutputAxes): PyStatement {
  const { optimizer, trained, length } = recipe;
  const pairs = (values: Iterable<readonly [string, Py]>): Py => ({
    kind: 'dict',
    items: [...values].map(([key, value]): Py => ({ kind: 'pair', key: stringLiteral(key), value })),
  });
  const selections = (all: readonly Selection[]) => unlessEmpty(all.map((one) => selection('Selection', one)));
  return assign(
    'RECIPE',
    call('Recipe', [], {
      name: stringLiteral(recipe.name),
      model: stringLiteral(recipe.model),
      dims: pairs([...recipe.dims].map(([name, n]) => [name, number(n)])),
      inputs: strings(inputs),
      batched: strings(outputs.batched),
      coupled: outputs.coupled.length > 0 ? strings(outputs.coupled) : undefined,
      terms: pairs([...recipe.terms].map(([name, text]) => [name, stringLiteral(text)])),
      optimizer: optimizerValue(optimizer),
      schedule: tuple(recipe.schedule.map(scheduleValue)),
      epochs: 'epochs' in length ? number(length.epochs) : undefined,
      steps: 'steps' in length ? number(length.steps) : undefined,
      accumulate: recipe.accumulate === 1 ? undefined : number(recipe.accumulate),
      clip: float(recipe.clip),
      ema: float(recipe.ema),
      evaluate_every: number(recipe.evaluateEvery),
      early_stop: recipe.earlyStop === undefined ? undefined : number(recipe.earlyStop),
      checkpoint_every: recipe.checkpointEvery === undefined ? undefined : number(recipe.checkpointEvery),
      protocol: stringLiteral(recipe.protocol),
      metric: stringLiteral(recipe.metric),
      seed: number(recipe.seed),
      augment: recipe.augment ? atom('True') : undefined,
      groups: unlessEmpty(
        recipe.groups.map((group) =>
          selection('Group', group, { lr: rate(group.lr), weight_decay: rate(group.weightDecay) }),
        ),
      ),
      trained: trained?.mode === 'only' ? selections(trained.paths) : undefined,
      untrained: trained?.mode === 'except' ? selections(trained.paths) : undefined,
      fixed: selections(recipe.fixed),
      evaluated: selections(recipe.evaluated),
    }),
  );
}

function optimizerValue(optimizer: Recipe['optimizer']): Py {
  const { kind, lr, weightDecay } = optimizer;
  if (kind === 'SGD')
    return call('SGD', [], { lr: float(lr), momentum: float(optimizer.momentum), weight_decay: float(weightDecay) });
  const { beta1, beta2, eps } = optimizer;
  return call('AdamW', [], {
    lr: float(lr),
    weight_decay: float(weightDecay),
    beta1: float(beta1),
    beta2: float(beta2),
    eps: float(eps),
  });
}

function scheduleValue(part: SchedulePart): Py {
  switch (part.kind) {
    case 'warmup':
      return call('Warmup', [number(part.steps)]);
    case 'poly':
      return call('Poly', [atom(floatText(part.power))], { end: part.end === 0 ? undefined : float(part.end) });
    case 'cosine':
      return call('Cosine', [], { end: part.end === 0 ? undefined : float(part.end) });
    case 'constant':
      return call('Constant', part.factor === 1 ? [] : [atom(floatText(part.factor))]);
  }
}

function selection(
  kind: 'Selection' | 'Group',
  { pattern, roots }: Selection,
  more: Readonly<Record<string, Py | undefined>> = {},
): Py {
  return call(kind, [stringLiteral(pattern)], { roots: strings(roots), ...more });
}

function rate(given: Rate | undefined): Py | undefined {
  if (!given?.factor) return float(given?.value);
  return call('Times', [atom(floatText(given.value))]);
}

function float(value: number | undefined): Py | undefined {
  return value === undefined ? undefined : atom(floatText(value));
}

function strings(all: readonly string[]): Py {
  return tuple(all.map(stringLiteral));
}

function unlessEmpty(items: readonly Py[]): Py | undefined {
  return items.length > 0 ? tuple(items) : undefined;
}
