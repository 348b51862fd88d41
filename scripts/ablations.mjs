// `npm run ablations`: trains several models on one data set, evaluates them, and compares them with the first.
import { join } from 'node:path';
import {
  carryOut,
  comparisonCommand,
  crobc,
  evaluationCommand,
  prepare,
  readOptions,
  reportOf,
  shown,
  trainingCommand,
} from './experiment.mjs';

const usage = `npm run ablations -- --data DIR [options]

  --data DIR         data set with the splits train and val, and the one of --split
  --models A,B,…     the first is what the others are compared with; all of the file's and CroBIM_micro when not given
  --file FILE        the models' file (models/ablations_micro.crob); CroBIM_micro is found without it
  --recipe NAME      the models' first recipe when not given
  --steps N          of each training; the recipe's length when not given
  --minutes M        at most this long for each training
  --seeds 0,1,…      each model with each of these; 0 when not given
  --split NAME       what is evaluated (test)
  --threads N        of the CPU provider
  --blank            also train and evaluate the first model with every phrase taken away
  --out DIR          folder (out/ablations); what is in it is gone on with
  --dry-run          print the commands and run nothing`;

const options = readOptions(
  process.argv.slice(2),
  {
    data: 'text',
    models: 'list',
    file: 'text',
    recipe: 'text',
    steps: 'number',
    minutes: 'number',
    seeds: 'list',
    split: 'text',
    threads: 'number',
    blank: 'flag',
    out: 'text',
    'dry-run': 'flag',
  },
  usage,
);
if (options.data === undefined) {
  console.error(usage);
  process.exit(2);
}

const standard = 'CroBIM_micro';
const {
  file = 'models/ablations_micro.crob',
  models = [
    standard,
    ...['V123', 'V124', 'V234', 'MaxPool', 'S4', 'S34', 'S234', 'PWAM', 'WPA', 'NoCAPM', 'NoCompensation'].map(
      (name) => `Micro_${name}`,
    ),
  ],
  seeds = ['0'],
  out = join('out', 'ablations'),
  split = 'test',
} = options;

const one = (model, seed, phrases) => ({
  name: [model, ...(phrases ? [] : ['blank']), ...(seeds.length > 1 ? [`seed${seed}`] : [])].join('-'),
  file: model === standard ? 'models/crobim.crob' : file,
  model,
  recipe: options.recipe,
  data: options.data,
  steps: options.steps,
  minutes: options.minutes,
  threads: options.threads,
  seed,
  phrases,
  split,
  out,
});
const experiments = seeds.flatMap((seed) => [
  ...models.map((model) => one(model, seed, true)),
  ...(options.blank ? [one(models[0], seed, false)] : []),
]);

if (options['dry-run']) {
  for (const experiment of experiments) {
    console.log(shown(trainingCommand(experiment)));
    console.log(shown(evaluationCommand(experiment)));
  }
  console.log(shown(comparisonCommand(experiments.map((experiment) => reportOf(experiment)))));
} else {
  prepare(out);
  const reports = [];
  for (const experiment of experiments) reports.push(await carryOut(experiment));
  console.log();
  await crobc(comparisonCommand(reports));
}
