import { check as checkSources } from '../compiler/compile.ts';
import { isError } from '../compiler/diagnostics/diagnostic.ts';
import { longestAxis } from '../compiler/ir/extent.ts';
import { guardCondition } from '../compiler/ir/guard-condition.ts';
import { buildModel } from '../runtime/build/build-model.ts';
import { type ModelSummary, summarise } from '../runtime/build/model-summary.ts';
import { compileFrom, compileTrainingFrom, requireModel, requireTraining } from '../runtime/build/source-model.ts';
import { crobFiles } from '../runtime/files/crob-files.ts';
import { packageVersion } from '../runtime/files/package-root.ts';
import { cannotRead } from '../runtime/files/source-host.ts';
import { UserError } from '../runtime/files/user-error.ts';
import { type Diagnostic, fileProblem, plainDiagnostics } from './diagnostics.ts';
import { CompiledModel, requireWeights, TrainableModel } from './models.ts';
import { type ProgressOptions, withProgress } from './progress.ts';
import { type SourceOptions, sourceHost } from './sources.ts';

export { UserError } from '../runtime/files/user-error.ts';
export type { Diagnostic, DiagnosticNote, Position, Range } from './diagnostics.ts';
export type { CompiledModel, ElementType, Port, TrainableModel } from './models.ts';
export type { ProgressOptions, ProgressReport } from './progress.ts';
export type { SourceOptions } from './sources.ts';

/** The version of crobc: three numbers, such as `1.2.3`. */
export function version(): string {
  return packageVersion();
}

/** A condition on sizes that a model's host checks before a run. */
export interface Guard {
  /** In numbers: `T <= 512`, `H % 32 == 0`. */
  readonly condition: string;
  /** As the source has it: `T <= text.positions`. */
  readonly source: string;
}

/** A model without errors. */
export interface CheckedModel {
  readonly name: string;
  readonly file: string;
  readonly guards: readonly Guard[];
}

/** What `check` finds. */
export interface CheckReport {
  /** No diagnostic is an error. */
  readonly ok: boolean;
  /** In the order of the sources. */
  readonly diagnostics: readonly Diagnostic[];
  readonly models: readonly CheckedModel[];
}

/**
 * Checks every declaration of some files: names, shapes, variants, recipes. Shapes are proved for all sizes; nothing is run.
 *
 * `files` are paths of `.crob` files, or of folders, of which all `.crob` files are checked. Paths are relative to the working
 * folder; `models/crobim.crob` is the model that ships with crobc where there is no such file. What cannot be read is a
 * diagnostic without a code.
 *
 * @example
 * import { check } from 'crobc';
 *
 * const { ok, diagnostics } = check(['light.crob']);
 * if (!ok) for (const { rendered } of diagnostics) console.error(rendered);
 */
export function check(files: readonly string[], options: SourceOptions = {}): CheckReport {
  const { texts = {} } = options;
  const given = files.filter((file) => Object.hasOwn(texts, file));
  const others = files.filter((file) => !Object.hasOwn(texts, file));
  const found = others.length > 0 ? crobFiles(others) : { files: [], unusable: new Map<string, string>() };
  const result = checkSources(sourceHost(options), [...given, ...found.files]);
  const text = (file: string) => result.program.files.get(file)?.tree.text;
  const diagnostics = [
    ...[...found.unusable].map(([file, line]) => fileProblem(file, line)),
    ...result.missing.map((file) => fileProblem(file, cannotRead(file))),
    ...plainDiagnostics(result.diagnostics, text),
  ];
  return {
    ok: !diagnostics.some(({ severity }) => severity === 'error'),
    diagnostics,
    models: [...result.models].map(([name, { flat, guards, facts }]) => ({
      name,
      file: flat.file.file,
      guards: guards.map((guard) => {
        const { condition, source } = guardCondition(guard, facts);
        return { condition, source };
      }),
    })),
  };
}

/** Which model of a file, and at what sizes. */
export interface ModelOptions extends SourceOptions {
  /** The first model of the file when not given. */
  readonly model?: string;
  /** Sizes by dim, 1 or larger: `{ H: 480, W: 480 }`. Dims that are not bound stay open. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Lines as a variant would have them: `mid.layers = 3`; for `compileTraining` also `recipe.lr = 1e-4`. */
  readonly overrides?: readonly string[];
}

/** What `compile` takes. */
export interface CompileOptions extends ModelOptions {
  /**
   * Binds the height, width and words (`H`, `W`, `T`) that `dims` does not bind to the sizes of the model's recipe, as `predict`
   * and `evaluate` need. Otherwise they stay open.
   */
  readonly recipeSizes?: boolean;
  /** The weights map of the file by which published weights are read, where `build` and others are given such. */
  readonly via?: string;
}

/** A model, or why there is none; warnings and notes in both cases. */
export type CompileResult<Model> =
  | { readonly ok: true; readonly model: Model; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Compiles one model of a file. What is wrong with the source are diagnostics.
 *
 * @throws UserError for a file that cannot be read, a model or map that it does not have, and sizes that are too large.
 * @example
 * import { compile } from 'crobc';
 *
 * const compiled = compile('light.crob', { dims: { H: 480, W: 480 } });
 * if (!compiled.ok) throw new Error(compiled.diagnostics.map(({ rendered }) => rendered).join('\n'));
 * console.log(compiled.model.outputs);
 */
export function compile(file: string, options: CompileOptions = {}): CompileResult<CompiledModel> {
  const { model, via, overrides = [], recipeSizes = false } = options;
  const recipeDims = recipeSizes ? ['H', 'W', 'T'] : [];
  const dims = sizesOf(options);
  const compiled = compileFrom(sourceHost(options), file, { model, dims, overrides, recipeDims, via });
  const diagnostics = plainDiagnostics(compiled.diagnostics, (path) => compiled.program.files.get(path)?.tree.text);
  if (compiled.diagnostics.some(isError)) return { ok: false, diagnostics };
  return { ok: true, model: new CompiledModel(requireModel(compiled, { model, via })), diagnostics };
}

/** What `compileTraining` takes. */
export interface CompileTrainingOptions extends ModelOptions {
  /** The first recipe of the model when not given. */
  readonly recipe?: string;
}

/**
 * Compiles a model with its recipe, for `train` of `crobc/runtime`.
 *
 * @throws UserError as `compile` does, and where the model has no such recipe.
 */
export function compileTraining(file: string, options: CompileTrainingOptions = {}): CompileResult<TrainableModel> {
  const { model, recipe, overrides = [] } = options;
  const dims = sizesOf(options);
  const compiled = compileTrainingFrom(sourceHost(options), file, { model, recipe, dims, overrides });
  const diagnostics = plainDiagnostics(compiled.diagnostics, (path) => compiled.program.files.get(path)?.tree.text);
  if (compiled.diagnostics.some(isError)) return { ok: false, diagnostics };
  return { ok: true, model: new TrainableModel(requireTraining(compiled, { model, recipe })), diagnostics };
}

/** Parameters and costs. With an open dim a cost is a polynomial in the dims, as text. */
export interface Costs {
  readonly parameters: number;
  /** Floating point operations of one run; a product and a sum are two. */
  readonly flops: number | string;
  /** Bytes of all results of its operators, each counted once. */
  readonly activationBytes: number | string;
  /** Bytes that its operators read and write, weights included. */
  readonly trafficBytes: number | string;
}

/** A name, and a type as crob writes it: `f32[B, 3, H, W]`. */
export interface SummaryPort {
  readonly name: string;
  readonly type: string;
}

/** A module inside a model. */
export interface SummaryModule extends Costs {
  /** `backbone.layers.0`. */
  readonly path: string;
  /** Its declaration's name. */
  readonly module: string;
  /** Types of what it returns. */
  readonly outputs: readonly string[];
}

/** A tensor that a model keeps: a trained parameter, or a buffer such as the mean of a batch norm. */
export interface SummaryWeight {
  /** Its name in weights files. */
  readonly path: string;
  readonly dtype: 'f32' | 'f16' | 'i32' | 'i64' | 'u8' | 'bool';
  readonly shape: readonly number[];
  readonly role: 'param' | 'buffer';
}

/** What a model consists of, and what a run of it costs. */
export interface Summary extends Costs {
  readonly model: string;
  /** Its documentation in the source; empty without any. */
  readonly docs: string;
  /** Bytes of results that live at the same time, at most; undefined where a dim is open. */
  readonly peakActivationBytes: number | undefined;
  /** Dims that are not bound. */
  readonly openDims: readonly string[];
  readonly inputs: readonly SummaryPort[];
  readonly outputs: readonly SummaryPort[];
  readonly modules: readonly SummaryModule[];
  readonly weights: readonly SummaryWeight[];
  /** What training has besides, for outputs that only losses see. */
  readonly training: {
    readonly outputs: readonly SummaryPort[];
    readonly modules: readonly SummaryModule[];
    readonly weights: readonly SummaryWeight[];
  };
}

/**
 * Modules with their shapes, parameters and costs, of the graph as it is built.
 *
 * @throws UserError where a number comes up beyond 2^53.
 */
export function summary(model: CompiledModel): Summary {
  const found: ModelSummary = summarise(model.source);
  return found;
}

/** What `build` takes. */
export interface BuildOptions extends ProgressOptions {
  /** The folder to write to, which is made where it is not there. */
  readonly out: string;
  /** The type of floats inside the graph; f32 when not given. Inputs and outputs stay as they are. */
  readonly dtype?: 'f32' | 'f16';
  /** A safetensors file. Without one, weights are drawn from `seed`. */
  readonly weights?: string;
  /** 0 when not given. */
  readonly seed?: number;
  /** False: the graph alone, which names its weights. */
  readonly writeWeights?: boolean;
  /** False: no typed client. */
  readonly client?: boolean;
}

/** A file that was written. */
export interface BuiltFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What `build` writes. */
export interface BuildResult {
  readonly model: string;
  readonly hash: string;
  readonly parameters: number;
  /** Operators of the graph. */
  readonly nodes: number;
  readonly files: readonly BuiltFile[];
}

/**
 * Writes `<Model>.onnx`, a file of its weights beside it where they are large, `<Model>.ts` (a typed client) and
 * `<Model>.manifest.json`: all of them, or none.
 *
 * @throws UserError for weights that do not fit the model, and for a folder that cannot be written.
 * @example
 * import { build, compile } from 'crobc';
 *
 * const compiled = compile('models/crobim.crob', { model: 'CroBIM_micro' });
 * if (compiled.ok) for (const { path } of (await build(compiled.model, { out: 'out' })).files) console.log(path);
 */
export async function build(model: CompiledModel, options: BuildOptions): Promise<BuildResult> {
  const { out, dtype = 'f32', weights, seed = 0, writeWeights = true, client = true } = options;
  requireWeights(model, weights);
  const { emitted, ...built } = await withProgress(options, () =>
    buildModel(model.source, { out, dtype, weightsFile: weights, seed, writeWeights, client }),
  );
  const { hash, parameters, files } = built;
  return { model: built.model, hash, parameters, nodes: emitted.graph.nodes.length, files };
}

function sizesOf({ dims = {} }: ModelOptions): ReadonlyMap<string, number> {
  for (const [name, size] of Object.entries(dims)) {
    if (!Number.isInteger(size) || size < 1 || size > longestAxis)
      throw new UserError(`${name} = ${size}: a dim is a whole number from 1 to ${longestAxis}`);
  }
  return new Map(Object.entries(dims));
}
