import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { type Check, isCount, isNumber, isText, listOf, objectOf, oneOf, orNull, recordOf } from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { readText } from '../files/read-file.ts';
import { isShipped, ownPath } from '../files/source-host.ts';
import { UserError } from '../files/user-error.ts';

/** Measured seconds of a training. */
export interface Pace {
  readonly step: number;
  /** Of one evaluation on the split val; 0 without one. */
  readonly evaluation: number;
}

/** What the folder of an experiment remembers beyond its runs. */
export interface ExperimentRecord {
  /**
   * The folder of each model, which stays the same when models are added or left out. Files are relative to the folder of
   * the experiment, unless they ship with crobc.
   */
  readonly models: readonly { readonly file: string; readonly model: string; readonly folder: string }[];
  /** The number of steps that a budget in minutes gave. */
  readonly budget: { readonly minutes: number; readonly steps: number } | null;
  /** Measured times by the hash of the losses. */
  readonly paces: Readonly<Record<string, Pace>>;
}

const format = 'crobc comparison 1';
const recordName = 'compare.json';

const isPace: Check<Pace> = objectOf({ step: isNumber, evaluation: isNumber });
const isRecord = objectOf({
  format: oneOf([format]),
  models: listOf(objectOf({ file: isText, model: isText, folder: isText })),
  budget: orNull(objectOf({ minutes: isNumber, steps: isCount })),
  paces: recordOf(isPace),
});

/** The record of a folder in which nothing has begun. */
export const newRecord: ExperimentRecord = { models: [], budget: null, paces: {} };

/** Reads what a folder remembers. Throws a UserError if it is damaged. */
export async function readExperimentRecord(out: string): Promise<ExperimentRecord> {
  const path = join(out, recordName);
  if (!existsSync(path)) return newRecord;
  let json: unknown;
  try {
    json = parseJson(await readText(path, 'record'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (!isRecord(json)) throw new UserError(`${path} is damaged, or of another version of crobc: choose another -o`);
  return json;
}

export async function writeExperimentRecord(out: string, record: ExperimentRecord): Promise<void> {
  await writeFileAtomic(join(out, recordName), `${JSON.stringify({ format, ...record }, null, 1)}\n`);
}

interface Named {
  readonly file: string;
  readonly model: string;
}

/**
 * Returns the record with a folder for each model: its name, with a number if a model of another file has it already.
 * Names are compared without case, as some file systems do.
 */
export function withFolders(record: ExperimentRecord, models: readonly Named[], out: string): ExperimentRecord {
  const all = [...record.models];
  for (const named of models) {
    if (folderIn({ models: all }, named, out) !== undefined) continue;
    const { model } = named;
    const taken = new Set(all.map(({ folder }) => folder.toLowerCase()));
    let folder = model;
    for (let n = 2; taken.has(folder.toLowerCase()); n++) folder = `${model}-${n}`;
    all.push({ file: pathFrom(out, named.file), model, folder });
  }
  return { ...record, models: all };
}

/** Returns the name of a model's folder; undefined if it has none. */
export function folderIn(
  { models }: Pick<ExperimentRecord, 'models'>,
  { file, model }: Named,
  out: string,
): string | undefined {
  const path = pathFrom(out, file);
  return models.find((one) => one.file === path && one.model === model)?.folder;
}

function pathFrom(out: string, file: string): string {
  const own = ownPath(file);
  return isShipped(own) ? own : relative(out, file).split(sep).join('/');
}
