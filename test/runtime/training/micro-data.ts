import { expect } from 'vitest';
import { openDataset } from '../../../runtime/data/dataset.ts';
import type { ArrayPool } from '../../../runtime/ort/array-pool.ts';
import type { Feeds } from '../../../runtime/ort/session.ts';
import { openTokenizer } from '../../../runtime/text/tokenizer.ts';
import { stepBatches } from '../../../runtime/training/data.ts';
import { planRun } from '../../../runtime/training/plan.ts';
import { dataFolder } from '../data/data-folder.ts';
import { sizes } from './micro-training.ts';

const [samples, report] = [20, (line: string): never => expect.unreachable(line)];

/** The batches of steps of CroBIM_micro, of images that are read from a new folder. */
export async function stepsOfImages(
  dir: string,
  accumulate: number,
): Promise<(pool: ArrayPool | undefined) => AsyncGenerator<readonly Feeds[], void>> {
  const names = Array.from({ length: samples }, (_, i) => `${i}.png`);
  const train = await openDataset(await dataFolder(dir, names), 'train', { onBad: 'stop', report });
  const pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'ship', 'number', ...'0123456789'];
  const tokenizer = await openTokenizer({ name: 'vocab.txt', text: pieces.join('\n') });
  const { B: batch, H: height, W: width, T: words } = sizes;
  const plan = planRun({
    ...{ samples, batch, accumulate, length: { epochs: 2 }, evaluateEvery: 1, checkpointEvery: 1 },
  });
  return (pool) =>
    stepBatches(1, {
      data: {
        ...{ train, val: undefined, hashes: { data: '', vocabulary: '' } },
        ...{ sizes: { batch, height, width }, text: { words, tokenizer } },
      },
      ...{ plan, accumulate, seed: 1, augment: true, blank: false, onBad: 'stop', decodeThreads: 0, pool, report },
    });
}
