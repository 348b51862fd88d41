import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProtocolName } from '../../compiler/elaborate/source/recipe-tables.ts';
import { loadBatches } from '../../runtime/data/batches.ts';
import { cutPhrases } from '../../runtime/data/cut-phrases.ts';
import { type Dataset, type DatasetOptions, openDataset } from '../../runtime/data/dataset.ts';
import { isMirrored, mirrorPhrase } from '../../runtime/data/mirror.ts';
import { openLayout } from '../../runtime/data/open-layout.ts';
import { epochOrder, epochSamples } from '../../runtime/data/order.ts';
import type { OnSizeMismatch } from '../../runtime/data/size-mismatch.ts';
import { evaluate } from '../../runtime/evaluation/evaluate.ts';
import type { ComparisonSize } from '../../runtime/evaluation/protocols.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import type { Feeds, HostTensor } from '../../runtime/ort/session.ts';
import { openTokenizer, type TextInput } from '../../runtime/text/tokenizer.ts';
import { truncations } from '../../runtime/text/truncation.ts';
import { stepBatches } from '../../runtime/training/data.ts';
import { planRun } from '../../runtime/training/plan.ts';
import { validation } from '../../runtime/training/validation.ts';

/** What is compared with the data sets of the training program for PyTorch; all paths are absolute. */
export interface Cases {
  readonly orders: readonly { readonly places: number; readonly seed: number; readonly epoch: number }[];
  readonly phrases: readonly string[];
  readonly vocabularies: readonly string[];
  readonly words: readonly number[];
  readonly datasets: readonly DatasetCase[];
  readonly evaluations: readonly EvaluationCase[];
}

interface DatasetCase {
  readonly dir: string;
  readonly split: string;
  readonly onBad: DatasetOptions['onBad'];
  readonly onSizeMismatch: OnSizeMismatch | null;
  /** Whether its batches are written too. */
  readonly batches: boolean;
}

interface EvaluationCase {
  readonly dir: string;
  readonly split: string;
  readonly protocol: ProtocolName;
  readonly at: ComparisonSize | null;
}

/** Sizes of the inputs of a model that is not square. */
const sizes = { batch: 3, height: 40, width: 56 };
const words = 12;
const feeding = { accumulate: 2, seed: 2 ** 33 + 5, steps: 7, first: 2 };

/** Writes what crobc makes of the cases: reference.json, and tensors as bytes. */
export async function writeReference(cases: Cases, folder: string): Promise<void> {
  const reference = {
    sizes: { ...sizes, words },
    feeding,
    orders: cases.orders.map(({ places, seed, epoch }) => [...epochOrder(places, seed, epoch)]),
    mirrored: cases.phrases.map((phrase) => mirrorPhrase(phrase) ?? null),
    mirrors: Array.from({ length: 64 }, (_, place) => isMirrored(place, feeding.seed, place % 5)),
    tokens: await Promise.all(cases.vocabularies.map((path) => tokens(path, cases))),
    datasets: await inTurn(cases.datasets, (one, i) => orError(() => dataset(one, join(folder, `dataset-${i}`)))),
    evaluations: await inTurn(cases.evaluations, (one, i) => evaluation(one, join(folder, `logits-${i}`))),
  };
  writeFileSync(join(folder, 'reference.json'), JSON.stringify(reference));
}

async function inTurn<T, R>(items: readonly T[], task: (item: T, i: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const [i, item] of items.entries()) results.push(await task(item, i));
  return results;
}

async function orError<T>(task: () => Promise<T>): Promise<T | { readonly error: string }> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof UserError) return { error: error.message };
    throw error;
  }
}

async function tokens(path: string, cases: Cases) {
  return orError(async () => ({
    of: await Promise.all(
      truncations.map(async (truncation) => {
        const tokenizer = await openTokenizer(path, truncation);
        const { hash, pieces, vocabularySize } = tokenizer;
        const encoded = await inTurn(cases.phrases, (phrase) =>
          inTurn(cases.words, (count) =>
            orError(async () => {
              const { ids, mask, tokens: found, truncated } = tokenizer.encode(phrase, count);
              return { ids, length: mask.reduce((a, b) => a + b, 0), tokens: found, truncated };
            }),
          ),
        );
        return { truncation, hash, pieces, vocabularySize, encoded };
      }),
    ),
  }));
}

async function dataset({ dir, split, onBad, onSizeMismatch, batches }: DatasetCase, to: string) {
  const notes: string[] = [];
  const report = (line: string) => void notes.push(line);
  const { splits } = await openLayout(dir);
  const opened = await openDataset(dir, split, { onBad, onSizeMismatch: onSizeMismatch ?? undefined, report });
  const samples = opened.samples.map(({ image, phrase, line, category = null, attributes = null }) => ({
    ...{ image, phrase, line, category, attributes },
  }));
  const orders = [0, 1].map((epoch) => [...epochSamples(opened, feeding.seed, epoch)]);
  const { hash, lines } = opened;
  const found = { splits, hash, lines, samples, orders, opening: [...notes] };
  if (!batches) return found;
  const text = await textInput();
  notes.length = 0;
  // A data set remembers samples that turned out bad, and does not report them again.
  const fresh = (): Dataset => ({ ...opened, undecodable: new Set() });
  const order = opened.samples.map((_, i) => i);
  const options = { ...sizes, text, ahead: 0, threads: 0, onBad, report };
  const each: Feeds[] = [];
  const held: number[] = [];
  for await (const batch of loadBatches(fresh(), order, options)) {
    each.push(batch.feeds);
    held.push(batch.samples.length);
  }
  write(`${to}.all`, each);
  const stepped: Feeds[] = [];
  const quiet = () => undefined;
  const steps = planned(opened);
  if (steps) {
    const options = { plan: steps, accumulate: feeding.accumulate, seed: feeding.seed, augment: true, blank: false };
    const data = { train: fresh(), val: undefined, sizes, text, hashes: { data: '', vocabulary: '' } };
    const source = stepBatches(feeding.first, { data, ...options, onBad, decodeThreads: 0, report: quiet });
    for (let step = 0; step < feeding.steps; step++) {
      const next = await source.next();
      if (!next.done) stepped.push(...next.value);
    }
    await source.return();
  }
  write(`${to}.steps`, stepped);
  return {
    ...found,
    held,
    loading: notes,
    cut: cutPhrases(opened, text) ?? null,
    stepsPerEpoch: steps?.stepsPerEpoch ?? null,
  };
}

function planned({ lines }: Dataset) {
  const { accumulate } = feeding;
  if (lines < sizes.batch * accumulate) return undefined;
  const length = { steps: 100 };
  return planRun({ samples: lines, batch: sizes.batch, accumulate, length, evaluateEvery: 1, checkpointEvery: 1 });
}

async function textInput(): Promise<TextInput> {
  return { words, tokenizer: await openTokenizer('models/vocab/aerial.txt') };
}

function write(path: string, batches: readonly Feeds[]): void {
  for (const name of ['image', 'target', 'tokens', 'mask']) {
    const parts = batches.map((feeds) => feeds[name]?.data as Float32Array | BigInt64Array | Uint8Array);
    const bytes = parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
    writeFileSync(`${path}.${name}`, Buffer.concat(bytes));
  }
}

/** Scores of logits that resemble the masks, which are written beside. */
async function evaluation({ dir, split, protocol, at }: EvaluationCase, to: string) {
  const opened = await openDataset(dir, split, { onBad: 'stop', report: () => undefined });
  const text = await textInput();
  const order = opened.samples.map((_, i) => i);
  const options = { ...sizes, text, ahead: 0, threads: 0, onBad: 'stop' as const, report: () => undefined };
  const logits: Float32Array[] = [];
  for await (const { feeds } of loadBatches(opened, order, options))
    logits.push(resembling(feeds.target!.data as Float32Array, logits.length));
  writeFileSync(to, Buffer.concat(logits.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength))));
  const predictor = () => {
    let next = 0;
    return async (): Promise<HostTensor> => {
      const data = logits[next++ % logits.length]!;
      return { dtype: 'f32', shape: [sizes.batch, 1, sizes.height, sizes.width], data };
    };
  };
  if (at !== null) {
    const found = await evaluate(predictor(), opened, { ...options, protocol, at });
    const { oIoU, mIoU, precision, skipped, samples } = found;
    const named = Object.entries(precision).map(([threshold, value]) => [`Pr@${threshold}`, value]);
    return { figures: { mIoU, oIoU, ...Object.fromEntries(named) }, skipped, samples };
  }
  const score = validation({
    backend: { predict: predictor() },
    dataset: opened,
    sizes,
    text,
    protocol,
    metric: 'mIoU',
    blank: false,
    onBad: 'stop',
    decodeThreads: 0,
    stop: { signal: undefined },
    events: undefined,
    report: () => undefined,
    onSample: () => undefined,
  });
  const { figures } = (await score(1))!;
  return { figures, skipped: 0, samples: order.length };
}

/** Logits near a mask, with waves of errors; those of each third batch say that there is nothing, or nearly nothing. */
function resembling(target: Float32Array, index: number): Float32Array {
  const { height, width } = sizes;
  return Float32Array.from(target, (on, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const wave = Math.sin(x / 5 + index) + Math.cos(y / 4 - index);
    if (index % 3 === 2) return x < 6 && y < 7 ? 1.5 : -2 + wave / 4;
    return (on * 2 - 1) * (0.6 + (index % 4) / 4) + wave;
  });
}
