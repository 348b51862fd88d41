import type { NonFinite } from '../ort/first-non-finite.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';

export type { Feeds } from '../ort/session.ts';

/** What changes from step to step beside the data. */
export interface StepScalars {
  readonly learningRate: number;
  /** From 1. */
  readonly step: number;
}

export interface StepResult {
  /** The sum of the terms; with accumulation the mean over the micro-batches. */
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  /** Global norm of the gradients before clipping. */
  readonly gradientNorm: number;
}

/** What trains a model: it holds weights and optimizer state, and takes steps. */
export interface TrainingBackend {
  readonly name: 'onnx' | 'tfjs';
  readonly device: string;
  /** Why it is this device, where the user left it open. */
  readonly note?: string;
  /** One step over the recipe's `accumulate` micro-batches of feeds by input name. */
  step(batches: readonly Feeds[], scalars: StepScalars): Promise<StepResult>;
  /** State by name: the live arrays or copies. */
  read(): Promise<ReadonlyMap<string, Float32Array>>;
  /** Replaces state that is named; the rest stays. */
  write(state: ReadonlyMap<string, Float32Array>): Promise<void>;
  /** Logits [B, 1, H, W] of the model's inference form with the current weights, or their averages where there are some. */
  predict(feeds: Feeds): Promise<HostTensor>;
  /** Undefined for one that cannot say which operator made what. */
  readonly look: Look | undefined;
  release(): Promise<void>;
}

/** Finds what first was not finite, slowly; undefined where nothing was, or once `stopped` says so. */
export interface Look {
  /** In the step that `step` would take. State may come out half updated. */
  inStep(batches: readonly Feeds[], scalars: StepScalars, stopped: () => boolean): Promise<NonFinite | undefined>;
  inPrediction(feeds: Feeds, stopped: () => boolean): Promise<NonFinite | undefined>;
}

/** `whole` where a step is one batch; with accumulation one graph for each micro-batch and one for the update. */
export type StepParts<Step> =
  | { readonly whole: Step }
  | { readonly accumulate: Step; readonly update: Step; readonly times: number };
