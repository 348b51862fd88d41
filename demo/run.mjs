// The demo: asks the model that ships for objects of scenes that it has not seen; builds full-size CroBIM and predicts
// with it; trains, evaluates and runs the micro model on scenes that it draws. It runs and prints the commands that a user
// would type.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importSource } from '../scripts/bundle-source.mjs';
import { crobc, prepare, readOptions } from '../scripts/experiment.mjs';

const usage = `npm run demo -- [options]

  --steps N     of training (300; one to two minutes on two cores)
  --scenes N    scenes to draw, a fifth of them for validation and test (300)
  --no-full     without the full-size model, which takes 0.9 GB of disk
  --out DIR     folder (out/demo)`;

const {
  steps = 300,
  scenes = 300,
  'no-full': small = false,
  out = join('out', 'demo'),
} = readOptions(process.argv.slice(2), { steps: 'number', scenes: 'number', 'no-full': 'flag', out: 'text' }, usage);

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
prepare(out);
const file = 'models/crobim.crob';

title('Every shape of every model is proved, for all sizes (no message: all are right)');
await crobc(['check', file]);

const run = newFolder();
const shipped = 'models/trained/CroBIM_micro.safetensors';
const first = await predictShipped();

if (!small) await predictFullSize();

const data = join(run, 'scenes');
const micro = join(run, 'micro');

title(`A data set: ${scenes} scenes with phrases and masks`);
await crobc(['data', 'synth', '--out', data, '--scenes', String(scenes)]);

title(`CroBIM_micro, every part of CroBIM in small, trained from nothing: ${steps} steps`);
const model = [file, '--model', 'CroBIM_micro'];
await crobc(['train', ...model, '--data', data, '--steps', String(steps), '--out', micro]);

title('Evaluated on scenes that it has not seen');
await crobc(['eval', micro, '--data', data, '--out', micro]);

title('Asked for one object of such a scene');
const asked = readReport().each[0];
const question = ['--image', asked.image, '--text', asked.phrase];
await crobc(['predict', micro, ...question, '--out', micro]);

conclude();

/** Returns the pictures of the scenes and of predictions, and the page of all predictions. */
async function predictShipped() {
  const unseen = join(run, 'unseen');
  title('Scenes as seen from the air, and the trained model that ships, asked for what is in them');
  const none = ['--val', '0', '--test', '12', '--seed', '2026'];
  await crobc(['data', 'synth', '--out', unseen, '--scenes', '12', ...none]);
  const lines = readFileSync(join(unseen, 'output_phrase_test.txt'), 'utf8').trim().split('\n');
  const overlays = [];
  for (const line of [lines[0], lines[10]]) {
    const [name, phrase] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
    const question = ['--image', join(unseen, 'img_rgb', name), '--text', phrase];
    await crobc(['predict', shipped, ...question, '--out', run]);
    overlays.push([`“${phrase}”`, join(run, `${basename(name, '.png')}.overlay.png`)]);
  }
  await crobc(['eval', shipped, '--data', unseen, '--out', join(run, 'shipped')]);
  return {
    overlays: [['unseen scenes', join(unseen, 'contact-sheet.png')], ...overlays],
    page: join(run, 'shipped', 'CroBIM_micro.test.html'),
  };
}

async function predictFullSize() {
  const { writeDemoScene } = await importSource('runtime/synth/demo-scene.ts');
  const scene = join(out, 'scene.png');
  await writeDemoScene(scene, { seed: 7 });
  const model = [file, '--model', 'CroBIM'];
  title('CroBIM with Swin-B: what it consists of');
  await crobc(['summary', ...model, '--depth', '1', '--set', 'B=1,H=480,W=480,T=20']);
  title('Built: graph, weights, manifest and a typed client');
  await crobc(['build', ...model, '--set', 'H=480,W=480,T=20', '--out', out]);
  title('A mask, by that build (its weights are random, and so is the mask)');
  const question = ['--image', scene, '--text', 'the white ship on the water'];
  await crobc(['predict', ...model, ...question, '--out', out]);
}

/** Creates a new folder for this run, so that runs share no files. */
function newFolder() {
  for (let n = 1; ; n++) {
    const folder = join(out, `run-${n}`);
    if (existsSync(folder)) continue;
    mkdirSync(folder);
    return folder;
  }
}

function readReport() {
  return JSON.parse(readFileSync(join(micro, 'CroBIM_micro.test.json'), 'utf8'));
}

function conclude() {
  const report = readReport();
  const percent = (part) => `${(100 * part).toFixed(1)} %`;
  title('To look at');
  const pictures = [
    ...first.overlays,
    ['all that it was asked', first.page],
    ...(small
      ? []
      : [
          ['CroBIM, its manifest', join(out, 'CroBIM.manifest.json')],
          ['CroBIM, random weights', join(out, 'scene.overlay.png')],
        ]),
    ['scenes and phrases', join(data, 'contact-sheet.png')],
    ['best, worst, random', join(micro, 'CroBIM_micro.test.html')],
    ['the mask asked for', join(micro, `${basename(asked.image, '.png')}.overlay.png`)],
  ];
  const width = Math.max(...pictures.map(([what]) => what.length)) + 2;
  for (const [what, path] of pictures) console.log(`  ${what.padEnd(width)}${path}`);
  console.log(`
After ${steps} steps the mean IoU over ${report.samples} phrases is ${percent(report.mIoU)}, and ${percent(asked.iou)} for “${asked.phrase}”.
A minute or two is enough for the loss to fall, and too short to learn what the words mean: its masks cover what often
is an object, whatever was asked for, or nothing. \`npm run learning\` trains longer, with phrases and without, measures what
the words are worth (docs/evaluation.md), and made the model that ships, by which the first masks are.
And drawn scenes say nothing of photographs: for those, training takes folders such as RISBench's (docs/data.md).`);
}

function title(text) {
  console.log(`\n== ${text}`);
}
