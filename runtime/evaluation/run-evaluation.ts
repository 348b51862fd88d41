import { join } from 'node:path';
import type { Source } from '../build/build-model.ts';
import { cutPhrases } from '../data/cut-phrases.ts';
import { openDataset } from '../data/dataset.ts';
import type { OnBad } from '../data/problems.ts';
import type { OnSizeMismatch } from '../data/size-mismatch.ts';
import { tokenizerFile } from '../data/tokenizer-file.ts';
import { writeFileSet } from '../files/file-set.ts';
import { makeFolder } from '../files/make-folder.ts';
import { packageVersion } from '../files/package-root.ts';
import type { ColourChoice } from '../images/colours.ts';
import type { Device } from '../ort/session.ts';
import {
  noWords,
  openReferringModel,
  type ReferringModel,
  referringInputs,
  refuseVocabulary,
  wordsOf,
} from '../predict/referring-model.ts';
import { differencesFrom } from '../predict/trained-model.ts';
import { startProgress } from '../process/progress.ts';
import { surroundings } from '../process/surroundings.ts';
import type { Truncation } from '../text/truncation.ts';
import { recordFor } from '../weights/trained-record.ts';
import { comparisonSize, type EvaluationOptions, evaluate } from './evaluate.ts';
import { gallery } from './gallery.ts';
import { reportPage } from './page.ts';
import type { ComparisonSize, ProtocolName } from './protocols.ts';
import { type Report, reportCsv, reportOf, scoresCsv } from './report.ts';

export interface RunOptions {
  readonly data: string;
  readonly split: string;
  readonly protocol: ProtocolName;
  readonly at: ComparisonSize | undefined;
  /** A safetensors file; if undefined, the model is untrained, with initial weights drawn from `seed`. */
  readonly weightsFile: string | undefined;
  readonly tokenizer: string | undefined;
  /** How longer phrases are truncated; if undefined, as in the training of the weights, else with [SEP] kept. */
  readonly truncation: Truncation | undefined;
  /** Replaces every phrase by an empty one, to measure what the model predicts from the image alone. */
  readonly blank: boolean;
  readonly device: Device | 'auto';
  readonly dtype: 'f32' | 'f16' | 'bf16';
  /** Whether CUDA may round factors of products in f32 (default true). */
  readonly tf32?: boolean;
  readonly threads: number | undefined;
  /** Threads that decode images; by default, as many as there are cores but one, 16 at most. */
  readonly decodeThreads?: number | undefined;
  readonly batch: number;
  /** Maximum number of samples, spread evenly over the split. */
  readonly limit: number | undefined;
  readonly onBad: OnBad;
  /** How a mask of another size than its image is handled; if undefined, as a bad sample. */
  readonly onSizeMismatch: OnSizeMismatch | undefined;
  /** How the bands of images become colours. */
  readonly colours: ColourChoice;
  /** Number of predictions of each kind on the page. */
  readonly pictures: number;
  readonly seed: number;
  readonly out: string;
  /** The file of the model, and its sizes and overrides, as the report names them. */
  readonly file: string;
  readonly settings: readonly string[];
  /** Prints a note of one line. */
  note(line: string): void;
}

export interface Evaluated {
  readonly report: Report;
  readonly files: { readonly json: string; readonly csv: string; readonly scores: string; readonly html: string };
}

/**
 * Evaluates a model on a split of a data set and writes the report as JSON, CSV
 * and HTML. Throws a UserError of one line.
 */
export async function runEvaluation(source: Source, options: RunOptions): Promise<Evaluated> {
  const { note, blank, limit } = options;
  comparisonSize({ protocol: options.protocol, ...(options.at === undefined ? {} : { at: options.at }) });
  const { name } = source.graph;
  if (!wordsOf(source.graph)) {
    refuseVocabulary(source.graph, options);
    if (blank) throw noWords(source.graph, '--no-phrases');
  }
  const trained = await recordFor(source, options.weightsFile);
  const tokenizer =
    wordsOf(source.graph) && (options.tokenizer ?? trained?.vocabulary ?? (await tokenizerFile(options.data)));
  const inputs = await referringInputs(source.graph, {
    tokenizer,
    truncation: options.truncation,
    dtype: options.dtype,
    openBatch: options.batch,
  });
  for (const line of trained ? await differencesFrom(trained, { graph: source.graph, inputs }) : []) note(line);
  const dataset = await openDataset(options.data, options.split, {
    onBad: options.onBad,
    onSizeMismatch: options.onSizeMismatch,
    colours: options.colours,
    cache: options.out,
    report: note,
  });
  const cut = !blank && inputs.text ? cutPhrases(dataset, inputs.text) : undefined;
  if (cut) note(cut);
  await makeFolder(options.out);
  if (options.weightsFile === undefined)
    note(`NO --weights: ${name} is untrained (initial weights of seed ${options.seed}), and its figures mean nothing`);
  const model = await openReferringModel(source, { ...options, tokenizer });
  if (model.note) note(model.note);
  const total = Math.min(dataset.samples.length, limit ?? Number.POSITIVE_INFINITY);
  const settings: EvaluationOptions = {
    protocol: options.protocol,
    ...(options.at === undefined ? {} : { at: options.at }),
    ...inputs,
    // The last batch is padded, so this works with a fixed batch size as well as an open one.
    batch: inputs.batch ?? Math.min(options.batch, total),
    onBad: options.onBad,
    decodeThreads: options.decodeThreads,
    pool: model.arrays,
    report: note,
    blank,
    ...(limit === undefined ? {} : { limit }),
  };
  try {
    const { now } = surroundings();
    const started = now();
    const found = await evaluateWithProgress(model, dataset, settings, { label: `${name} on ${options.split}`, total });
    const seconds = (now() - started) / 1000;
    const report = reportOf(
      {
        model: name,
        file: options.file,
        settings: options.settings,
        weights: options.weightsFile ?? null,
        seed: options.weightsFile === undefined ? options.seed : null,
        data: options.data,
        split: options.split,
        phrases: !blank,
        height: inputs.height,
        width: inputs.width,
        words: inputs.text?.words ?? null,
        device: model.device,
        dtype: options.dtype,
        tf32: model.tf32,
        limited: total < dataset.samples.length,
      },
      found,
      { crobc: packageVersion(), seconds: Math.round(seconds * 100) / 100, seed: options.seed },
    );
    const pictures = await gallery((feeds) => model.run(feeds), dataset, found, settings, {
      count: options.pictures,
      seed: options.seed,
    });
    const base = `${name}.${options.split}`;
    const names = { json: `${base}.json`, csv: `${base}.csv`, scores: `${base}.scores.csv`, html: `${base}.html` };
    // The report is the last file: if it exists, all other files of the evaluation do.
    await writeFileSet(
      options.out,
      new Map<string, Uint8Array | string>([
        [names.html, reportPage(report, pictures)],
        [names.scores, scoresCsv(report)],
        [names.csv, reportCsv(report)],
        [names.json, `${JSON.stringify(report, null, 1)}\n`],
      ]),
    );
    const at = (written: string) => join(options.out, written);
    const files = { json: at(names.json), csv: at(names.csv), scores: at(names.scores), html: at(names.html) };
    return { report, files };
  } finally {
    await model.release();
  }
}

async function evaluateWithProgress(
  model: ReferringModel,
  dataset: Awaited<ReturnType<typeof openDataset>>,
  settings: EvaluationOptions,
  { label, total }: { readonly label: string; readonly total: number },
) {
  const progress = startProgress(label, total);
  let [done, sum] = [0, 0];
  return evaluate((feeds) => model.run(feeds), dataset, {
    ...settings,
    explain: (feeds) => model.explain(feeds),
    onResult({ iou }) {
      sum += iou;
      done++;
      progress.update(done, `mIoU ${Number.isNaN(sum) ? '-' : ((100 * sum) / done).toFixed(2)}`);
    },
  }).finally(() => progress.finish());
}
