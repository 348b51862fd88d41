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
import { readText } from '../files/read-file.ts';
import { shownValue } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import type { Evaluation } from './evaluate.ts';
import { type ComparisonSize, comparisonSizes, type ProtocolName, protocolNames } from './protocols.ts';
import { type Scores, thresholds } from './scores.ts';

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
  /** Whether only part of the split was evaluated. */
  readonly limited: boolean;
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
}

/** Content of `<Model>.<split>.json`. Scores are fractions of 1; null means NaN. */
export interface Report extends Subject, Scores {
  readonly crobc: string;
  readonly protocol: ProtocolName;
  readonly at: ComparisonSize;
  readonly skipped: number;
  readonly seconds: number;
  readonly byCategory: Readonly<Record<string, Scores>>;
  readonly byAttribute: Readonly<Record<string, Readonly<Record<string, Scores>>>>;
  readonly each: readonly ReportedSample[];
}

export function reportOf(subject: Subject, evaluation: Evaluation, crobc: string, seconds: number): Report {
  const { each, ...scores } = evaluation;
  return {
    crobc,
    ...subject,
    seconds,
    ...scores,
    each: each.map(({ sample, iou, intersection, union }) => ({
      file: sample.file,
      line: sample.line,
      image: sample.image,
      phrase: sample.phrase,
      category: sample.category ?? null,
      attributes: sample.attributes ?? {},
      iou: Number.isNaN(iou) ? null : iou,
      intersection,
      union,
    })),
  };
}

/** Returns CSV (RFC 4180) with one row per sample and one column per attribute. */
export function reportCsv({ each }: Pick<Report, 'each'>): string {
  const attributes = [...new Set(each.flatMap((sample) => Object.keys(sample.attributes)))];
  const heads = ['file', 'line', 'image', 'phrase', 'category', ...attributes, 'intersection', 'union', 'iou'];
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
  ...all
}: Pick<Report, keyof Scores | 'byCategory' | 'byAttribute'>) {
  const row = (group: string, value: string, { samples, oIoU, mIoU, precision }: Scores) => [
    group,
    value,
    samples,
    ...[oIoU, mIoU, ...thresholds.map((t) => precision[t])].map((part) => (Number.isNaN(part) ? '' : part)),
  ];
  const rows = (group: string, of: Readonly<Record<string, Scores>>) =>
    Object.entries(of).map(([value, scores]) => row(group, value, scores));
  return csv([
    ['group', 'value', 'samples', 'oIoU', 'mIoU', ...thresholds.map((t) => `Pr@${t}`)],
    row('all', '', all),
    ...rows('category', byCategory),
    ...Object.entries(byAttribute).flatMap(([attribute, of]) => rows(attribute, of)),
  ]);
}

function csv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** Spreadsheets evaluate cells that look like formulas; an apostrophe makes them text. */
function csvCell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The members of a report that a comparison reads. */
export type ComparedReport = Pick<
  Report,
  'model' | 'split' | 'weights' | 'seed' | 'phrases' | 'protocol' | 'at' | 'each'
>;

const isShare: Check<number> = (value): value is number => isNumber(value) && value >= 0 && value <= 1;

const isSample: Check<ReportedSample> = objectOf({
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
    json = JSON.parse(text);
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
  };
  const { each } = json;
  if (!Array.isArray(each) || each.length === 0) throw refuse('"each" has no samples');
  const wrong = each.findIndex((sample) => !isSample(sample));
  if (wrong >= 0) throw refuse(`sample ${wrong + 1} of "each" is damaged`);
  return { ...subject, each };
}
