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

/** What was evaluated. */
export interface Subject {
  readonly model: string;
  /** The .crob file, and what `--set` changed. */
  readonly file: string;
  readonly settings: readonly string[];
  /** Null: initial weights of `seed`. */
  readonly weights: string | null;
  readonly seed: number | null;
  readonly data: string;
  readonly split: string;
  /** False: every phrase was taken away. */
  readonly phrases: boolean;
  readonly height: number;
  readonly width: number;
  /** Null for a model that takes images alone. */
  readonly words: number | null;
  readonly device: string;
  /** A part of the split was taken. */
  readonly limited: boolean;
}

/** One sample in the report; areas in pixels. `iou` is null where the protocol gives no number. */
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

/** `<Model>.<split>.json`. Scores are parts of 1; null stands for no number. */
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

/** One row a sample, RFC 4180; each attribute has a column. */
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

/** One row for all samples, for each category, and for each value of each attribute; parts of 1, empty where there is no number. */
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

/** Spreadsheets run a text that begins like a formula; after an apostrophe they show it. */
function csvCell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What a comparison reads of a report. */
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

/** Reads a report as `crobc eval` wrote it. Throws a UserError where the file is something else. */
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
  /** Throws for a member that is not there, or of another type. */
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
    // Reports from before it was written had phrases.
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
