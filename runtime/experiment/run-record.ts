import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ComparisonSize, comparisonSizes, type ProtocolName, protocolNames } from '../evaluation/protocols.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { type Check, isCount, isNumber, isObject, isText, objectOf, oneOf, orNull } from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { readText } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import type { Matter } from '../training/run-identity.ts';

/** What an evaluation depends on besides the weights. */
export interface EvaluationSettings {
  readonly split: string;
  /** Hash of the phrases of the split. */
  readonly samples: string;
  readonly protocol: ProtocolName;
  readonly at: ComparisonSize;
  readonly limit: number | null;
}

/** A finished training. */
export interface TrainedRun {
  readonly end: 'done' | 'early stop';
  readonly step: number;
  /** Training time, including that before interruptions. */
  readonly seconds: number;
  /** The back end and the device that computed it, and the version of crobc: they affect at most the last digits. */
  readonly surroundings: string;
  /** Name of the weights file that is evaluated. */
  readonly weights: string;
}

/** A finished evaluation. */
export interface EvaluatedRun {
  readonly settings: EvaluationSettings;
  /** Name of the report. */
  readonly report: string;
  readonly seconds: number;
}

/** The state of a run of an experiment: one model with one seed, in a folder of its own. */
export interface RunRecord {
  readonly identity: Matter;
  readonly trained: TrainedRun | null;
  readonly evaluated: EvaluatedRun | null;
}

const format = 'crobc compared run 1';
const recordName = 'run.json';

const isMatter: Check<Matter> = objectOf({
  model: isText,
  seed: isCount,
  recipe: (value): value is Matter['recipe'] => isObject(value),
  hashes: objectOf({ model: isText, loss: isText, data: isText, vocabulary: isText }),
});
const isTrained: Check<TrainedRun> = objectOf({
  end: oneOf(['done', 'early stop'] as const),
  step: isCount,
  seconds: isNumber,
  surroundings: isText,
  weights: isText,
});
const isEvaluated: Check<EvaluatedRun> = objectOf({
  settings: objectOf({
    split: isText,
    samples: isText,
    protocol: oneOf(protocolNames),
    at: oneOf(comparisonSizes),
    limit: orNull(isCount),
  }),
  report: isText,
  seconds: isNumber,
});
const isRecord = objectOf({
  format: oneOf([format]),
  identity: isMatter,
  trained: orNull(isTrained),
  evaluated: orNull(isEvaluated),
});

/** Reads the state of the run in a folder; undefined if it has not begun. Throws a UserError if it is damaged. */
export async function readRunRecord(folder: string): Promise<RunRecord | undefined> {
  const path = join(folder, recordName);
  if (!existsSync(path)) return undefined;
  let json: unknown;
  try {
    json = parseJson(await readText(path, 'record'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (!isRecord(json))
    throw new UserError(`${path} is damaged, or of another version of crobc: delete the folder ${folder}`);
  return json;
}

/** Writes the state of a run, all of it or nothing. */
export async function writeRunRecord(folder: string, record: RunRecord): Promise<void> {
  await writeFileAtomic(join(folder, recordName), `${JSON.stringify({ format, ...record }, null, 1)}\n`);
}

export function sameEvaluation(a: EvaluationSettings, b: EvaluationSettings): boolean {
  return (
    a.split === b.split && a.samples === b.samples && a.protocol === b.protocol && a.at === b.at && a.limit === b.limit
  );
}
