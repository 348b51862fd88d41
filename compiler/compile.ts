import type { Declaration, InterfaceDecl, ModuleDecl } from '../grammar/tree.ts';
import { type Diagnostic, diagnostic, isError, isUnknownName } from './diagnostics/diagnostic.ts';
import { inSourceOrder } from './diagnostics/order.ts';
import { constant, type Dim } from './dims/dim.ts';
import { type Context, isDependent, observe, openRun, resetBudget } from './elaborate/context/context.ts';
import { templateStore } from './elaborate/context/store.ts';
import { checkSignatureTypes, checkTypeName } from './elaborate/eval/check-type.ts';
import { checkSizes, modelGraph } from './elaborate/models/checked-model.ts';
import { checkDefaults, checkExample, checkFunction } from './elaborate/models/examples.ts';
import { inlineModel } from './elaborate/models/inline.ts';
import type { ModelGraph } from './elaborate/models/model.ts';
import { placedWeights } from './elaborate/models/placements.ts';
import { checkSignatures } from './elaborate/modules/implementation.ts';
import { checkPromises } from './elaborate/modules/promises.ts';
import {
  checkInherited,
  checkRecipe,
  type TrainedModels,
  trainedModel,
  trainedModels,
} from './elaborate/recipes/check-recipe.ts';
import type { FileScope } from './elaborate/source/file-scope.ts';
import { Program, type SourceHost } from './elaborate/source/program.ts';
import { recipeBindings } from './elaborate/source/recipe-chain.ts';
import { settingsSource } from './elaborate/source/settings-source.ts';
import { readWeightsMap } from './elaborate/weights/weights-map.ts';
import { knownMaps, type PlacedMap, placedMap } from './elaborate/weights/weights-map-places.ts';
import type { Graph } from './ir/graph.ts';

export type { SourceHost } from './elaborate/source/program.ts';

/** The diagnostics of a check, and the models that have no errors. */
export interface CheckResult {
  readonly program: Program;
  readonly diagnostics: readonly Diagnostic[];
  readonly models: ReadonlyMap<string, ModelGraph>;
  /** The context that elaborated the models, for further questions about them. */
  readonly context: Context;
  /** Requested files that do not exist. */
  readonly missing: readonly string[];
}

/** Checks every declaration of the given files. Imported declarations are checked where these files use them. */
export function check(host: SourceHost, files: readonly string[]): CheckResult {
  const program = new Program(host);
  const diagnostics: Diagnostic[] = [];
  const models = new Map<string, ModelGraph>();
  const missing: string[] = [];
  const scopes: FileScope[] = [];
  for (const file of files) {
    const scope = program.load(file);
    if (scope) scopes.push(scope);
    else missing.push(file);
  }
  diagnostics.push(...program.diagnostics);
  const store = templateStore();
  const context = openRun(program, (d) => diagnostics.push(d), { training: false, store });
  const training = trainedModels(openRun(program, (d) => diagnostics.push(d), { training: true, store }));
  for (const scope of scopes) {
    const doubtful = doubtfulNames(scope);
    for (const decl of scope.tree.declarations) {
      const before = diagnostics.length;
      const model = checkDeclaration(context, training, decl, scope);
      if (doubtful.has(decl.name.name)) {
        const isOwn = scope.doubt?.declarations.has(decl) && !foundations(decl).some((name) => doubtful.has(name));
        diagnostics.push(...diagnostics.splice(before).filter((d) => isOwn && isUnknownName(d)));
      } else if (model && decl.kind === 'model' && !diagnostics.slice(before).some(isError))
        models.set(decl.name.name, model);
    }
  }
  if ([...program.files.values()].some(({ doubt }) => doubt)) dropCascades(diagnostics);
  // An error may be the reason why a module was not constructed.
  if (!diagnostics.some(isError)) diagnostics.push(...scopes.flatMap((scope) => unchecked(scope, store.constructed)));
  return { program, diagnostics: inSourceOrder(diagnostics), models, context, missing };
}

/** Returns a warning for each module of a file that was never constructed. */
function unchecked({ tree }: FileScope, constructed: ReadonlySet<ModuleDecl>): Diagnostic[] {
  return tree.declarations.flatMap((decl) => {
    if (decl.kind !== 'module' || constructed.has(decl)) return [];
    const { name, params } = decl;
    const parameters = params.flatMap((param) => (param.value ? [] : [`${param.name.name} = …`])).join(', ');
    return [diagnostic('CROB2013', name.span, { name: name.name, parameters })];
  });
}

/** Checks a declaration, and returns the graph of a model. Declarations that read `training` are checked for both of its values. */
function checkDeclaration(
  context: Context,
  training: TrainedModels,
  decl: Declaration,
  scope: FileScope,
): ModelGraph | undefined {
  resetBudget(context);
  resetBudget(training.context);
  const twice = (check: (form: Context) => void): void => {
    const observed = observe(context, check);
    if (observed.sound && isDependent(observed)) check(training.context);
  };
  switch (decl.kind) {
    case 'model': {
      const observed = observe(context, (form) => modelGraph(form, decl, scope));
      const model = observed.result;
      if (model && isDependent(observed)) trainedModel(training, { decl, file: scope });
      if (model) checkInherited(training, { decl, file: scope }, model);
      return model;
    }
    case 'example':
      twice((form) => checkExample(form, decl, scope));
      return undefined;
    case 'module':
      checkMethodTypes(context, decl, scope);
      checkPromises(context, decl, scope);
      if (decl.params.every((param) => param.value)) twice((form) => checkDefaults(form, decl, scope, decl.name.span));
      return undefined;
    case 'interface':
      checkMethodTypes(context, decl, scope);
      checkPromises(context, decl, scope);
      checkSignatures(context, { decl, file: scope });
      return undefined;
    case 'fn':
      checkSignatureTypes(context, decl, scope);
      twice((form) => checkFunction(form, decl, scope));
      return undefined;
    case 'recipe':
      checkRecipe(training, decl, scope);
      return undefined;
    case 'weights':
      readWeightsMap(context, decl, scope);
      return undefined;
    case 'type':
      checkTypeName(context, decl, scope);
      return undefined;
  }
}

function checkMethodTypes(context: Context, { members }: ModuleDecl | InterfaceDecl, file: FileScope): void {
  for (const member of members) if (member.kind === 'method') checkSignatureTypes(context, member, file);
}

/** The names of models, recipes and weights maps of which part could not be parsed, and of those that build on them. */
function doubtfulNames({ tree, doubt }: FileScope): ReadonlySet<string> {
  const names = new Set<string>();
  if (!doubt) return names;
  for (let size = -1; size < names.size; ) {
    size = names.size;
    for (const decl of tree.declarations) {
      if (decl.kind !== 'model' && decl.kind !== 'recipe' && decl.kind !== 'weights') continue;
      if (doubt.declarations.has(decl) || foundations(decl).some((name) => names.has(name))) names.add(decl.name.name);
    }
  }
  return names;
}

function foundations(decl: Declaration): string[] {
  const names =
    decl.kind === 'weights'
      ? [decl.target]
      : decl.kind === 'recipe'
        ? [decl.base, decl.model]
        : decl.kind === 'model'
          ? [decl.base]
          : [];
  return names.flatMap((name) => (name ? [name.name] : []));
}

/** Drops diagnostics about a missing `return`, use or output: it may be in the text that could not be parsed. */
function dropCascades(diagnostics: Diagnostic[]): void {
  const doubtful = new Set(['CROB2213', 'CROB2304', 'CROB2309']);
  for (let i = diagnostics.length - 1; i >= 0; i--) if (doubtful.has(diagnostics[i]!.code)) diagnostics.splice(i, 1);
}

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
  const graph = { ...inlineModel(model, bound), name: named.name.name, docs: named.docs.join('\n'), expected };
  const declaredWeights = () => {
    const other = openRun(program, () => undefined, { training: !(options.training ?? false) });
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
  };
}
