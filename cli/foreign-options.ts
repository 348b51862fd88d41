import type { Command } from 'commander';
import { recipeSettings } from '../compiler/elaborate/source/recipe-tables.ts';
import { UsageError } from '../runtime/files/usage-error.ts';

type Names = Readonly<Record<string, string>>;

/** Option names of other programs for the commands that run a model, with crobc's equivalents. */
const ofModels: Names = {
  'img-size': '--set H=480,W=480',
  'image-size': '--set H=480,W=480',
  gpu: '--device cuda',
  gpus: '--device cuda',
  cuda: '--device cuda',
  checkpoint: '--weights FILE',
  ckpt: '--weights FILE',
  pretrained: '--weights FILE',
  vocab: '--tokenizer FILE',
  output: '--out DIR',
  'output-dir': '--out DIR',
  'save-dir': '--out DIR',
};

const ofInference: Names = { fp16: '--dtype f16', half: '--dtype f16', amp: '--dtype f16' };
const ofData: Names = { dataset: '--data DIR', 'data-dir': '--data DIR', 'data-path': '--data DIR' };

/** Settings of recipes as options, with an `--set` for each, except those that are options of the command. */
function settingsExcept(options: readonly string[]): Names {
  return Object.fromEntries(
    Object.keys(recipeSettings)
      .filter((name) => !options.includes(name))
      .flatMap((name) => [name, name.replaceAll('_', '-')].map((option) => [option, `--set recipe.${name}=…`])),
  );
}

/** By command: option names of other programs, with crobc's equivalents. */
const foreign: Readonly<Record<string, Names>> = {
  train: {
    ...settingsExcept(['lr', 'epochs', 'steps', 'seed', 'precision']),
    'learning-rate': '--lr',
    wd: '--set recipe.weight_decay=…',
    batch: '--batch-size',
    bs: '--batch-size',
    'max-steps': '--steps',
    'max-iters': '--steps',
    'max-epochs': '--epochs',
    amp: '--precision bf16',
    fp16: '--precision f16',
    bf16: '--precision bf16',
    config: '--recipe NAME',
    ...ofModels,
    ...ofData,
  },
  compare: {
    ...settingsExcept(['steps', 'protocol', 'seed']),
    'learning-rate': '--set recipe.lr=…',
    'batch-size': '--set B=…',
    bs: '--set B=…',
    'max-steps': '--steps',
    seed: '--seeds 1, or a list such as --seeds 4,7',
    runs: '--seeds',
    repeats: '--seeds',
    config: '--recipe NAME',
    ...ofData,
  },
  eval: { ...ofModels, ...ofInference, ...ofData, 'batch-size': '--batch', bs: '--batch', 'num-samples': '--limit' },
  predict: {
    ...ofModels,
    ...ofInference,
    input: '--image FILE',
    img: '--image FILE',
    prompt: '--text',
    query: '--text',
    phrase: '--text',
    sentence: '--text',
  },
  serve: {
    ...ofModels,
    ...ofInference,
    bind: '--host ADDRESS',
    'batch-size': '--max-batch N',
    'max-batch-size': '--max-batch N',
    workers: '--threads N',
  },
  build: { ...ofModels, ...ofInference, format: '--target' },
};

/** Adds error messages for option names of other programs; each names the equivalent. */
export function teachForeignOptions(command: Command): void {
  const known = new Set(command.options.map(({ long }) => long));
  for (const [name, instead] of Object.entries(foreign[command.name()] ?? {})) {
    const flag = `--${name}`;
    if (known.has(flag)) throw new Error(`bug in crobc: ${command.name()} has the option ${flag}`);
    command.addOption(command.createOption(`${flag} [value]`).hideHelp());
    command.on(`option:${name}`, () => {
      throw new UsageError(`${command.name()} has no ${flag}: write ${instead}`);
    });
  }
}
