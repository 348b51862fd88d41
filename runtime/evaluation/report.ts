import type { Precision } from '../../compiler/passes/pipeline.ts';
import {
  type Check,
  isCount,
  isFlag,
  isNumber,
  isObject,
  isText,
  objectOf,
  oneOf,
  orNull,
  recordOf,
} from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { readText } from '../files/read-file.ts';
import { shownValue } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { type Bounds, bounds, type Metric } from './bootstrap.ts';
import type { Evaluation } from './evaluate.ts';
import { type ComparisonSize, comparisonSizes, type ProtocolName, protocolNames } from './protocols.ts';
import { type ClassMeans, hasTarget, noTargetMetrics, noTargetNames, type Scores, thresholds } from './scores.ts';

/** The model, weights, data and settings of an evaluation. */
export interface Subject {
  readonly model: string;
  /** The .crob file and the values of `--set`. */
  readonly file: string;
  readonly settings: readonly string[];
  /** Null for initial weights drawn from `seed`. */
  readonly weights: string | null;
  readonly seed: number | null;
  readonly data: string;
  readonly split: string;
  /** False if every phrase was replaced by an empty one. */
  readonly phrases: boolean;
  readonly height: number;
  readonly width: number;
  /** Null for a model that reads only images. */
  readonly words: number | null;
  readonly device: string;
  /** Float type of the graph. */
  readonly dtype: Precision;
  /** Whether CUDA rounded the factors of products in f32. */
  readonly tf32: boolean;
  /** Whether only part of the split was evaluated. */
  readonly limited: boolean;
}

/** Says that a model was not computed in f32: ` in bf16`. */
export function shownPrecision({
  dtype,
  tf32,
}: {
  readonly dtype: Precision | null;
  readonly tf32: boolean | null;
}): string {
  if (dtype !== null && dtype !== 'f32') return ` in ${dtype}`;
  return tf32 ? ' in TF32' : '';
}

/** One sample of the report; areas are in pixels. `iou` is null if the protocol gives NaN. */
export interface ReportedSample {
  readonly file: string;
  readonly line: number;
  readonly image: string;
  readonly phrase: string;
  readonly category: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly iou: number | null;
  readonly intersection: number;
  readonly union: number;
  /** Area of the prediction. */
  readonly predicted: number;
  /** False if the phrase describes nothing in the image. */
  readonly target: boolean;
}

/** Content of `<Model>.<split>.json`. Scores are fractions of 1; null means NaN. */
export interface Report extends Subject, Scores {
  readonly crobc: string;
  readonly protocol: ProtocolName;
  readonly at: ComparisonSize;
  readonly skipped: number;
  readonly seconds: number;
  readonly byCategory: Readonly<Record<string, Scores>>;
  readonly classMeans?: ClassMeans;
  readonly byAttribute: Readonly<Record<string, Readonly<Record<string, Scores>>>>;
  /** 95 % bounds of the scores of all samples, from a bootstrap over images. */
  readonly bounds: Readonly<Record<Metric, Bounds>>;
  readonly each: readonly ReportedSample[];
}

export function reportOf(
  subject: Subject,
  evaluation: Evaluation,
  { crobc, seconds, seed }: { readonly crobc: string; readonly seconds: number; readonly seed: number },
): Report {
  const { each: results, ...scores } = evaluation;
  const each = results.map(({ sample, iou, intersection, union, predicted }) => ({
    file: sample.file,
    line: sample.line,
    image: sample.image,
    phrase: sample.phrase,
    category: sample.category ?? null,
    attributes: sample.attributes ?? {},
    iou: Number.isNaN(iou) ? null : iou,
    intersection,
    union,
    predicted,
    target: hasTarget(sample),
  }));
  return {
    crobc,
    ...subject,
    seconds,
    ...scores,
    bounds: bounds({ protocol: evaluation.protocol, each }, seed),
    each,
  };
}

/**
 * Returns CSV (RFC 4180) with one row per sample and one column per attribute; if some phrases have no target, also
 * whether they have, and the area of the prediction.
 */
export function reportCsv({ each }: Pick<Report, 'each'>): string {
  const attributes = [...new Set(each.flatMap((sample) => Object.keys(sample.attributes)))];
  const rejecting = each.some(({ target }) => !target);
  const heads = [
    ...['file', 'line', 'image', 'phrase', 'category', ...attributes, 'intersection', 'union', 'iou'],
    ...(rejecting ? ['target', 'predicted'] : []),
  ];
  const rows = each.map((s) => [
    s.file,
    s.line,
    s.image,
    s.phrase,
    s.category ?? '',
    ...attributes.map((name) => (Object.hasOwn(s.attributes, name) ? s.attributes[name]! : '')),
    s.intersection,
    s.union,
    s.iou ?? '',
    ...(rejecting ? [String(s.target), s.predicted] : []),
  ]);
  return csv([heads, ...rows]);
}

/**
 * Returns CSV with one row for all samples, each category, and each value of each
 * attribute. Fractions of 1; NaN is empty.
 */
export function scoresCsv({
  byCategory,
  byAttribute,
  classMeans,
  ...all
}: Pick<Report, keyof Scores | 'byCategory' | 'byAttribute' | 'classMeans'>) {
  const row = (group: string, value: string, scores: Omit<Scores, 'samples'> & { readonly samples: number | '' }) => {
    const { samples, oIoU, mIoU, precision, noTarget } = scores;
    const rejected = all.noTarget ? noTargetMetrics.map((metric) => noTarget?.[metric] ?? '') : [];
    const parts = [oIoU, mIoU, ...thresholds.map((t) => precision[t]), ...rejected];
    return [group, value, samples, ...parts.map((part) => (Number.isNaN(part) ? '' : part))];
  };
  const rows = (group: string, of: Readonly<Record<string, Scores>>) =>
    Object.entries(of).map(([value, scores]) => row(group, value, scores));
  return csv([
    [
      ...['group', 'value', 'samples', 'oIoU', 'mIoU', ...thresholds.map((t) => `Pr@${t}`)],
      ...(all.noTarget ? noTargetMetrics.map((metric) => noTargetNames[metric]) : []),
    ],
    row('all', '', all),
    ...rows('category', byCategory),
    ...(classMeans ? [row('mean of categories', '', { ...classMeans, samples: '' })] : []),
    ...Object.entries(byAttribute).flatMap(([attribute, of]) => rows(attribute, of)),
  ]);
}

/** Returns CSV (RFC 4180). */
export function csv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** Spreadsheets evaluate cells that look like formulas; an apostrophe makes them text. */
function csvCell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The members of a report that a comparison reads. */
export type ComparedReport = Pick<Report, 'model' | 'split' | 'weights' | 'seed' | 'phrases' | 'protocol' | 'at'> & {
  /** Null in reports that were written before this member existed. */
  readonly dtype: Precision | null;
  readonly tf32: boolean | null;
  readonly each: readonly Omit<ReportedSample, 'predicted'>[];
};

const isShare: Check<number> = (value): value is number => isNumber(value) && value >= 0 && value <= 1;

/** Reports written before `target` existed have none; every phrase had a target then. */
const isSample: Check<Omit<ReportedSample, 'predicted' | 'target'>> = objectOf({
  file: isText,
  line: isCount,
  image: isText,
  phrase: isText,
  category: orNull(isText),
  attributes: recordOf(isText),
  iou: orNull(isShare),
  intersection: isCount,
  union: isCount,
});

/** Reads a report of `crobc eval`. Throws a UserError if the file is not one. */
export async function readReport(path: string): Promise<ComparedReport> {
  const text = await readText(path, 'report');
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    throw new UserError(`${path} is not JSON`);
  }
  const refuse = (what: string) => new UserError(`${path} is no report of crobc eval: ${what}`);
  if (!isObject(json)) throw refuse('it is no object');
  /** Throws if a member is missing or has another type. */
  const member = <T>(name: keyof ComparedReport, check: Check<T>): T => {
    const value = json[name];
    if (value === undefined) throw refuse(`"${name}" is missing`);
    if (!check(value)) throw refuse(`"${name}" is ${shownValue(value)}`);
    return value;
  };
  const subject = {
    model: member('model', isText),
    split: member('split', isText),
    weights: member('weights', orNull(isText)),
    seed: member('seed', orNull(isCount)),
    // Reports written before this member existed were evaluated with phrases.
    phrases: json.phrases === undefined || member('phrases', isFlag),
    protocol: member('protocol', oneOf(protocolNames)),
    at: member('at', oneOf(comparisonSizes)),
    dtype: json.dtype === undefined ? null : member('dtype', oneOf<Precision>(['f32', 'f16', 'bf16'])),
    tf32: json.tf32 === undefined ? null : member('tf32', isFlag),
  };
  const { each } = json;
  if (!Array.isArray(each) || each.length === 0) throw refuse('"each" has no samples');
  const wrong = each.findIndex((sample) => !isSample(sample));
  if (wrong >= 0) throw refuse(`sample ${wrong + 1} of "each" is damaged`);
  const samples = each as readonly (Omit<ReportedSample, 'predicted' | 'target'> & { readonly target?: unknown })[];
  return { ...subject, each: samples.map((sample) => ({ ...sample, target: sample.target !== false })) };
}
