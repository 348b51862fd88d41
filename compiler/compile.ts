import { type Diagnostic, isError } from './diagnostics/diagnostic.ts';
import { inSourceOrder } from './diagnostics/order.ts';
import { constant, type Dim } from './dims/dim.ts';
import { type Context, openRun } from './elaborate/context/context.ts';
import { checkSizes, modelGraph } from './elaborate/models/checked-model.ts';
import { type ExposableValue, inlineExposing, inlineModel, namedValues } from './elaborate/models/inline.ts';
import type { ModelGraph } from './elaborate/models/model.ts';
import { placedWeights } from './elaborate/models/placements.ts';
import { Program, type SourceHost } from './elaborate/source/program.ts';
import { recipeBindings } from './elaborate/source/recipe-chain.ts';
import { settingsSource } from './elaborate/source/settings-source.ts';
import { knownMaps, type PlacedMap, placedMap } from './elaborate/weights/weights-map-places.ts';
import type { Graph } from './ir/graph.ts';

export type { SourceHost } from './elaborate/source/program.ts';

export interface Compiled {
  readonly program: Program;
  /** Without errors, `graph` is defined. */
  readonly diagnostics: readonly Diagnostic[];
  /** The context that elaborated the model, for further questions about it. */
  readonly context: Context | undefined;
  readonly model: ModelGraph | undefined;
  readonly graph: Graph | undefined;
  /** The sizes to which dims were bound. */
  readonly dims: ReadonlyMap<string, number>;
  /** The models of the file, to choose from or for a "did you mean". */
  readonly models: readonly string[];
  /** The weights map given by `via`; undefined if the file has no map of that name in scope. */
  readonly via: PlacedMap | undefined;
  /** The weights maps in the file's scope, if `via` is given. */
  readonly maps: readonly string[];
  /**
   * Returns the weights maps that apply to parts of the model within or around `roots` (by default, all): those in the
   * file's scope, and those of the parts' own files.
   */
  readonly knownMaps: (roots?: readonly string[]) => readonly PlacedMap[];
  /**
   * Returns the paths of all weights of the model's parts, including those that this mode (training or inference)
   * does not read: training has extra parts, and an output may read only some weights of a part. Elaborates the
   * model in the other mode when called.
   */
  readonly declaredWeights: () => ReadonlySet<string>;
  /**
   * Returns the intermediate values that have names in the sources, by unique paths. With `open`, their types have the
   * dims of the model also where sizes are bound.
   */
  readonly namedValues: (types?: { readonly open: boolean }) => readonly ExposableValue[];
  /** Returns the graph with the named values at these paths as further outputs, after its own. */
  readonly exposing: (paths: readonly string[]) => Graph;
  /** Elaborates the model in the other mode, training or inference. Its diagnostics are dropped. */
  readonly otherMode: () => ModelGraph | undefined;
}

export interface CompileOptions {
  /** If undefined, the first model of the file. */
  readonly model: string | undefined;
  /** Sizes of dims: `H` → 480. */
  readonly dims: ReadonlyMap<string, number>;
  /** Overrides in the syntax of a variant: `mid.layers = 3`. */
  readonly overrides: readonly string[];
  readonly training?: boolean;
  /** Dims to bind to the training sizes of the model's recipe, unless `dims` has them. */
  readonly recipeDims?: readonly string[];
  /** The name of the weights map that translates a file of published weights. */
  readonly via?: string | undefined;
}

/** Compiles one model of a file to a flat graph. */
export function compile(host: SourceHost, file: string, options: CompileOptions): Compiled {
  const program = new Program(host);
  const diagnostics: Diagnostic[] = [];
  const base = program.load(file);
  const decls = (base?.tree.declarations ?? []).filter((one) => one.kind === 'model');
  const models = decls.map((one) => one.name.name);
  const named = options.model === undefined ? decls[0] : decls.find((one) => one.name.name === options.model);
  const visible = options.via === undefined ? [] : [...new Set(base?.names() ?? [])];
  const maps = visible.filter((name) => base?.lookup(name)?.decl.kind === 'weights');
  const none = () => ({
    program,
    diagnostics: inSourceOrder(diagnostics),
    context: undefined,
    model: undefined,
    graph: undefined,
    models,
    dims: options.dims,
    via: undefined,
    maps,
    knownMaps: () => [],
    declaredWeights: () => new Set<string>(),
    namedValues: () => [],
    exposing: (): never => {
      throw new Error('bug in crobc: values of a model with errors are exposed');
    },
    otherMode: () => undefined,
  });
  const scope =
    base && named && options.overrides.length > 0
      ? program.inline(settingsSource({ ...options, model: named, recipe: undefined }), base)
      : base;
  diagnostics.push(...program.diagnostics);
  const decl = scope === base ? named : scope?.tree.declarations.find((one) => one.kind === 'model');
  if (!scope || !decl || !named || diagnostics.some(isError)) return none();
  const context = openRun(program, (d) => diagnostics.push(d), { training: options.training ?? false });
  const model = modelGraph(context, decl, scope);
  if (!model) return none();
  const sizes = new Map(options.dims);
  const trained = base ? recipeBindings({ decl: named, file: base }) : new Map<string, number>();
  for (const [dim, n] of trained) if (options.recipeDims?.includes(dim) && !sizes.has(dim)) sizes.set(dim, n);
  // A model runs on inputs of the sizes it is trained on, except for the batch size.
  const expected = new Map([...trained].flatMap(([dim, n]) => (dim === 'B' ? [] : [[dim, constant(n)] as const])));
  const bound = new Map<string, Dim>([...sizes].map(([dim, n]) => [dim, constant(n)]));
  checkSizes(context, model, named.name, sizes);
  const via =
    base && options.via !== undefined && maps.includes(options.via)
      ? placedMap(context, { kind: 'ident', name: options.via, span: named.name.span }, base, {
          model,
          pattern: named.name.name,
          roots: [''],
        })
      : undefined;
  if (diagnostics.some(isError)) return none();
  const own = { name: named.name.name, docs: named.docs.join('\n'), expected };
  const graph = { ...inlineModel(model, bound), ...own };
  const openOther = () => openRun(program, () => undefined, { training: !(options.training ?? false) });
  const declaredWeights = () => {
    const other = openOther();
    const otherModel = modelGraph(other, decl, scope);
    const placed = [...placedWeights(context, model), ...(otherModel ? placedWeights(other, otherModel) : [])];
    return new Set(placed.map(({ path }) => path));
  };
  return {
    program,
    diagnostics: inSourceOrder(diagnostics),
    context,
    model,
    graph,
    models,
    dims: sizes,
    via,
    maps,
    knownMaps: (roots = ['']) => knownMaps(context, scope, { model, roots }),
    declaredWeights,
    namedValues: (types) => namedValues(model, types?.open ? new Map() : bound),
    exposing: (paths) => ({ ...inlineExposing(model, bound, paths), ...own }),
    otherMode: () => modelGraph(openOther(), decl, scope),
  };
}
