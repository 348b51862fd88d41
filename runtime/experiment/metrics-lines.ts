import { isNumber, isObject } from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { readText } from '../files/read-file.ts';

/** A line of metrics.jsonl: a step, or its evaluation, which has scores. */
export interface StepLine {
  readonly step: number;
  readonly seconds: number;
  readonly loss: number | undefined;
  /** Scores on the split val by name, as fractions of 1; undefined for the line of a step. */
  readonly scores: Readonly<Record<string, number>> | undefined;
}

/** Reads the lines of a run's metrics.jsonl; lines that are damaged are left out. */
export async function readMetrics(path: string): Promise<StepLine[]> {
  const text = await readText(path, 'log');
  return text.split('\n').flatMap((line) => {
    try {
      const json = parseJson(line);
      return isObject(json) && isNumber(json.step) && isNumber(json.seconds) ? [asLine(json)] : [];
    } catch {
      return [];
    }
  });
}

function asLine(json: Record<string, unknown>): StepLine {
  // The line of an evaluation has no terms.
  const isEvaluation = json.terms === undefined;
  const numbers = Object.entries(json).filter((entry): entry is [string, number] => isNumber(entry[1]));
  return {
    step: Number(json.step),
    seconds: Number(json.seconds),
    loss: isNumber(json.loss) ? json.loss : undefined,
    scores: isEvaluation ? Object.fromEntries(numbers) : undefined,
  };
}
