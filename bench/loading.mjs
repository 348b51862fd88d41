// Measures how fast images are decoded and resized for a training: crobc's loader, and PyTorch's DataLoader with Pillow.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { crobc, root, started, statistics, timed } from './process.mjs';

/** Pixels at each side of an image of RRSIS-D, and of CroBIM's input. */
const [stored, wanted] = [800, 480];
const scenes = 128;
const batch = 8;

/** Numbers of threads or processes that decode; 0: the thread of the training itself. */
const threads = [0, 1, 2];

/**
 * Returns images per second, and the processor's seconds for an image, with images stored as PNG and as JPEG, for each
 * number of threads. An epoch is the time from the first request to the last batch. Epochs of both loaders alternate.
 */
export async function loading({ out, python, repeats, say, keep }) {
  const results = {};
  const drawn = join(out, 'loading-png');
  for (const format of ['png', 'jpeg']) {
    const folder = join(out, `loading-${format}`);
    if (keep && existsSync(folder)) say(`load: the scenes of an earlier run, ${folder}`);
    else {
      say(`load: ${scenes} scenes of ${stored}² as ${format}`);
      const unfinished = `${folder}-unfinished`;
      for (const old of [unfinished, folder]) rmSync(old, { recursive: true, force: true });
      await (format === 'png' ? drawScenes(unfinished) : writeAsJpeg(drawn, unfinished));
      renameSync(unfinished, folder);
    }
    say(`load: ${format}`);
    results[format] = await inTurns(folder, python, repeats);
  }
  return results;
}

async function drawScenes(folder) {
  const options = ['--scenes', String(scenes), '--size', String(stored), '--phrases', '1', '--val', '0', '--test', '0'];
  await timed(process.execPath, [crobc, 'data', 'synth', '--out', folder, ...options]);
}

/** Writes the same samples in JSON lines, with images as JPEG of the usual quality. */
async function writeAsJpeg(drawn, folder) {
  const samples = readFileSync(join(drawn, 'output_phrase_train.txt'), 'utf8').trimEnd().split('\n');
  mkdirSync(join(folder, 'images'), { recursive: true });
  cpSync(join(drawn, 'mask'), join(folder, 'mask'), { recursive: true });
  const lines = [];
  for (const sample of samples) {
    const [name, ...words] = sample.split(' ');
    const jpeg = name.replace('.png', '.jpg');
    await sharp(join(drawn, 'img_rgb', name))
      .jpeg({ quality: 90 })
      .toFile(join(folder, 'images', jpeg));
    lines.push(JSON.stringify({ image: jpeg, phrase: words.join(' '), mask: name }));
  }
  writeFileSync(join(folder, 'samples_train.jsonl'), `${lines.join('\n')}\n`);
}

/** Whole epochs of each loader, in a process of its own. */
async function inTurns(folder, python, repeats) {
  const settings = [folder, String(wanted), String(batch)];
  const loaders = { crobc: await started(process.execPath, [join(root, 'bench/loader.mjs'), ...settings]) };
  if (python !== undefined) loaders.pytorch = await started(python, [join(root, 'bench/loading.py'), ...settings]);
  const epochs = Object.fromEntries(Object.keys(loaders).map((name) => [name, threads.map(() => [])]));
  // The first turn is not counted: files are not in the system's cache yet.
  for (let turn = 0; turn <= repeats; turn++)
    for (const [i, count] of threads.entries())
      for (const [name, loader] of Object.entries(loaders)) {
        const epoch = await loader.ask(String(count));
        if (turn > 0) epochs[name][i].push(epoch);
      }
  for (const loader of Object.values(loaders)) await loader.end();
  const summary = (list) => ({
    rate: statistics(list.map(({ images, seconds }) => images / seconds)),
    processorSeconds: statistics(list.map(({ images, processorSeconds }) => processorSeconds / images)),
  });
  return Object.fromEntries(
    Object.entries(epochs).map(([name, all]) => [
      name,
      Object.fromEntries(all.map((list, i) => [threads[i], summary(list)])),
    ]),
  );
}
