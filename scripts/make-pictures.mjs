// `npm run pictures`, after `npm run build`: makes the pictures of the README and the
// docs from the output of the built program.
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { crobc, prepare } from './experiment.mjs';
import { findBrowser, screenshot } from './pictures/browser.mjs';
import { checkPicture } from './pictures/check.mjs';
import { trainingCurve, withoutTimes } from './pictures/training-curve.mjs';
import { root } from './program.mjs';

const usage = `npm run pictures -- [names]

  check         a mistake, and what crobc check says of it
  architecture  CroBIM's parts, and which values go where
  data          a contact sheet of drawn scenes
  statistics    the figure and the word cloud of a data set
  training      the loss and the scores of a training
  evaluation    the top of an evaluation's page; needs Chromium, on the path or named by CHROMIUM
  overlay       a scene, and what crobc predict finds in it
  attention     where the words of a phrase look

Without names it makes all. What data, training, evaluation, overlay and attention need is drawn and trained in out/pictures,
about nine minutes on two idle cores, and kept there. Numbers of a training differ between machines in their last digits.`;

const out = join('out', 'pictures');
const scenes = join(out, 'scenes');
const run = join(out, 'run');
const model = [
  'models/crobim.crob',
  '--model',
  'CroBIM_micro',
  '--set',
  'H=64,W=64',
  '--device',
  'cpu',
  '--threads',
  '1',
];
const weights = ['--weights', join(run, 'best.safetensors')];
/** A scene of the test split, and its phrase. */
const asked = { file: 'test_00001', phrase: 'the large yellow airplane' };

/** A scene of 128 pixels, and its phrase. */
const looked = { file: 'test_00001', phrase: 'the round green helipad' };

/** A function for each picture. */
const pictures = {
  check: () => writeFileSync(image('check.svg'), checkPicture()),
  architecture: () => crobc(['graph', 'models/crobim.crob', '--model', 'CroBIM', '--out', image('architecture.svg')]),
  data: async () => {
    const sheet = join(out, 'sheet');
    rmSync(sheet, { recursive: true, force: true });
    await crobc([
      'data',
      'synth',
      '--out',
      sheet,
      ...words('--scenes 12 --val 0 --test 0 --phrases 1 --size 256 --seed 1'),
    ]);
    await jpeg(join(sheet, 'contact-sheet.png'), 1200, image('contact-sheet.jpg'));
  },
  statistics: async () => {
    const drawn = join(out, 'statistics');
    if (!existsSync(join(drawn, 'synth.json')))
      await crobc(['data', 'synth', '--out', drawn, ...words('--scenes 300 --size 256 --seed 3')]);
    await crobc(['data', 'stats', drawn, '--figure', image('statistics.svg'), '--cloud', image('words.svg')]);
  },
  training: async () => {
    await train();
    const lines = withoutTimes(readFileSync(join(run, 'metrics.jsonl'), 'utf8'));
    writeFileSync(image('training.jsonl'), lines);
    writeFileSync(image('training.svg'), trainingCurve(lines));
  },
  evaluation: async () => {
    const browser = findBrowser();
    if (browser === undefined) {
      console.error('evaluation: there is no Chromium to show the page; docs/images/evaluation.jpg stays as it was');
      process.exitCode = 1;
      return;
    }
    await train();
    await crobc(['eval', ...model, ...weights, '--data', scenes, '--out', run]);
    const page = join(root, run, 'page.png');
    screenshot(browser, join(root, run, 'CroBIM_micro.test.html'), { width: 1230, height: 1000 }, page);
    await jpeg(page, 1230, image('evaluation.jpg'));
  },
  overlay: async () => {
    await train();
    const scene = join(scenes, 'img_rgb', `${asked.file}.png`);
    const tokenizer = join(scenes, 'vocab.txt');
    await crobc([
      'predict',
      ...model,
      ...weights,
      '--tokenizer',
      tokenizer,
      '--image',
      scene,
      '--text',
      asked.phrase,
      '--out',
      run,
    ]);
    copyFileSync(join(run, `${asked.file}.overlay.png`), image('overlay.png'));
  },
  attention: async () => {
    const [large, trained] = [join(out, 'large-scenes'), join(out, 'large-run')];
    const whole = ['models/crobim.crob', '--model', 'CroBIM_micro', '--device', 'cpu'];
    if (!existsSync(join(large, 'synth.json')))
      await crobc(['data', 'synth', '--out', large, ...words('--scenes 300')]);
    if (!existsSync(join(trained, 'last.safetensors')))
      await crobc(['train', ...whole, '--data', large, ...words('--steps 800'), '--out', trained]);
    const scene = join(large, 'img_rgb', `${looked.file}.png`);
    await crobc(['predict', trained, '--image', scene, '--text', looked.phrase, '--attention', '--out', trained]);
    await jpeg(join(trained, `${looked.file}.attention.png`), 1500, image('attention.jpg'));
  },
};

const names = process.argv.slice(2);
if (names.some((name) => !Object.hasOwn(pictures, name))) {
  console.error(usage);
  process.exit(names.includes('--help') ? 0 : 2);
}
process.chdir(root);
prepare(out);
for (const [name, make] of Object.entries(pictures)) if (names.length === 0 || names.includes(name)) await make();

/** Draws the scenes and trains on them, unless an earlier run has; an interrupted run is resumed. */
async function train() {
  if (existsSync(join(run, 'last.safetensors'))) return;
  if (!existsSync(join(scenes, 'synth.json')))
    await crobc([
      'data',
      'synth',
      '--out',
      scenes,
      ...words('--scenes 1000 --size 256 --difficulty easy --objects 1,2 --phrases 1 --seed 1'),
    ]);
  const resume = existsSync(join(run, 'checkpoints')) ? ['--resume'] : [];
  await crobc(['train', ...model, '--data', scenes, ...words('--steps 1200 --seed 0'), '--out', run, ...resume]);
}

function words(text) {
  return text.split(' ');
}

function image(name) {
  return join('docs', 'images', name);
}

async function jpeg(from, width, to) {
  await sharp(from).resize({ width }).jpeg({ quality: 80, mozjpeg: true }).toFile(to);
}
