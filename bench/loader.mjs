// A process that loads images: `node bench/loader.mjs FOLDER SIZE BATCH`. Prints {} once it is ready. For every line that
// it reads, a number of threads, loads an epoch with so many, and prints { images, seconds, processorSeconds }.
import { createInterface } from 'node:readline';
import { importSource } from '../scripts/bundle-source.mjs';

const { loadBatches, openDataset } = await importSource('bench/loading-parts.ts');

const [folder, size, batch] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const dataset = await openDataset(folder, 'train', { onBad: 'stop', report: () => undefined });
const order = dataset.samples.map((_, i) => i);
say({});
for await (const threads of createInterface({ input: process.stdin })) {
  const start = performance.now();
  const before = process.cpuUsage();
  const options = {
    batch,
    height: size,
    width: size,
    text: undefined,
    ahead: 2,
    onBad: 'stop',
    threads: Number(threads),
  };
  let images = 0;
  for await (const { samples } of loadBatches(dataset, order, { ...options, report: () => undefined }))
    images += samples.length;
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  say({ images, seconds, processorSeconds: (user + system) / 1e6 });
}
