import { withSteps } from '../compiler/training/recipe.ts';
import { originPlace } from '../runtime/build/origin-place.ts';
import { runEvaluation } from '../runtime/evaluation/run-evaluation.ts';
import { UserError } from '../runtime/files/user-error.ts';
import { predict as predictMask } from '../runtime/predict/predict.ts';
import { stepsFault } from '../runtime/training/plan.ts';
import { train as runTraining } from '../runtime/training/train.ts';
import { type CompiledModel, requireWeights, type TrainableModel } from './models.ts';
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
  /** A safetensors file. Without one, weights are drawn from `seed`, and what the model finds means nothing. */
  readonly weights?: string;
  /** 0 when not given. */
  readonly seed?: number;
  /** `vocab.txt` or `tokenizer.json` of the text encoder; the aerial vocabulary that ships with crobc when not given. */
  readonly tokenizer?: string;
  /** `auto` when not given. */
  readonly device?: Device | 'auto';
  /** The type of floats inside the graph; f32 when not given. */
  readonly dtype?: 'f32' | 'f16';
  /** Threads within an operator on the CPU; one for each physical core when not given. */
  readonly threads?: number;
  /** The folder to write to. The built model is kept below it, in `model-cache/`, for the next call. */
  readonly out: string;
}

/** What `predict` takes. */
export interface PredictOptions extends RunningOptions {
  /** PNG, JPEG, TIFF or WebP. */
  readonly image: string;
  /** What to find; not for a model that takes images alone. */
  readonly text?: string;
}

/** Pixels from the top left corner of the image, `right` and `bottom` included. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What `predict` finds. */
export interface Prediction {
  readonly model: string;
  readonly image: string;
  /** Null for a model that takes images alone. */
  readonly text: string | null;
  /** Word pieces of the text, as the model reads them. */
  readonly tokens: readonly string[];
  /** The text has more words than the model takes; the rest was cut off. */
  readonly truncated: boolean;
  /** Of the image, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Pixels in the mask. */
  readonly area: number;
  /** `area` as a part of all pixels, 0 to 1. */
  readonly fraction: number;
  /** Null when the mask is empty. */
  readonly box: Box | null;
  /** Mean probability inside the mask, 0 to 1; null when it is empty. */
  readonly score: number | null;
  /** One run of the model, without images and files. */
  readonly milliseconds: number;
  readonly device: Device;
  /** Under `auto`, why it is this device. */
  readonly note: string | undefined;
  readonly files: { readonly mask: string; readonly overlay: string; readonly json: string };
}

/**
 * Finds what a text names in an image, and writes `<image>.mask.png`, `<image>.overlay.png` and `<image>.json`.
 *
 * `model` has the input `image: f32[B, 3, H, W]`, and `tokens: i64[B, T]` and `mask: bool[B, T]` where it takes words; its first
 * output is logits `f32[B, 1, H, W]`. Its height and width are bound: compile it with `dims` or with `recipeSizes`.
 *
 * @throws UserError for a model of other inputs, for files that cannot be read, and where logits are not finite.
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
  const { image, text, out, weights, seed = 0, tokenizer, device = 'auto', dtype = 'f32', threads } = options;
  requireWeights(model, weights);
  return withProgress(options, () =>
    predictMask(model.source, { image, text, tokenizer, device, threads, out, dtype, weightsFile: weights, seed }),
  );
}

/** What `evaluate` takes. */
export interface EvaluateOptions extends RunningOptions {
  /** A folder in the layout of RISBench: docs/data.md. */
  readonly data: string;
  /** Whose phrases: `output_phrase_<split>.txt`; `test` when not given. */
  readonly split?: string;
  /** Whose definitions are followed: docs/evaluation.md. `lavt` when not given. */
  readonly protocol?: 'lavt' | 'caris' | 'cris';
  /** Under `caris`, where masks are compared: at the model's size or the image's. */
  readonly at?: 'model' | 'original';
  /** False: every phrase is blanked, for what the model finds without words. */
  readonly phrases?: boolean;
  /** Samples in one run of the model; 8 when not given. */
  readonly batch?: number;
  /** At most so many samples, spread evenly over the split. */
  readonly limit?: number;
  /** What to do with a sample that cannot be read; `stop` when not given. */
  readonly onBad?: 'skip' | 'stop';
  /** Predictions of each kind on the page: the best, the worst, and drawn ones. 12 when not given. */
  readonly pictures?: number;
  /** Called with what is worth knowing, a line each. */
  readonly onNote?: (line: string) => void;
}

/** Figures of a group of samples, as parts of 1; NaN where there is nothing to divide by. */
export interface Scores {
  readonly samples: number;
  /** Sum of all intersections by sum of all unions: large objects weigh more. */
  readonly oIoU: number;
  /** Mean of the samples' IoU. */
  readonly mIoU: number;
  /** Part of the samples whose IoU reaches 0.5, 0.6 … 0.9: Pr@X. */
  readonly precision: Readonly<Record<'0.5' | '0.6' | '0.7' | '0.8' | '0.9', number>>;
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
  /** Null where the protocol gives no number. */
  readonly iou: number | null;
  /** Pixels. */
  readonly intersection: number;
  readonly union: number;
}

/** What `evaluate` finds. */
export interface Evaluation extends Scores {
  readonly model: string;
  readonly split: string;
  readonly device: string;
  /** Samples that could not be read, which are not counted. */
  readonly skipped: number;
  readonly seconds: number;
  readonly byCategory: Readonly<Record<string, Scores>>;
  readonly byAttribute: Readonly<Record<string, Readonly<Record<string, Scores>>>>;
  readonly each: readonly EvaluatedSample[];
  readonly files: { readonly json: string; readonly csv: string; readonly scores: string; readonly html: string };
}

/**
 * Evaluates a model on a split of a data set, and writes a report as JSON, CSV and a page with pictures. The model is as for
 * `predict`.
 *
 * @throws UserError as `predict` does, and for a data set that cannot be used.
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
      blank: options.phrases === false,
      device: options.device ?? 'auto',
      dtype: options.dtype ?? 'f32',
      threads: options.threads,
      batch: options.batch ?? 8,
      limit: options.limit,
      onBad: options.onBad ?? 'stop',
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

/** What `train` takes. */
export interface TrainOptions extends ProgressOptions {
  /** A folder in the layout of RISBench: docs/data.md. */
  readonly data: string;
  /** The folder for weights, checkpoints and logs. One run at a time writes there. */
  readonly out: string;
  /** What computes; `onnx` when not given. */
  readonly backend?: 'onnx' | 'tfjs';
  /** `auto` when not given. */
  readonly device?: Device | 'auto';
  /** Threads within an operator on the CPU; one for each physical core when not given. */
  readonly threads?: number;
  /** Instead of the recipe's length. */
  readonly steps?: number;
  /** Instead of the recipe's: initial weights, order of samples, dropout. */
  readonly seed?: number;
  /** Goes on from the last checkpoint in `out`, with the same numbers as if the run had never stopped. */
  readonly resume?: boolean;
  /** Modules whose activations are computed again for the gradients: less memory, more time. */
  readonly recompute?: readonly string[];
  /** A safetensors file to begin with. */
  readonly weights?: string;
  /** `vocab.txt` or `tokenizer.json`; the data set's own `vocab.txt` when not given. */
  readonly tokenizer?: string;
  /** False: every phrase is blanked, for what can be learnt without words. */
  readonly phrases?: boolean;
  /** What to do with a sample that cannot be used; `stop` when not given. */
  readonly onBad?: 'skip' | 'stop';
  /** Called with what is worth knowing, a line each. */
  readonly onNote?: (line: string) => void;
}

/** How a training ended, and what it left. */
export interface TrainResult {
  readonly model: string;
  readonly recipe: string;
  readonly device: string;
  /** `early stop`: nothing became better for as long as the recipe waits. A signal: it asked for an end. */
  readonly end: 'done' | 'early stop' | 'SIGINT' | 'SIGTERM';
  /** The last step, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Of this run and those that it went on from. */
  readonly seconds: number;
  /** Of the last step; null when none was made. */
  readonly loss: number | null;
  /** What decides which weights are best, such as `mIoU`. */
  readonly metric: string;
  /** Null when nothing was evaluated. */
  readonly best: { readonly step: number; readonly score: number } | null;
  /** Null for what was not written. */
  readonly files: {
    readonly best: string | null;
    readonly last: string | null;
    readonly checkpoint: string | null;
    readonly metrics: string;
    readonly events: string;
  };
  /** The vocabulary beside the weights; null for a model that takes images alone. */
  readonly tokenizer: string | null;
}

/**
 * Trains a model as its recipe says. While it runs, SIGINT and SIGTERM end it in good order, with a checkpoint; a second one
 * ends the process.
 *
 * @throws UserError for data that cannot be used, for a folder in which another run is, and where the loss is not finite.
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
      data: options.data,
      backend: options.backend ?? 'onnx',
      device: options.device ?? 'auto',
      threads: options.threads,
      resume: options.resume ?? false,
      recompute: options.recompute ?? [],
      weightsFile: options.weights,
      tokenizer: options.tokenizer,
      blank: options.phrases === false,
      onBad: options.onBad ?? 'stop',
      out: options.out,
      place: (origin) => originPlace(program, origin) ?? '',
      note,
    }),
  );
  return trained;
}
