import type { Device } from '../../../runtime/ort/session.ts';

/** What the script asks a worker to do: one case after the other. */
export interface Job {
  /** The folder in which workers exchange weights, inputs and outputs. */
  readonly folder: string;
  readonly device: Device;
  readonly threads?: number;
  /** Runs that are timed: so many, or as many as fit into the seconds, but not fewer than the fewest. */
  readonly runs: number;
  readonly fewest: number;
  readonly seconds: number;
  readonly cases: readonly Case[];
}

export type Precision = 'f32' | 'tf32' | 'bf16' | 'f16';

interface Named {
  readonly id: string;
  /** The name of the model in files of the folder. */
  readonly name: string;
}

/** A model in a source file, at sizes. */
interface Modelled extends Named {
  readonly file: string;
  readonly model: string;
  readonly sizes: Readonly<Record<string, number>>;
}

/** Whether the device can be used at all. */
export interface ProbeCase extends Named {
  readonly kind: 'probe';
}

/** Weights, inputs and the outputs of the CPU. */
export interface PrepareCase extends Modelled {
  readonly kind: 'prepare';
  readonly batches: readonly number[];
}

/** Weights and the batch of a training. */
export interface PrepareTrainingCase extends Modelled {
  readonly kind: 'prepare-training';
  readonly recipe: string;
  readonly overrides: readonly string[];
}

export interface InferCase extends Modelled {
  readonly kind: 'infer';
  readonly precision: Precision;
  readonly batch: number;
  /** Whether runs are replays of a CUDA graph. */
  readonly graph: boolean;
}

/** A model that torch.onnx.export wrote to `NAME.export.onnx`. */
export interface ExportedCase extends Modelled {
  readonly kind: 'exported';
  readonly precision: 'f32' | 'tf32';
  readonly batch: number;
  readonly graph: boolean;
}

export interface TrainCase extends Modelled {
  readonly kind: 'train';
  readonly recipe: string;
  readonly overrides: readonly string[];
  readonly precision: Precision;
}

/** Writes the step of a training for profilers of kernels: `NAME.step.onnx`, and its inputs as `NAME.step.json`. */
export interface StepFileCase extends Omit<TrainCase, 'kind'> {
  readonly kind: 'step-file';
}

/** Where the time of a model goes, by onnxruntime's profile. */
export interface ProfileCase extends Modelled {
  readonly kind: 'profile';
  readonly precision: Precision;
  readonly batch: number;
}

/** One way to compute something: a form of forms/, by its id. */
export interface FormCase extends Named {
  readonly kind: 'form';
  readonly scale: 'full' | 'small';
}

export type Case =
  | ProbeCase
  | PrepareCase
  | PrepareTrainingCase
  | InferCase
  | ExportedCase
  | TrainCase
  | StepFileCase
  | ProfileCase
  | FormCase;
