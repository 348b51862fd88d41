import {
  type Check,
  isCount,
  isNumber,
  isObject,
  isText,
  objectOf,
  oneOf,
  orNull,
  recordOf,
} from '../../files/json.ts';
import { parseJson } from '../../files/parse-json.ts';
import type { StopSignal } from '../../process/stop-signal.ts';
import { isProgress, type Progress } from '../checkpoint.ts';
import type { Plan } from '../plan.ts';

/** The run of a program before its first step. */
export interface StartLine {
  /** The process that takes signals. */
  readonly pid: number;
  readonly device: string;
  readonly metric: string;
  readonly plan: Plan;
  readonly progress: Progress;
  /** The name of the vocabulary; null for a model that reads only images. */
  readonly vocabulary: string | null;
}

export interface StepLine {
  readonly step: number;
  /** Null for NaN and infinity, as are others. */
  readonly loss: number | null;
  readonly terms: Readonly<Record<string, number | null>>;
  readonly gradientNorm: number | null;
  readonly learningRate: number;
  readonly samplesPerSecond: number;
}

export interface EvaluatedLine {
  readonly step: number;
  readonly score: number | null;
  readonly figures: Readonly<Record<string, number | null>>;
}

interface Lines {
  readonly note: { readonly text: string };
  /** An error that ends the program. */
  readonly error: { readonly text: string };
  readonly start: StartLine;
  readonly step: StepLine;
  readonly evaluating: { readonly done: number; readonly of: number };
  readonly evaluated: EvaluatedLine;
  readonly end: { readonly end: 'done' | 'early stop' | StopSignal; readonly progress: Progress };
}

/** A line of standard output of a training program: see runtime/torch/training/report.py. */
export type ProgramLine = { [Event in keyof Lines]: { readonly event: Event } & Lines[Event] }[keyof Lines];

const isValue = orNull(isNumber);
const isValues = recordOf(isValue);

const isPlan: Check<Plan> = objectOf({
  perStep: isCount,
  stepsPerEpoch: isCount,
  steps: isCount,
  evaluateEvery: isCount,
  checkpointEvery: isCount,
});

const checks: { readonly [Event in keyof Lines]: Check<Lines[Event]> } = {
  note: objectOf({ text: isText }),
  error: objectOf({ text: isText }),
  start: objectOf({
    pid: isCount,
    device: isText,
    metric: isText,
    plan: isPlan,
    progress: isProgress,
    vocabulary: orNull(isText),
  }),
  step: objectOf({
    step: isCount,
    loss: isValue,
    terms: isValues,
    gradientNorm: isValue,
    learningRate: isNumber,
    samplesPerSecond: isNumber,
  }),
  evaluating: objectOf({ done: isCount, of: isCount }),
  evaluated: objectOf({ step: isCount, score: isValue, figures: isValues }),
  end: objectOf({ end: oneOf(['done', 'early stop', 'SIGINT', 'SIGTERM'] as const), progress: isProgress }),
};

/** Returns what a line says; undefined for a line that is not of the protocol, such as what an edited recipe prints. */
export function programLine(text: string): ProgramLine | undefined {
  let held: unknown;
  try {
    held = parseJson(text);
  } catch {
    return undefined;
  }
  if (!isObject(held) || !isText(held.event) || !Object.hasOwn(checks, held.event)) return undefined;
  return checks[held.event as keyof Lines](held) ? (held as unknown as ProgramLine) : undefined;
}
