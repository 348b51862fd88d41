// `npm run pictures`, after `npm run build`: makes the pictures of the README and the
// docs from the output of the built program.
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { importSource } from './bundle-source.mjs';
import { crobc, prepare } from './experiment.mjs';
import { findBrowser, screenshot } from './pictures/browser.mjs';
import { checkPicture } from './pictures/check.mjs';
import { thinned, withoutTimes } from './pictures/training-lines.mjs';
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

Without names it makes all. Scenes are drawn in out/pictures. The training is that of \`npm run learning\`, which made the
model that ships, by which the evaluation, the overlay and the attention are.`;

const out = join('out', 'pictures');
const scenes = join(out, 'scenes');
const run = join(out, 'run');
const shipped = join('models', 'trained', 'CroBIM_micro.safetensors');
const metrics = join('out', 'learning', 'words', 'metrics.jsonl');
/** Samples of the test split, by their line from 1: what the overlay and the attention show. */
const asked = { overlay: 110, attention: 56 };

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
    if (!existsSync(metrics)) {
      console.error(`training: there is no ${metrics}, which npm run learning writes; the picture stays as it was`);
      process.exitCode = 1;
      return;
    }
    const lines = thinned(withoutTimes(readFileSync(metrics, 'utf8')), 10);
    writeFileSync(image('training.jsonl'), lines);
    const { trainingCurve } = await importSource('scripts/pictures/training-curve.ts');
    writeFileSync(image('training.svg'), await trainingCurve(lines));
  },
  evaluation: async () => {
    const browser = findBrowser();
    if (browser === undefined) {
      console.error('evaluation: there is no Chromium to show the page; docs/images/evaluation.jpg stays as it was');
      process.exitCode = 1;
      return;
    }
    await draw();
    await crobc(['eval', shipped, '--data', scenes, '--out', run]);
    const page = join(root, run, 'page.png');
    screenshot(browser, join(root, run, 'CroBIM_micro.test.html'), { width: 1230, height: 1000 }, page);
    await jpeg(page, 1230, image('evaluation.jpg'));
  },
  overlay: async () => {
    const name = await predict(asked.overlay);
    copyFileSync(join(run, `${name}.overlay.png`), image('overlay.png'));
  },
  attention: async () => {
    const name = await predict(asked.attention, '--attention');
    await jpeg(join(run, `${name}.attention.png`), 1500, image('attention.jpg'));
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

/** Asks the model that ships for what a line of the test split says; returns the name of its image without the ending. */
async function predict(number, ...more) {
  await draw();
  const line = readFileSync(join(scenes, 'output_phrase_test.txt'), 'utf8').split('\n')[number - 1];
  const [name, phrase] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
  await crobc(['predict', shipped, '--image', join(scenes, 'img_rgb', name), '--text', phrase, ...more, '--out', run]);
  return name.replace('.png', '');
}

/** Draws scenes that the model that ships has not seen. */
async function draw() {
  if (existsSync(join(scenes, 'synth.json'))) return;
  const form = '--scenes 60 --val 0 --test 60 --size 256 --difficulty easy --seed 2026';
  await crobc(['data', 'synth', '--out', scenes, ...words(form)]);
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
