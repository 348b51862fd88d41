import type { ArrayPool } from '../ort/array-pool.ts';
import type { NonFinite } from '../ort/first-non-finite.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';

export type { Feeds } from '../ort/session.ts';

/** Inputs of a step besides state and data. */
export interface StepScalars {
  readonly learningRate: number;
  /** Step number, from 1. */
  readonly step: number;
}

export interface StepResult {
  /** Sum of the loss terms; with accumulation, the mean over the micro-batches. */
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  /** Global norm of the gradients before clipping. */
  readonly gradientNorm: number;
  /** With f16: the scale of the loss in the step, and whether the gradients overflowed, so that no weight was changed. */
  readonly scaling?: { readonly scale: number; readonly skipped: boolean };
}

/** Holds the weights and optimizer state of a model and runs training steps. */
export interface TrainingBackend {
  readonly name: 'onnx' | 'tfjs';
  readonly device: string;
  /** Why this device was chosen, if the user did not choose it. */
  readonly note?: string;
  /**
   * Arrays for feeds, from which they are copied to the device faster than from others. Undefined where there is no such
   * memory. The back end gives nothing back itself.
   */
  readonly feedArrays?: ArrayPool | undefined;
  /** Runs one step over the recipe's `accumulate` micro-batches; feeds are by input name. */
  step(batches: readonly Feeds[], scalars: StepScalars): Promise<StepResult>;
  /**
   * Whether the arrays of `read` keep their elements while steps and predictions run, until the next `read`, `write` or
   * look. Otherwise, a step may change them.
   */
  readonly readsCopies: boolean;
  /**
   * Returns the state by name, without sums of gradients: each step begins with zeros, and the sums of a step that f16 made
   * overflow are not finite.
   */
  read(): Promise<ReadonlyMap<string, Float32Array>>;
  /** Overwrites the given state tensors; others are unchanged. */
  write(state: ReadonlyMap<string, Float32Array>): Promise<void>;
  /**
   * Returns logits [B, 1, H, W] of the inference form with the current weights,
   * or with their averages if there are any.
   */
  predict(feeds: Feeds): Promise<HostTensor>;
  /** Undefined if the back end cannot search for the operator that made a NaN or an infinity. */
  readonly look: Look | undefined;
  release(): Promise<void>;
}

/** Searches for the first NaN or infinity. Slow; undefined if there is none, or if `stopped` returns true. */
export interface Look {
  /** Searches the step that `step` would run. State may be partly updated afterwards. */
  inStep(batches: readonly Feeds[], scalars: StepScalars, stopped: () => boolean): Promise<NonFinite | undefined>;
  inPrediction(feeds: Feeds, stopped: () => boolean): Promise<NonFinite | undefined>;
}

/** `whole` without accumulation; with accumulation, one graph for each micro-batch and one for the update. */
export type StepParts<Step> =
  | { readonly whole: Step }
  | { readonly accumulate: Step; readonly update: Step; readonly times: number };
