import { finish } from '../../compiler/graphs/rebuild.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import type { Recipe } from '../../compiler/training/recipe.ts';
import { cut, shownValue } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import type { Checkpoint, RunIdentity, Surroundings } from './checkpoint.ts';

export interface IdentityOptions {
  readonly training: Training;
  readonly seed: number;
  readonly steps: number;
  readonly blank: boolean;
  readonly hashes: Pick<RunIdentity['hashes'], 'data' | 'vocabulary'>;
}

/** The parts of the identity that must be equal for a run to be resumed. */
export type Matter = Omit<RunIdentity, 'surroundings'>;

/** Returns the identity of a run for its checkpoints. */
export function runIdentity({ training, seed, steps, blank, hashes }: IdentityOptions): Matter {
  const { recipe } = training;
  return {
    model: recipe.model,
    seed,
    recipe: { ...plainRecipe(recipe), steps, ...(blank ? { phrases: 'blank' } : {}) },
    hashes: { ...graphHashes(training), ...hashes },
  };
}

/** Returns the hashes of the model for inference, and of the losses with the training form of the model. */
export function graphHashes({ forward, inference }: Training): Pick<RunIdentity['hashes'], 'model' | 'loss'> {
  const loss = finish(
    {
      ...inference,
      inputs: forward.inputs,
      outputs: [...forward.terms].map(([name, value]) => ({ name, value, docs: '' })),
      facts: forward.build.facts,
    },
    forward.build.nodes,
  );
  return { model: graphHash(inference), loss: graphHash(loss) };
}

/** Returns the settings of a recipe under their names in the recipe. */
export function plainRecipe(recipe: Recipe): Record<string, unknown> {
  return defined({ recipe: recipe.name, ...recipeValues(recipe), terms: [...recipe.terms.keys()] });
}

/** Returns every setting by name; undefined if it is off. */
export function recipeValues(recipe: Recipe): Record<string, unknown> {
  const { kind, ...optimizer } = recipe.optimizer;
  const selected = (all: readonly { readonly pattern: string }[]) => all.map(({ pattern }) => pattern);
  return {
    ...Object.fromEntries(recipe.dims),
    optimizer: kind,
    lr: optimizer.lr,
    weight_decay: optimizer.weightDecay,
    ...('momentum' in optimizer
      ? { momentum: optimizer.momentum }
      : { beta1: optimizer.beta1, beta2: optimizer.beta2, eps: optimizer.eps }),
    schedule: recipe.schedule,
    ...recipe.length,
    accumulate: recipe.accumulate,
    clip: recipe.clip,
    ema: recipe.ema,
    evaluate_every: recipe.evaluateEvery,
    early_stop: recipe.earlyStop,
    checkpoint_every: recipe.checkpointEvery,
    protocol: recipe.protocol,
    metric: recipe.metric,
    seed: recipe.seed,
    augment: recipe.augment,
    precision: recipe.precision,
    groups: recipe.groups.map(({ pattern, lr, weightDecay }) => defined({ pattern, lr, weight_decay: weightDecay })),
    train: trainedText(recipe),
    fix: selected(recipe.fixed),
    eval: selected(recipe.evaluated),
    init: recipe.inits.map(({ pattern, file, via, except }) =>
      defined({ pattern, file, via: via?.name, except: except.length > 0 ? selected(except) : undefined }),
    ),
    start_from: recipe.startFrom,
  };
}

/** Returns, for example, `only mid.*, lgfa.*`; undefined if the recipe trains all weights. */
function trainedText({ trained }: Recipe): string | undefined {
  if (!trained) return undefined;
  const paths = trained.paths.map(({ pattern }) => pattern).join(', ');
  return trained.mode === 'only' ? `only ${paths}` : `all except ${paths}`;
}

function defined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Settings that do not change the numbers of a training, so that they may differ on resuming. */
const harmless = new Set(['checkpoint_every']);

/** Returns the first difference between two runs, for which one cannot continue the other; undefined if there is none. */
export function differenceOf(held: Matter, now: Matter): string | undefined {
  if (held.model !== now.model) return `it trains ${cut(held.model)}, not ${now.model}`;
  for (const key of new Set([...Object.keys(held.recipe), ...Object.keys(now.recipe)])) {
    if (harmless.has(key)) continue;
    const both = [held.recipe[key], now.recipe[key]];
    const [was, is] = both.map((value) => JSON.stringify(value));
    if (was === is) continue;
    const [before, after] = both.map((value) => (value === undefined ? 'not set' : shownValue(value, 200)));
    return `${cut(key)} was ${before} and is ${after}`;
  }
  if (held.seed !== now.seed) return `the seed was ${held.seed} and is ${now.seed}`;
  if (held.hashes.model !== now.hashes.model) return `the model ${now.model} was changed`;
  if (held.hashes.loss !== now.hashes.loss) return 'the losses, or the training form of the model, were changed';
  if (held.hashes.data !== now.hashes.data) return 'the data set has other phrases';
  if (held.hashes.vocabulary !== now.hashes.vocabulary) return 'the vocabulary was changed';
  return undefined;
}

/** Throws a UserError that names the first difference if a checkpoint is not of this run. */
export function checkIdentity({ path, identity }: Checkpoint, now: Matter): void {
  const what = differenceOf(identity, now);
  if (what === undefined) return;
  throw new UserError(
    `the run in ${path} cannot go on: ${what}; put it back, or begin another run from its weights (-o another folder, --weights ${path}/weights.safetensors)`,
  );
}

/** Returns a note if a run continues with other surroundings than those of its checkpoint. */
export function changedSurroundings(
  { identity: { surroundings: held } }: Checkpoint,
  now: Surroundings,
): string | undefined {
  const names: { readonly [K in keyof Surroundings]: string } = {
    crobc: `crobc ${held.crobc}`,
    backend: `the ${held.backend} back end`,
    device: `the device ${held.device}`,
    threads: held.threads === null ? 'no --threads' : `--threads ${held.threads}`,
    recompute:
      held.recompute.length === 0 ? 'no --recompute' : held.recompute.map((one) => `--recompute ${one}`).join(' '),
  };
  const changes = (Object.keys(names) as (keyof Surroundings)[]).filter(
    (key) => String(held[key]) !== String(now[key]),
  );
  if (changes.length === 0) return undefined;
  return `the run was begun with ${changes.map((key) => names[key]).join(' and ')}: its numbers may differ in their last digits from an unbroken run's`;
}
