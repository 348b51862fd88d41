import { check as checkSources } from '../compiler/check/check.ts';
import { isError } from '../compiler/diagnostics/diagnostic.ts';
import { longestAxis } from '../compiler/ir/extent.ts';
import { guardCondition } from '../compiler/ir/guard-condition.ts';
import { buildModel } from '../runtime/build/build-model.ts';
import { exposing } from '../runtime/build/exposed-values.ts';
import { type ModelSummary, summarise } from '../runtime/build/model-summary.ts';
import { compileFrom, compileTrainingFrom, requireModel, requireTraining } from '../runtime/build/source-model.ts';
import { crobFiles } from '../runtime/files/crob-files.ts';
import { packageVersion } from '../runtime/files/package-root.ts';
import { cannotRead } from '../runtime/files/source-host.ts';
import { UserError } from '../runtime/files/user-error.ts';
import { type Diagnostic, fileProblem, plainDiagnostics } from './diagnostics.ts';
import { CompiledModel, type Port, portOf, requireWeights, TrainableModel } from './models.ts';
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

/** A condition on sizes that is checked before each run of a model. */
export interface Guard {
  /** The condition in numbers: `T <= 512`, `H % 32 == 0`. */
  readonly condition: string;
  /** The condition as in the source: `T <= text.positions`. */
  readonly source: string;
}

/** A model without errors. */
export interface CheckedModel {
  readonly name: string;
  readonly file: string;
  readonly guards: readonly Guard[];
}

/** The result of `check`. */
export interface CheckReport {
  /** True if no diagnostic is an error. */
  readonly ok: boolean;
  /** In the order of the sources. */
  readonly diagnostics: readonly Diagnostic[];
  readonly models: readonly CheckedModel[];
}

/**
 * Checks every declaration of some files: names, shapes, variants, recipes. Shapes are proved for all sizes; nothing is run.
 *
 * `files` are paths of `.crob` files, or of folders whose `.crob` files are all checked. Paths are relative to the working
 * folder. If there is no file `models/crobim.crob`, this path means the model that ships with crobc. A file that cannot be read
 * gives a diagnostic without a code.
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
    models: result.checks.flatMap(({ file, models }) =>
      [...models].map(([name, { guards, facts }]) => ({
        name,
        file,
        guards: guards.map((guard) => {
          const { condition, source } = guardCondition(guard, facts);
          return { condition, source };
        }),
      })),
    ),
  };
}

/** Which model of a file, and at what sizes. */
export interface ModelOptions extends SourceOptions {
  /** By default, the first model of the file. */
  readonly model?: string;
  /** Sizes of dims, 1 or more: `{ H: 480, W: 480 }`. Dims that are not bound stay open. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Lines as in a variant: `mid.layers = 3`; for `compileTraining` also `recipe.lr = 1e-4`. */
  readonly overrides?: readonly string[];
}

/** Options of `compile`. */
export interface CompileOptions extends ModelOptions {
  /**
   * Binds the height, width and words (`H`, `W`, `T`) that `dims` does not bind to the sizes of the model's recipe, as `predict`
   * and `evaluate` need. Otherwise they stay open.
   */
  readonly recipeSizes?: boolean;
  /** The weights map by which `build` and other functions read weights files with published names. */
  readonly via?: string;
}

/** A model, or the errors because of which there is none; with warnings and notes in both cases. */
export type CompileResult<Model> =
  | { readonly ok: true; readonly model: Model; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Compiles one model of a file. Errors in the source are returned as diagnostics.
 *
 * @throws UserError if the file cannot be read or does not have the model or the map, or if sizes are too large.
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

/** Options of `compileTraining`. */
export interface CompileTrainingOptions extends ModelOptions {
  /** By default, the first recipe of the model. */
  readonly recipe?: string;
}

/**
 * Compiles a model with its recipe, for `train` of `crobc/runtime`.
 *
 * @throws UserError as `compile` does, and if the model does not have the recipe.
 */
export function compileTraining(file: string, options: CompileTrainingOptions = {}): CompileResult<TrainableModel> {
  const { model, recipe, overrides = [] } = options;
  const dims = sizesOf(options);
  const compiled = compileTrainingFrom(sourceHost(options), file, { model, recipe, dims, overrides });
  const diagnostics = plainDiagnostics(compiled.diagnostics, (path) => compiled.program.files.get(path)?.tree.text);
  if (compiled.diagnostics.some(isError)) return { ok: false, diagnostics };
  return { ok: true, model: new TrainableModel(requireTraining(compiled, { model, recipe })), diagnostics };
}

/** Parameters and costs. If a dim is open, a cost is a polynomial in the dims, as text. */
export interface Costs {
  readonly parameters: number;
  /** Floating-point operations of one run; a multiply-add counts as two. */
  readonly flops: number | string;
  /** Bytes of all results of operators, each counted once. */
  readonly activationBytes: number | string;
  /** Bytes that operators read and write, including weights. */
  readonly trafficBytes: number | string;
}

/** A name, and a type in crob's notation: `f32[B, 3, H, W]`. */
export interface SummaryPort {
  readonly name: string;
  readonly type: string;
}

/** A module inside a model. */
export interface SummaryModule extends Costs {
  /** Its path in weights files: `backbone.layers.0`. */
  readonly path: string;
  /** The name of its declaration. */
  readonly module: string;
  /** The types of its results. */
  readonly outputs: readonly string[];
}

/** A trained parameter, or a buffer such as the mean of a batch norm. */
export interface SummaryWeight {
  /** Its name in weights files. */
  readonly path: string;
  readonly dtype: 'f32' | 'f16' | 'i32' | 'i64' | 'u8' | 'bool';
  readonly shape: readonly number[];
  readonly role: 'param' | 'buffer';
}

/** The contents of a model, and the costs of a run. */
export interface Summary extends Costs {
  readonly model: string;
  /** Its documentation in the source; empty if it has none. */
  readonly docs: string;
  /** Peak of the bytes of results that exist at the same time; undefined if a dim is open. */
  readonly peakActivationBytes: number | undefined;
  /** Dims that are not bound. */
  readonly openDims: readonly string[];
  readonly inputs: readonly SummaryPort[];
  readonly outputs: readonly SummaryPort[];
  readonly modules: readonly SummaryModule[];
  readonly weights: readonly SummaryWeight[];
  /** Further contents in training, for outputs that only losses read. */
  readonly training: {
    readonly outputs: readonly SummaryPort[];
    readonly modules: readonly SummaryModule[];
    readonly weights: readonly SummaryWeight[];
  };
}

/**
 * Lists modules with their shapes, parameters and costs, for the graph that `build` writes.
 *
 * @throws UserError if a number exceeds 2^53.
 */
export function summary(model: CompiledModel): Summary {
  const found: ModelSummary = summarise(model.source);
  return found;
}

/**
 * Returns the intermediate values of a model that its sources name, by path and in the order of computation:
 * `lgfa.stage[0].attention` is the `attention` of that part. `build` makes outputs of them.
 *
 * @example
 * import { compile, namedValues } from 'crobc';
 *
 * const compiled = compile('models/crobim.crob', { model: 'CroBIM_micro' });
 * if (compiled.ok) for (const { name, shape } of namedValues(compiled.model)) console.log(name, shape);
 */
export function namedValues(model: CompiledModel): readonly Port[] {
  const { source } = model;
  return source.namedValues().map(({ path, type }) => portOf(source.graph, path, type));
}

/** Options of `build`. */
export interface BuildOptions extends ProgressOptions {
  /** The folder to write to; it is created if it does not exist. */
  readonly out: string;
  /** The type of floats inside the graph, by default f32. The types of inputs and outputs do not change. */
  readonly dtype?: 'f32' | 'f16' | 'bf16';
  /** A safetensors file. Without one, weights are drawn from `seed`. */
  readonly weights?: string;
  /** 0 by default. */
  readonly seed?: number;
  /** If false, only the graph is written, which refers to its weights by name. */
  readonly writeWeights?: boolean;
  /** If false, no typed client is written. */
  readonly client?: boolean;
  /**
   * Patterns of intermediate values that become further outputs: paths as in `namedValues`, with `*` for any text and
   * `[*]` for any index.
   */
  readonly expose?: readonly string[];
}

/** A file that was written. */
export interface BuiltFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The result of `build`. */
export interface BuildResult {
  readonly model: string;
  readonly hash: string;
  readonly parameters: number;
  /** The number of operators in the graph. */
  readonly nodes: number;
  readonly files: readonly BuiltFile[];
}

/**
 * Writes `<Model>.onnx`, a separate weights file if the weights are large, `<Model>.ts` (a typed client) and
 * `<Model>.manifest.json`. Either all of them are written, or none.
 *
 * @throws UserError if weights do not fit the model, if the folder cannot be written, or if a pattern selects no value.
 * @example
 * import { build, compile } from 'crobc';
 *
 * const compiled = compile('models/crobim.crob', { model: 'CroBIM_micro' });
 * if (compiled.ok) for (const { path } of (await build(compiled.model, { out: 'out' })).files) console.log(path);
 */
export async function build(model: CompiledModel, options: BuildOptions): Promise<BuildResult> {
  const { out, dtype = 'f32', weights, seed = 0, writeWeights = true, client = true, expose = [] } = options;
  requireWeights(model, weights);
  const { emitted, ...built } = await withProgress(options, () =>
    buildModel(expose.length > 0 ? exposing(model.source, expose) : model.source, {
      out,
      dtype,
      weightsFile: weights,
      seed,
      writeWeights,
      client,
    }),
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
