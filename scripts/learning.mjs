// Shows that the micro model learns to use phrases: trains it on drawn scenes with and without phrases, and evaluates
// both on unseen scenes. `npm run learning` exits with 0 if phrases are worth at least 20 points of mIoU, and the model
// with phrases reaches at least 40. `--ship` makes the weights with phrases the model that ships with crobc.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { importSource } from './bundle-source.mjs';
import {
  carryOut,
  comparisonCommand,
  crobc,
  evaluationCommand,
  folderOf,
  prepare,
  readOptions,
  reportOf,
  secondsPerStep,
  shown,
  trainingCommand,
} from './experiment.mjs';

const usage = `npm run learning -- [options]

  --minutes M        at most this long for each of the two trainings (25, or without limit if --steps is given)
  --steps N          of each training; as many as fit into the time when not given
  --scenes N         scenes to draw (4000)
  --data DIR         take these data, and draw none
  --file FILE, --model NAME, --recipe NAME
                     another model than CroBIM_micro
  --tokenizer FILE   another vocabulary than models/vocab/aerial.txt
  --seed N           of the scenes and of the training (0)
  --threads N        of the CPU provider
  --out DIR          folder (out/learning); what is in it is gone on with
  --ship             put the model with phrases into models/trained, in half precision
  --dry-run          print the commands and run nothing`;

const options = readOptions(
  process.argv.slice(2),
  {
    minutes: 'number',
    steps: 'number',
    scenes: 'number',
    data: 'text',
    file: 'text',
    model: 'text',
    recipe: 'text',
    tokenizer: 'text',
    seed: 'number',
    threads: 'number',
    out: 'text',
    ship: 'flag',
    'dry-run': 'flag',
  },
  usage,
);

const { scenes = 4000, seed = 0, out = join('out', 'learning') } = options;
const minutes = options.minutes ?? (options.steps === undefined ? 25 : undefined);
const dry = options['dry-run'] === true;
const data = options.data ?? join(out, 'data');
const drawing = ['data', 'synth', '--out', data, '--scenes', String(scenes), '--seed', String(seed)];
/** Where the model that ships is. */
const shipped = join('models', 'trained', `${options.model ?? 'CroBIM_micro'}.safetensors`);
/** Share of the time for steps and validation; the rest is for starting and writing. */
const stepping = 0.9;

if (!dry) prepare(out);
const drawn = options.data !== undefined || existsSync(join(data, 'synth.json'));
if (!drawn) await act(drawing);

const experiment = {
  file: options.file ?? 'models/crobim.crob',
  model: options.model ?? 'CroBIM_micro',
  recipe: options.recipe,
  // Of the words that people use, and not only of those of drawn phrases.
  tokenizer: options.tokenizer ?? 'models/vocab/aerial.txt',
  data,
  seed,
  threads: options.threads,
  split: 'test',
  minutes,
  out,
};
const steps = options.steps ?? (await affordable());
const words = { ...experiment, name: 'words', phrases: true, steps };
const blank = { ...experiment, name: 'blank', phrases: false, steps };
/** Folder for the model trained with phrases but evaluated without them, which shows how much it relies on them. */
const deaf = join(out, 'words-unheard');
const unheard = evaluationCommand(words, { phrases: false, folder: deaf });
const reports = [reportOf(blank), reportOf(words), reportOf(words, deaf)];

if (dry) {
  for (const one of [words, blank]) {
    await act(trainingCommand(one));
    await act(evaluationCommand(one));
  }
  await act(unheard);
  await act(comparisonCommand(reports));
} else {
  await carryOut(words);
  mkdirSync(deaf, { recursive: true });
  await crobc(unheard);
  const half = await writeHalf();
  if (options.ship) {
    mkdirSync(dirname(shipped), { recursive: true });
    copyFileSync(half, shipped);
    console.log(`${shipped}\n`);
  }
  await carryOut(blank);
  console.log();
  await crobc(comparisonCommand(reports));
  conclude(JSON.parse(await crobc(comparisonCommand(reports, true), { capture: true })));
}

/** Writes the weights in half precision, with the scores that they have in it; returns the path of the file. */
async function writeHalf() {
  const { writeShippedModel } = await importSource('scripts/shipped-model.ts');
  const folder = join(out, 'half');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${experiment.model}.safetensors`);
  const best = join(folderOf(words), 'best.safetensors');
  await writeShippedModel(best, file);
  await crobc(['eval', file, '--data', data, '--split', 'test', '--out', folder]);
  const scoresOf = (report) => {
    const { samples, mIoU, oIoU } = JSON.parse(readFileSync(report, 'utf8'));
    return { samples, mIoU, oIoU };
  };
  const { step } = JSON.parse(
    readFileSync(join(folderOf(words), 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .at(-1),
  );
  await writeShippedModel(best, file, {
    data: `crobc data synth --scenes ${scenes} --seed ${seed}, split test`,
    steps: step,
    withPhrases: scoresOf(reportOf(words, folder)),
    withoutPhrases: scoresOf(reportOf(words, deaf)),
  });
  return file;
}

async function act(command) {
  if (dry) console.log(shown(command));
  else await crobc(command);
}

/**
 * Returns the number of steps that fit into the time, equal for both models. A resumed run keeps its initial number.
 */
async function affordable() {
  const held = join(out, 'steps.json');
  if (existsSync(held)) return JSON.parse(readFileSync(held, 'utf8')).steps;
  if (dry) return 'N';
  const seconds = await secondsPerStep(experiment);
  const steps = Math.max(1, Math.floor((minutes * 60 * stepping) / seconds));
  console.log(`${seconds.toFixed(3)} s a step: ${steps} steps in ${minutes} minutes\n`);
  writeFileSync(held, `${JSON.stringify({ secondsPerStep: seconds, minutes, steps })}\n`);
  return steps;
}

/** Prints whether the goals are reached, and writes the results to `learning.json`. */
function conclude([without, withWords, asked]) {
  const percent = (part) => (100 * part).toFixed(2);
  const gain = withWords.values.mIoU - without.values.mIoU;
  const goals = { 'mIoU at least 40': withWords.values.mIoU >= 0.4, 'at least 20 above no phrases': gain >= 0.2 };
  const result = join(out, 'learning.json');
  const trainedFor = ({ name }) =>
    JSON.parse(
      readFileSync(join(folderOf({ out, name }), 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .at(-1),
    ).seconds;
  const summary = {
    model: experiment.model,
    steps,
    seed,
    seconds: { words: trainedFor(words), blank: trainedFor(blank) },
    words: withWords.values,
    blank: without.values,
    wordsUnheard: asked.values,
    gain: { mIoU: gain, bounds: withWords.differences.mIoU },
    goals,
    reports,
  };
  writeFileSync(result, `${JSON.stringify(summary, null, 2)}\n`);
  console.log();
  console.log(
    `mIoU ${percent(withWords.values.mIoU)}, without phrases ${percent(without.values.mIoU)}: ${percent(gain)} points`,
  );
  console.log(`Pr@0.5 ${percent(withWords.values['Pr@0.5'])}, without phrases ${percent(without.values['Pr@0.5'])}`);
  for (const [goal, met] of Object.entries(goals)) console.log(`${met ? 'reached' : 'MISSED '}  ${goal}`);
  console.log(result);
  if (Object.values(goals).includes(false)) process.exitCode = 1;
}
