// Measures how fast images are decoded and resized for a training: crobc's loader, and PyTorch's DataLoader with Pillow.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { importSource } from '../scripts/bundle-source.mjs';
import { crobc, statistics, timed } from './process.mjs';

/** Pixels at each side of an image of RRSIS-D, and of CroBIM's input. */
const [stored, wanted] = [800, 480];
const scenes = 128;
const batch = 8;

/**
 * Returns images per second with images stored as PNG and as JPEG, for each number of threads that decode (0: the
 * thread of the training itself). An epoch is the time from the first request to the last batch.
 */
export async function loading({ out, python, repeats, say }) {
  const results = {};
  for (const format of ['jpeg', 'png']) {
    const folder = join(out, `loading-${format}`);
    say(`load: ${scenes} scenes of ${stored}² as ${format}`);
    await writeSamples(folder, format);
    say(`load: ${format}: crobc`);
    const ours = {};
    for (const threads of [0, 1, 2]) ours[threads] = await rate(folder, threads, repeats);
    let theirs;
    if (python !== undefined) {
      say(`load: ${format}: DataLoader with Pillow`);
      const args = ['bench/loading.py', folder, String(wanted), String(batch), String(repeats)];
      const { printed } = await timed(python, args);
      const rates = Object.entries(JSON.parse(printed.trim().split('\n').at(-1)));
      theirs = Object.fromEntries(rates.map(([workers, samples]) => [workers, statistics(samples)]));
    }
    results[format] = { crobc: ours, pytorch: theirs };
    rmSync(folder, { recursive: true });
  }
  return results;
}

/** Draws scenes, and writes each phrase as a sample with an image of its own in a format. */
async function writeSamples(folder, format) {
  rmSync(folder, { recursive: true, force: true });
  const options = ['--scenes', String(scenes), '--size', String(stored), '--phrases', '1', '--val', '0', '--test', '0'];
  await timed(process.execPath, [crobc, 'data', 'synth', '--out', folder, ...options]);
  if (format === 'png') return;
  // In place of the drawn layout: the same samples in JSON lines, with images as JPEG of the usual quality.
  const samples = readFileSync(join(folder, 'output_phrase_train.txt'), 'utf8').trimEnd().split('\n');
  mkdirSync(join(folder, 'images'));
  const lines = [];
  for (const sample of samples) {
    const [name, ...words] = sample.split(' ');
    const jpeg = name.replace('.png', '.jpg');
    await sharp(join(folder, 'img_rgb', name))
      .jpeg({ quality: 90 })
      .toFile(join(folder, 'images', jpeg));
    lines.push(JSON.stringify({ image: jpeg, phrase: words.join(' '), mask: name }));
  }
  rmSync(join(folder, 'img_rgb'), { recursive: true });
  for (const file of readdirSync(folder))
    if (/^(output_phrase|attributes|scenes)_/.test(file)) rmSync(join(folder, file));
  writeFileSync(join(folder, 'samples_train.jsonl'), `${lines.join('\n')}\n`);
}

/** Returns statistics of images per second over whole epochs. */
async function rate(folder, threads, repeats) {
  const { loadBatches, openDataset } = await importSource('bench/loading-parts.ts');
  const dataset = await openDataset(folder, 'train', { onBad: 'stop', report: () => undefined });
  const order = dataset.samples.map((_, i) => i);
  const samples = [];
  for (let run = 0; run <= repeats; run++) {
    const start = performance.now();
    let images = 0;
    const options = { batch, height: wanted, width: wanted, text: undefined, ahead: 2, onBad: 'stop', threads };
    for await (const one of loadBatches(dataset, order, { ...options, report: () => undefined }))
      images += one.samples.length;
    // The first run is not timed: files are not in the system's cache yet.
    if (run > 0) samples.push(images / ((performance.now() - start) / 1000));
  }
  return statistics(samples);
}
