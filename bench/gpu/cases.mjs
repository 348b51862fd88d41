// What bench:gpu measures. The pack has this as cases.json, which its script reads.
import { cases } from '../cases.mjs';

/** Models for inference; `reference` is the model of the same name in bench/reference.py. */
export const models = {
  crobim: { ...cases.crobim, title: 'CroBIM (Swin-B), 480²' },
  'swin-b': { ...cases['swin-b'], title: 'Swin-B, 480²' },
  'convnext-b': { ...cases['convnext-b'], title: 'ConvNeXt-B, 480²' },
  'bert-base': { ...cases['bert-base'], title: 'BERT-base, 20 words' },
  'crobim-micro': { ...cases['crobim-micro'], title: 'CroBIM_micro, 128²', quick: true },
};

/** Models that are trained, as their recipes say, at these sizes. */
export const trainings = {
  crobim: {
    file: 'models/crobim.crob',
    model: 'CroBIM',
    recipe: 'paper',
    sizes: { B: 2, H: 480, W: 480, T: 20 },
    title: 'CroBIM (Swin-B), 480², batch 2',
  },
  'crobim-swin-t': {
    file: 'models/sizes.crob',
    model: 'CroBIM_SwinT',
    recipe: 'swint',
    sizes: { B: 8, H: 224, W: 224, T: 20 },
    title: 'CroBIM_SwinT, 224², batch 8',
  },
  'crobim-micro': {
    file: 'models/crobim.crob',
    model: 'CroBIM_micro',
    recipe: 'micro',
    sizes: { B: 8, H: 128, W: 128, T: 20 },
    title: 'CroBIM_micro, 128², batch 8',
    quick: true,
  },
};

/** The name of the Python package that crobc writes of a model: of a trained one, with its recipe. */
export const packageOf = (name) => name.replaceAll('-', '_');

/** All packages: each model once. */
export function packages(quick) {
  const all = { ...models, ...trainings };
  return Object.entries(all).filter(([, { quick: small }]) => small || !quick);
}

/** The cases as the script reads them. */
export function casesFile(quick) {
  const chosen = (table) =>
    Object.fromEntries(
      Object.entries(table)
        .filter(([, { quick: small }]) => small || !quick)
        .map(([name, one]) => [name, { overrides: [], quick: false, ...one, package: packageOf(name) }]),
    );
  return { models: chosen(models), trainings: chosen(trainings) };
}
