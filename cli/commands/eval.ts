import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { cutPhrases } from '../../runtime/data/cut-phrases.ts';
import { openDataset } from '../../runtime/data/dataset.ts';
import type { OnBad } from '../../runtime/data/problems.ts';
import { tokenizerFile } from '../../runtime/data/tokenizer-file.ts';
import { comparisonSize, type EvaluationOptions, evaluate } from '../../runtime/evaluation/evaluate.ts';
import { gallery } from '../../runtime/evaluation/gallery.ts';
import { reportPage } from '../../runtime/evaluation/page.ts';
import type { ComparisonSize, ProtocolName } from '../../runtime/evaluation/protocols.ts';
import { type Report, reportCsv, reportOf, scoresCsv } from '../../runtime/evaluation/report.ts';
import { type Scores, thresholds } from '../../runtime/evaluation/scores.ts';
import { writeFileAtomic } from '../../runtime/files/atomic-file.ts';
import { makeFolder } from '../../runtime/files/make-folder.ts';
import { packageVersion } from '../../runtime/files/package-root.ts';
import type { Device } from '../../runtime/ort/session.ts';
import {
  noWords,
  openReferringModel,
  referringInputs,
  refuseVocabulary,
  wordsOf,
} from '../../runtime/predict/referring-model.ts';
import { startProgress, writeLine } from '../../runtime/process/progress.ts';
import { compileFile, viaOf } from '../compile-file.ts';
import { plural } from '../messages.ts';
import { printJson, printLine, printText } from '../print.ts';
import { table } from '../table.ts';
import { percent } from '../units.ts';

export interface EvalOptions {
  readonly model?: string;
  readonly weights?: string;
  readonly via?: string;
  readonly data: string;
  readonly split: string;
  readonly protocol: ProtocolName;
  readonly at?: ComparisonSize;
  readonly tokenizer?: string;
  readonly phrases: boolean;
  readonly set?: readonly string[];
  readonly device: Device | 'auto';
  readonly dtype: 'f32' | 'f16';
  readonly threads?: number;
  readonly batch: number;
  readonly limit?: number;
  readonly onBad: OnBad;
  readonly pictures: number;
  readonly seed: number;
  readonly out: string;
  readonly json?: boolean;
}

export async function evaluation(file: string, options: EvalOptions): Promise<number> {
  const compiled = compileFile(file, options.model, options.set, {
    recipeDims: ['H', 'W', 'T'],
    via: viaOf(options),
  });
  if (!compiled) return 1;
  comparisonSize(options);
  const { name } = compiled.graph;
  const note = (text: string) => writeLine(`note: ${text}`);
  if (!wordsOf(compiled.graph)) {
    refuseVocabulary(compiled.graph, options.tokenizer);
    if (!options.phrases) throw noWords(compiled.graph, '--no-phrases');
  }
  const tokenizer = wordsOf(compiled.graph) && (await tokenizerFile(options.data, options.tokenizer));
  const inputs = await referringInputs(compiled.graph, {
    tokenizer,
    dtype: options.dtype,
    openBatch: options.batch,
  });
  const dataset = await openDataset(options.data, options.split, {
    onBad: options.onBad,
    cache: options.out,
    report: note,
  });
  const cut = options.phrases && inputs.text ? cutPhrases(dataset, inputs.text) : undefined;
  if (cut) note(cut);
  await makeFolder(options.out);
  if (options.weights === undefined)
    note(`NO --weights: ${name} is untrained (initial weights of seed ${options.seed}), and its figures mean nothing`);
  const model = await openReferringModel(compiled, {
    tokenizer,
    device: options.device,
    threads: options.threads,
    out: options.out,
    dtype: options.dtype,
    weightsFile: options.weights,
    seed: options.seed,
  });
  if (model.note) note(model.note);
  const base = join(options.out, `${name}.${options.split}`);
  const files = {
    json: `${base}.json`,
    csv: `${base}.csv`,
    scores: `${base}.scores.csv`,
    html: `${base}.html`,
  };
  const total = Math.min(dataset.samples.length, options.limit ?? Number.POSITIVE_INFINITY);
  let report: Report;
  try {
    const settings: EvaluationOptions = {
      protocol: options.protocol,
      ...(options.at === undefined ? {} : { at: options.at }),
      ...inputs,
      // The last batch is filled up, so that a size that is bound fits as well as an open one.
      batch: inputs.batch ?? Math.min(options.batch, total),
      onBad: options.onBad,
      report: note,
      blank: !options.phrases,
      ...(options.limit === undefined ? {} : { limit: options.limit }),
    };
    const started = performance.now();
    const progress = startProgress(`${name} on ${options.split}`, total);
    let [done, sum] = [0, 0];
    const found = await evaluate((feeds) => model.run(feeds), dataset, {
      ...settings,
      explain: (feeds) => model.explain(feeds),
      onResult({ iou }) {
        sum += iou;
        progress.update(++done, `mIoU ${percent(sum / done)}`);
      },
    }).finally(() => progress.finish());
    const seconds = (performance.now() - started) / 1000;
    report = reportOf(
      {
        model: name,
        file,
        settings: options.set ?? [],
        weights: options.weights ?? null,
        seed: options.weights === undefined ? options.seed : null,
        data: options.data,
        split: options.split,
        phrases: options.phrases,
        height: inputs.height,
        width: inputs.width,
        words: inputs.text?.words ?? null,
        device: model.device,
        limited: total < dataset.samples.length,
      },
      found,
      packageVersion(),
      Math.round(seconds * 100) / 100,
    );
    const pictures = await gallery((feeds) => model.run(feeds), dataset, found, settings, {
      count: options.pictures,
      seed: options.seed,
    });
    await writeFileAtomic(files.json, `${JSON.stringify(report, null, 1)}\n`);
    await writeFileAtomic(files.csv, reportCsv(report));
    await writeFileAtomic(files.scores, scoresCsv(report));
    await writeFileAtomic(files.html, reportPage(report, pictures));
  } finally {
    await model.release();
  }
  if (report.skipped > 0) note(`${plural(report.skipped, 'sample')} could not be read and are not counted`);
  if (Number.isNaN(report.mIoU))
    note('samples with an empty union have no IoU under this protocol, and so the mean is no number');
  if (options.json) {
    const { each: _, ...scores } = report;
    printJson({ ...scores, files });
    return 0;
  }
  printText(
    `${name} on ${options.split} of ${options.data}, ${model.device}, protocol ${options.protocol}${options.phrases ? '' : ', phrases taken away'}\n\n`,
  );
  const groups = (of: Readonly<Record<string, Scores>>) =>
    Object.entries(of).map(([name, scores]) => [`  ${name}`, ...cells(scores)]);
  const rows = [
    ['all', ...cells(report)],
    ...groups(report.byCategory),
    ...Object.entries(report.byAttribute).flatMap(([attribute, of]) => [[attribute], ...groups(of)]),
  ];
  const heads = ['', 'samples', 'oIoU', 'mIoU', ...thresholds.map((t) => `Pr@${t}`)];
  printText(
    `${table(
      heads,
      rows,
      heads.map((_, i) => (i === 0 ? 'left' : 'right')),
    )}\n\n`,
  );
  for (const [kind, path] of Object.entries(files)) printLine(`  ${kind.padEnd(6)} ${path}`);
  return 0;
}

function cells({ samples, oIoU, mIoU, precision }: Scores): string[] {
  return [samples.toLocaleString('en'), ...[oIoU, mIoU, ...thresholds.map((t) => precision[t])].map(percent)];
}
