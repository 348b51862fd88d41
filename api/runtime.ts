import { withSteps } from '../compiler/training/recipe.ts';
import { originPlace } from '../runtime/build/origin-place.ts';
import { runEvaluation } from '../runtime/evaluation/run-evaluation.ts';
import { UserError } from '../runtime/files/user-error.ts';
import { colourChoice } from '../runtime/images/colours.ts';
import { predict as predictMask } from '../runtime/predict/predict.ts';
import { openTrainedModel } from '../runtime/predict/trained-model.ts';
import { stepsFault } from '../runtime/training/plan.ts';
import { train as runTraining } from '../runtime/training/train.ts';
import { CompiledModel, requireWeights, type TrainableModel } from './models.ts';
import { type ProgressOptions, withProgress } from './progress.ts';
import type { Device } from './sessions.ts';

export { UserError } from '../runtime/files/user-error.ts';
export type { CompiledModel, ElementType, Port, TrainableModel } from './models.ts';
export type { ProgressOptions, ProgressReport } from './progress.ts';
export {
  type Device,
  openSession,
  type RunOptions,
  type Session,
  type SessionOptions,
  type Tensor,
} from './sessions.ts';

/** Where a model runs, and with which weights. */
export interface RunningOptions extends ProgressOptions {
  /** A file of weights: safetensors, or another format that crobc reads. Without one, weights are drawn from `seed`, and results mean nothing. */
  readonly weights?: string;
  /** 0 by default. */
  readonly seed?: number;
  /**
   * `vocab.txt` or `tokenizer.json` of the text encoder; by default, the vocabulary in the weights, else the data set's own, else the
   * aerial vocabulary that ships with crobc.
   */
  readonly tokenizer?: string;
  /** How a longer phrase is truncated: with `[SEP]` kept, or, as LAVT and RMSIN do, without; by default, as in the training. */
  readonly truncation?: 'keep-sep' | 'plain';
  /** `auto` by default. */
  readonly device?: Device | 'auto';
  /** The type of floats inside the graph, by default f32. */
  readonly dtype?: 'f32' | 'f16' | 'bf16';
  /** Whether CUDA may round factors of products in f32 to 10 bits of mantissa (TF32), which is faster; by default true. */
  readonly tf32?: boolean;
  /** Threads within an operator on the CPU; by default, one for each physical core. */
  readonly threads?: number;
  /** The folder to write to. The built model is cached in its subfolder `model-cache/` for the next call. */
  readonly out: string;
}

/** How bands of images become colours. */
export interface ColourOptions {
  /** The bands to show as red, green and blue, from 1, or one to show as grey; by default the first three. */
  readonly bands?: readonly number[];
  /** Percentiles of each band that become black and white; `none` keeps 8 and 16 bits as they are, without a note. */
  readonly stretch?: 'none' | { readonly low: number; readonly high: number };
}

/** Options of `predict`. */
export interface PredictOptions extends RunningOptions, ColourOptions {
  /** PNG, JPEG, TIFF or WebP. */
  readonly image: string;
  /** What to find; not for a model without words. */
  readonly text?: string;
  /** Called with each note, a line of text. */
  readonly onNote?: (line: string) => void;
}

/** In pixels from the top left corner of the image; `right` and `bottom` are inclusive. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The result of `predict`. */
export interface Prediction {
  readonly model: string;
  readonly image: string;
  /** Null for a model without words. */
  readonly text: string | null;
  /** Word pieces of the text, as the model reads them. */
  readonly tokens: readonly string[];
  /** True if the text has more words than the model takes, and was cut off. */
  readonly truncated: boolean;
  /** What was assumed about the image, such as which of its bands are colours: a sentence each. */
  readonly assumed: readonly string[];
  /** Of the image, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Pixels in the mask. */
  readonly area: number;
  /** `area` as a fraction of all pixels, 0 to 1. */
  readonly fraction: number;
  /** Null if the mask is empty. */
  readonly box: Box | null;
  /** Mean probability inside the mask, 0 to 1; null if the mask is empty. */
  readonly score: number | null;
  /** Time of one run of the model, without reading and writing files. */
  readonly milliseconds: number;
  readonly device: Device;
  /** Under `auto`, the reason for this device. */
  readonly note: string | undefined;
  readonly files: { readonly mask: string; readonly overlay: string; readonly json: string };
}

/**
 * Finds the object that a text describes in an image, and writes `<image>.mask.png`, `<image>.overlay.png` and `<image>.json`.
 *
 * `model` has the input `image: f32[B, 3, H, W]`, and `tokens: i64[B, T]` and `mask: bool[B, T]` if it takes words. Its first
 * output is logits `f32[B, 1, H, W]`. Height and width must be bound: compile the model with `dims` or with `recipeSizes`.
 *
 * @throws UserError if the model has other inputs, if files cannot be read, or if logits are not finite.
 * @example
 * import { compile } from 'crobc';
 * import { predict } from 'crobc/runtime';
 *
 * const compiled = compile('models/crobim.crob', { model: 'CroBIM_micro', recipeSizes: true });
 * if (!compiled.ok) throw new Error('the source is wrong');
 * const found = await predict(compiled.model, { image: 'scene.png', text: 'the white ship', weights: 'run/best.safetensors', out: 'out' });
 * console.log(found.box, found.score);
 */
export async function predict(model: CompiledModel, options: PredictOptions): Promise<Prediction> {
  const {
    image,
    text,
    out,
    weights,
    seed = 0,
    tokenizer,
    truncation,
    device = 'auto',
    dtype = 'f32',
    tf32 = true,
    threads,
  } = options;
  requireWeights(model, weights);
  const colours = colourChoice(options);
  const note = (line: string) => options.onNote?.(line);
  return withProgress(options, () =>
    predictMask(model.source, {
      image,
      text,
      colours,
      tokenizer,
      truncation,
      device,
      threads,
      out,
      dtype,
      tf32,
      weightsFile: weights,
      seed,
      note,
    }),
  );
}

/** A trained model; the result of `openTrained`. */
export interface TrainedModel {
  /** At the sizes of its training. */
  readonly model: CompiledModel;
  /** Its weights file, for the option `weights`. */
  readonly weights: string;
}

/**
 * Opens a trained model: the folder of a training, of which the best weights are taken, else the last; or one of its weights files. The
 * file contains the model's sources and its vocabulary, which `predict` and `evaluate` then use.
 *
 * @throws UserError if there are no weights, or if they were not written by a training of crobc.
 * @example
 * import { openTrained, predict } from 'crobc/runtime';
 *
 * const { model, weights } = await openTrained('run');
 * const found = await predict(model, { image: 'scene.png', text: 'the white ship', weights, out: 'out' });
 * console.log(found.box, found.score);
 */
export async function openTrained(path: string): Promise<TrainedModel> {
  const { compiled, weightsFile } = await openTrainedModel(path);
  return { model: new CompiledModel(compiled), weights: weightsFile };
}

/** Options of `evaluate`. */
export interface EvaluateOptions extends RunningOptions, ColourOptions {
  /**
   * Threads that decode and resize images beside the model; by default, as many as there are cores but one, 16 at most.
   * With 0, the model waits. Images are decoded by libuv's threads: outside the command, `UV_THREADPOOL_SIZE` sets their number.
   */
  readonly decodeThreads?: number;
  /** A data set in one of the layouts of docs/data.md, such as RISBench and RRSIS-D. */
  readonly data: string;
  /** The split, whose phrases are in `output_phrase_<split>.txt`; by default `test`. */
  readonly split?: string;
  /** The protocol, see docs/evaluation.md; by default `lavt`. */
  readonly protocol?: 'lavt' | 'caris' | 'cris' | 'rrsis' | 'gres';
  /** The size at which masks are compared: the model's or the image's. By default, that of the protocol; `cris` has only the image's. */
  readonly at?: 'model' | 'original';
  /** If false, every phrase is blanked, to measure what the model finds without words. */
  readonly phrases?: boolean;
  /** Samples per run of the model; by default 8. */
  readonly batch?: number;
  /** The most samples to evaluate, spread evenly over the split. */
  readonly limit?: number;
  /** What to do with a sample that cannot be read; by default `stop`. */
  readonly onBad?: 'skip' | 'stop';
  /** What to do where a mask has another size than its image; by default, as `onBad` says. */
  readonly onSizeMismatch?: 'resize' | 'skip' | 'stop';
  /** How many of the best, of the worst and of random predictions the page shows; by default 12. */
  readonly pictures?: number;
  /** Called with each note, a line of text. */
  readonly onNote?: (line: string) => void;
}

/** Scores of a group of samples, as fractions of 1; NaN if there is nothing to divide by. */
export interface Scores {
  readonly samples: number;
  /** The sum of all intersections divided by the sum of all unions: large objects have more weight. */
  readonly oIoU: number;
  /** The mean IoU of the samples. */
  readonly mIoU: number;
  /** The fraction of the samples whose IoU reaches 0.5, 0.6 … 0.9: Pr@X. */
  readonly precision: Readonly<Record<'0.5' | '0.6' | '0.7' | '0.8' | '0.9', number>>;
  /** Only if some phrases describe nothing in their image. */
  readonly noTarget?: {
    /** The number of phrases without a target. */
    readonly samples: number;
    /** The mean IoU, where a phrase without a target has 1 if nothing is predicted, and else 0. */
    readonly gIoU: number;
    /** The sum of all intersections divided by the sum of all unions. */
    readonly cIoU: number;
    /** The fraction of the phrases without a target for which nothing is predicted. */
    readonly nAcc: number;
    /** The fraction of the phrases with a target for which something is predicted. */
    readonly tAcc: number;
  };
}

/** The bounds of the middle 95 % of a metric in a bootstrap over images. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** One sample of an evaluation. */
export interface EvaluatedSample {
  /** The file and the line of its phrase. */
  readonly file: string;
  readonly line: number;
  readonly image: string;
  readonly phrase: string;
  readonly category: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  /** Null if the protocol defines no value. */
  readonly iou: number | null;
  /** Pixels. */
  readonly intersection: number;
  readonly union: number;
  /** The area of the prediction. */
  readonly predicted: number;
  /** False if the phrase describes nothing in the image. */
  readonly target: boolean;
}

/** The result of `evaluate`. */
export interface Evaluation extends Scores {
  readonly model: string;
  readonly split: string;
  readonly device: string;
  /** The number of samples that could not be read; they are not counted. */
  readonly skipped: number;
  readonly seconds: number;
  readonly byCategory: Readonly<Record<string, Scores>>;
  /** Means of the scores of the categories, each with the same weight; absent if there are none. */
  readonly classMeans?: {
    readonly classes: number;
    readonly oIoU: number;
    readonly mIoU: number;
    readonly precision: Readonly<Record<'0.5' | '0.6' | '0.7' | '0.8' | '0.9', number>>;
  };
  /** Bounds of the scores of all samples. */
  readonly bounds: Readonly<Record<'oIoU' | 'mIoU' | `Pr@${'0.5' | '0.6' | '0.7' | '0.8' | '0.9'}`, Bounds>>;
  readonly byAttribute: Readonly<Record<string, Readonly<Record<string, Scores>>>>;
  readonly each: readonly EvaluatedSample[];
  readonly files: { readonly json: string; readonly csv: string; readonly scores: string; readonly html: string };
}

/**
 * Evaluates a model on a split of a data set, and writes a report as JSON, CSV and an HTML page with pictures. The same models
 * can be evaluated as `predict` takes.
 *
 * @throws UserError as `predict` does, and if the data set cannot be used.
 */
export async function evaluate(model: CompiledModel, options: EvaluateOptions): Promise<Evaluation> {
  const { weights } = options;
  requireWeights(model, weights);
  const { report, files } = await withProgress(options, () =>
    runEvaluation(model.source, {
      data: options.data,
      split: options.split ?? 'test',
      protocol: options.protocol ?? 'lavt',
      at: options.at,
      weightsFile: weights,
      tokenizer: options.tokenizer,
      truncation: options.truncation,
      blank: options.phrases === false,
      device: options.device ?? 'auto',
      dtype: options.dtype ?? 'f32',
      tf32: options.tf32 ?? true,
      threads: options.threads,
      decodeThreads: options.decodeThreads,
      batch: options.batch ?? 8,
      limit: options.limit,
      onBad: options.onBad ?? 'stop',
      onSizeMismatch: options.onSizeMismatch,
      colours: colourChoice(options),
      pictures: options.pictures ?? 12,
      seed: options.seed ?? 0,
      out: options.out,
      file: model.file,
      settings: Object.entries(model.dims).map(([name, size]) => `${name}=${size}`),
      note: (line) => options.onNote?.(line),
    }),
  );
  return { ...report, files };
}

/** Options of `train`. */
export interface TrainOptions extends ProgressOptions, ColourOptions {
  /** A data set in one of the layouts of docs/data.md, such as RISBench and RRSIS-D. */
  readonly data: string;
  /** The folder for weights, checkpoints and logs. Only one run at a time can use it. */
  readonly out: string;
  /** The back end; by default `onnx`. */
  readonly backend?: 'onnx' | 'tfjs';
  /** `auto` by default. */
  readonly device?: Device | 'auto';
  /** Threads within an operator on the CPU; by default, one for each physical core. */
  readonly threads?: number;
  /**
   * Threads that decode and resize images beside the model; by default, as many as there are cores but one, 16 at most.
   * With 0, the model waits. Images are decoded by libuv's threads: outside the command, `UV_THREADPOOL_SIZE` sets their number.
   */
  readonly decodeThreads?: number;
  /** The number of steps, instead of the recipe's length. */
  readonly steps?: number;
  /** The seed of initial weights, order of samples and dropout, instead of the recipe's. */
  readonly seed?: number;
  /** Continues from the last checkpoint in `out`, with the same numbers as if the run had never stopped, on CUDA but for their last digits. */
  readonly resume?: boolean;
  /** Modules whose activations are recomputed for the gradients: less memory, more time. */
  readonly recompute?: readonly string[];
  /** A file with weights to start from: safetensors, or another format that crobc reads. */
  readonly weights?: string;
  /** `vocab.txt` or `tokenizer.json`; by default, the data set's own `vocab.txt`. */
  readonly tokenizer?: string;
  /** How a longer phrase is truncated: with `[SEP]` kept, or, as LAVT and RMSIN do, without; by default, as in the training. */
  readonly truncation?: 'keep-sep' | 'plain';
  /** If false, every phrase is blanked, to measure what can be learnt without words. */
  readonly phrases?: boolean;
  /** What to do with a sample that cannot be used; by default `stop`. */
  readonly onBad?: 'skip' | 'stop';
  /** What to do where a mask has another size than its image; by default, as `onBad` says. */
  readonly onSizeMismatch?: 'resize' | 'skip' | 'stop';
  /** Called with each note, a line of text. */
  readonly onNote?: (line: string) => void;
}

/** How a training ended, and the files that it wrote. */
export interface TrainResult {
  readonly model: string;
  readonly recipe: string;
  readonly device: string;
  /** `early stop`: there was no improvement for as long as the recipe waits. A signal: the signal stopped the run. */
  readonly end: 'done' | 'early stop' | 'SIGINT' | 'SIGTERM';
  /** The last step, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** The time of this run and of those that it resumed. */
  readonly seconds: number;
  /** The loss of the last step; null if there was none. */
  readonly loss: number | null;
  /** The metric that decides which weights are best, such as `mIoU`. */
  readonly metric: string;
  /** Null if nothing was evaluated. */
  readonly best: { readonly step: number; readonly score: number } | null;
  /** Null for files that were not written. */
  readonly files: {
    readonly best: string | null;
    readonly last: string | null;
    readonly checkpoint: string | null;
    readonly metrics: string;
    readonly events: string;
  };
  /** The vocabulary of the training; null for a model without words. */
  readonly tokenizer: string | null;
}

/**
 * Trains a model as its recipe declares. During the training, SIGINT and SIGTERM stop it cleanly, with a checkpoint; a second
 * signal ends the process.
 *
 * @throws UserError if the data cannot be used, if another run uses the folder, or if the loss is not finite.
 * @example
 * import { compileTraining } from 'crobc';
 * import { train } from 'crobc/runtime';
 *
 * const compiled = compileTraining('models/crobim.crob', { model: 'CroBIM_micro', overrides: ['recipe.lr = 5e-4'] });
 * if (!compiled.ok) throw new Error('the source is wrong');
 * const { best } = await train(compiled.model, {
 *   data: 'scenes',
 *   out: 'run',
 *   onProgress: ({ task, done, total }) => console.log(task, done, total),
 * });
 * console.log(best?.score);
 */
export async function train(model: TrainableModel, options: TrainOptions): Promise<TrainResult> {
  const fault = options.steps === undefined ? undefined : stepsFault(options.steps);
  if (fault !== undefined) throw new UserError(`steps: ${fault}`);
  const { program, training: compiled } = model.source;
  const sized = options.steps === undefined ? compiled.recipe : withSteps(compiled.recipe, options.steps);
  const recipe = options.seed === undefined ? sized : { ...sized, seed: options.seed };
  const training = { ...compiled, recipe };
  const note = (line: string) => options.onNote?.(line);
  for (const line of recipe.notes) note(line);
  const { inits: _, ...trained } = await withProgress(options, () =>
    runTraining({
      training,
      source: model.source,
      data: options.data,
      backend: options.backend ?? 'onnx',
      device: options.device ?? 'auto',
      threads: options.threads,
      decodeThreads: options.decodeThreads,
      resume: options.resume ?? false,
      recompute: options.recompute ?? [],
      weightsFile: options.weights,
      tokenizer: options.tokenizer,
      truncation: options.truncation,
      blank: options.phrases === false,
      onBad: options.onBad ?? 'stop',
      onSizeMismatch: options.onSizeMismatch,
      colours: colourChoice(options),
      out: options.out,
      place: (origin) => originPlace(program, origin) ?? '',
      note,
    }),
  );
  return trained;
}
