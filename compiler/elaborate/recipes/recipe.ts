import { nearest } from '../../../grammar/nearest.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Ident, ModelDecl, Path, RecipeDecl, RecipeMember } from '../../../grammar/tree.ts';
import { type Diagnostic, diagnostic } from '../../diagnostics/diagnostic.ts';
import { variables } from '../../dims/dim.ts';
import { type Context, collecting } from '../context/context.ts';
import type { Faults } from '../context/faults.ts';
import { isWithin } from '../context/paths.ts';
import { fileScope } from '../context/scope.ts';
import { asInt } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { blamedOnLines } from '../models/blame.ts';
import { checkSizes, trainingGraph } from '../models/checked-model.ts';
import { brokenAtSizes } from '../models/conditions-at-sizes.ts';
import type { ModelGraph } from '../models/model.ts';
import { covers, type Selection, selectPath, selects } from '../models/selection.ts';
import { fail, shownClause } from '../report/report.ts';
import type { FileScope } from '../source/program.ts';
import { type ModelAt, namedModel, type RecipeAt, recipeChain, recipesOf } from '../source/recipe-chain.ts';
import { intervals, optimizerArguments, recipeSettings } from '../source/recipe-tables.ts';
import { unknownNameHelp } from '../source/unknown-names.ts';
import { declaresParam, type PlacedMap, placedMap } from '../weights/weights-map-places.ts';
import { checkOptimizerArguments, type Rate, readGroup, readSetting, type SettingValue } from './recipe-settings.ts';
import { type Equations, elaborateTerms, type Losses } from './recipe-terms.ts';

/** A value with the place that it comes from. */
export interface Sourced<T> {
  readonly value: T;
  readonly span: Span;
}

/** A recipe with what it extends, merged and evaluated; nearer recipes have replaced what further ones said. */
export interface EvaluatedRecipe {
  readonly decl: RecipeDecl;
  readonly bindings: ReadonlyMap<string, Sourced<number>>;
  /** The optimizer's arguments only where they are nearer than the optimizer. */
  readonly settings: ReadonlyMap<string, Sourced<SettingValue>>;
  /** Intervals that count in another unit than the recipe's length, which a nearer recipe has changed. */
  readonly outdated: ReadonlyMap<string, Sourced<SettingValue>>;
  /** Nearest recipe first: the first that matches counts. */
  readonly groups: readonly (Sourced<Selection> & { readonly rates: ReadonlyMap<string, Rate> })[];
  /** Which weights are trained, less those that are fixed; all where it is undefined. */
  readonly trained: Sourced<Trained> | undefined;
  readonly fixed: readonly Sourced<Selection>[];
  readonly evaluated: readonly Sourced<Selection>[];
  /** Nearest recipe last: a later one replaces what an earlier one gave. */
  readonly inits: readonly (Sourced<Selection> & Initial)[];
  readonly start: Sourced<RecipeAt> | undefined;
  readonly equations: Equations;
  readonly losses: Losses;
}

/** What `train only` and `train all except` say. */
export interface Trained {
  readonly mode: 'only' | 'except';
  readonly paths: readonly Selection[];
}

/** Whether a weight is among those that are trained, as far as `train` says. */
export function isTrained(trained: Trained | undefined, weight: string): boolean {
  if (!trained) return true;
  const named = trained.paths.some((one) => selects(one, weight));
  return trained.mode === 'only' ? named : !named;
}

/** Where an `init` takes weights from, and which of those that it selects it leaves as they are. */
export interface Initial {
  readonly from: string;
  readonly via: PlacedMap | undefined;
  readonly except: readonly Selection[];
}

/** Models in training form: several recipes train one model. */
export interface TrainedModels {
  readonly context: Context;
  readonly models: Map<ModelDecl, ModelGraph | undefined>;
}

export function trainedModels(context: Context): TrainedModels {
  return { context, models: new Map() };
}

/** Errors that inference has too are reported there as well; the check drops duplicates. */
export function trainedModel({ context, models }: TrainedModels, at: ModelAt): ModelGraph | undefined {
  if (!models.has(at.decl)) models.set(at.decl, trainingGraph(context, at));
  return models.get(at.decl);
}

/** Checks a recipe against its model: names, kinds, dims, terms that are numbers, paths that select something. */
export function checkRecipe(trained: TrainedModels, decl: RecipeDecl, file: FileScope): void {
  const { context } = trained;
  const chain = reportedChain(context, { decl, file });
  if (!chain) return;
  const named = namedModel(chain);
  if (!named) {
    const help = `recipe ${decl.name.name} for Model { … }`;
    fail({ context }, 'CROB2323', decl.name.span, { name: decl.name.name, missing: 'model' }, { help });
    return;
  }
  const found = named.file.lookup(named.name.name);
  if (found?.decl.kind !== 'model') {
    notFound(context, named.name, found?.decl.kind, 'a model', named.file);
    return;
  }
  const model = trainedModel(trained, { decl: found.decl, file: found.file });
  if (model) evaluateChain(context, chain, model);
}

/**
 * Checks a variant against the recipe that it inherits: what may differ from the model that the recipe was written for,
 * which is the weights that paths select, and the inputs and outputs that terms see. `model` is in inference form.
 */
export function checkInherited(trained: TrainedModels, at: ModelAt, model: ModelGraph): void {
  const { context } = trained;
  const recipe = at.decl.base && recipesOf(at)[0];
  const chain = recipe && recipeChain(recipe);
  if (!chain || 'base' in chain) return;
  const target = namedModel(chain)!;
  if (target.file.lookup(target.name.name)?.decl === at.decl) return;
  const trainsMore = [...model.flat.outputs.values()].some((output) => output.decl.stage);
  const form = trainsMore ? trainedModel(trained, at) : model;
  if (!form) return;
  const note = { span: at.decl.name.span, text: `${at.decl.name.name} inherits ${recipe.decl.name.name}` };
  const { bindings, refused } = evaluateBindings(silent(context), chain);
  const equations = mergeEquations(silent(context), chain);
  const faultsWith = (of: ModelGraph): Faults => {
    const faults = new Map<string, Diagnostic>();
    const inner = collecting(context, faults);
    for (const one of chain)
      for (const member of one.decl.members) {
        const more = member.kind === 'train' ? member.paths : member.kind === 'init' ? member.except : [];
        for (const path of more) selectPath(inner, path, of);
        const selected = 'path' in member ? selectPath(inner, member.path, of) : undefined;
        if (selected && member.kind === 'init' && member.via)
          placedMap(inner, member.via, one.file, { model: of, ...selected });
      }
    elaborateTerms(inner, { name: recipe.decl.name, equations, bindings, refused }, of);
    checkBoundSizes(inner, recipe.decl.name, bindings, of, evaluatedRoots(context, recipe, of));
    return faults;
  };
  const inForm = { ...context, training: trainsMore };
  for (const d of blamedOnLines(inForm, at, faultsWith(form), faultsWith))
    context.report({ ...d, notes: [...d.notes.slice(0, 2), note] });
}

/** Dims that the model does not have were reported with the terms. */
function checkBoundSizes(
  context: Context,
  name: Ident,
  bindings: ReadonlyMap<string, Sourced<number>>,
  model: ModelGraph,
  evaluated: readonly string[],
): void {
  const free = new Set(model.inputs.flatMap(({ value }) => value.type.shape.flatMap((d) => [...variables(d)])));
  const sizes = [...bindings].flatMap(([dim, { value }]) => (free.has(dim) ? [[dim, value] as const] : []));
  checkSizes(context, model, { ...name, name: model.flat.name }, new Map(sizes));
  for (const { condition, clause, path } of brokenAtSizes(model, new Map(sizes))) {
    // What an `eval` names is in the other form.
    if (evaluated.some((root) => isWithin(path, root))) continue;
    const details = [`here it reads ${shownClause(model.facts, clause)}`, ...sizes.map(([dim, n]) => `${dim} = ${n}`)];
    const notes = [{ span: condition.span, text: 'required here' }];
    const needs = context.run.program.text(condition.span);
    fail({ context }, 'CROB2207', name.span, { what: `training ${path}`, clause: needs }, { details, notes });
  }
}

/** For what is reported at the recipe itself. */
function silent(context: Context): Context {
  return { ...context, report: () => undefined };
}

/** A recipe for a model in training form: its own, or one that extends it. Errors are reported and leave gaps. */
export function evaluateRecipe(context: Context, recipe: RecipeAt, model: ModelGraph): EvaluatedRecipe | undefined {
  const chain = reportedChain(context, recipe);
  return chain && evaluateChain(context, chain, model);
}

/** What the `eval`s of a recipe select of a model, before the model is in training form. */
export function evaluatedRoots(context: Context, recipe: RecipeAt, model: ModelGraph): readonly string[] {
  const chain = recipeChain(recipe);
  if ('base' in chain) return [];
  return chain
    .flatMap(({ decl }) => decl.members)
    .flatMap((member) => (member.kind === 'freeze' && member.mode === 'eval' ? [member.path] : []))
    .flatMap((path) => selectPath(silent(context), path, model)?.roots ?? []);
}

function reportedChain(context: Context, recipe: RecipeAt): readonly RecipeAt[] | undefined {
  const chain = recipeChain(recipe);
  if (!('base' in chain)) return chain;
  const { base, found, circular } = chain;
  if (circular) fail({ context }, 'CROB2303', base.span, { name: recipe.decl.name.name });
  else notFound(context, base, found, 'a recipe', recipe.file);
  return undefined;
}

function notFound(
  context: Context,
  { name, span }: { readonly name: string; readonly span: Span },
  actual: string | undefined,
  expected: string,
  file: FileScope,
): undefined {
  if (actual !== undefined) fail({ context }, 'CROB2008', span, { name, actual, expected });
  else
    fail(
      { context },
      'CROB2001',
      span,
      { name },
      { help: unknownNameHelp(context.run.program, file, name, file.names()) },
    );
  return undefined;
}

function evaluateChain(context: Context, chain: readonly RecipeAt[], model: ModelGraph): EvaluatedRecipe {
  const { decl } = chain.at(-1)!;
  const { bindings, refused } = evaluateBindings(context, chain);
  const settings = new Map<string, Sourced<SettingValue>>();
  const outdated = new Map<string, Sourced<SettingValue>>();
  const groups: EvaluatedRecipe['groups'][number][] = [];
  let trained: Sourced<Trained> | undefined;
  let fixed: readonly Sourced<Selection>[] = [];
  // Of the recipe itself: a group that it inherits may be for weights that it does not train.
  let ownGroups: typeof groups = [];
  const evaluated: Sourced<Selection>[] = [];
  const inits: EvaluatedRecipe['inits'][number][] = [];
  let start: Sourced<RecipeAt> | undefined;
  for (const one of chain) {
    const { file } = one;
    evaluateSettings(context, one, settings, outdated);
    const own: typeof groups = [];
    const here = evaluateTrained(context, one, model);
    // It says which weights are trained, all of them: of what is inherited nothing is left.
    if (here) [trained, fixed] = [here, []];
    for (const member of one.decl.members) {
      const { span } = member;
      if (member.kind === 'start') start = evaluateStart(context, member, one) ?? start;
      if (!('path' in member)) continue;
      const value = selectPath(context, member.path, model);
      if (member.kind === 'group') {
        const here = new Map<string, Span>();
        for (const { name } of member.settings) once(context, one.decl, here, name.name, name.span);
        const rates = readGroup(context, member, file);
        if (value && own.some((before) => covers(before.value, value)))
          context.report(diagnostic('CROB2328', member.path.span, { path: value.pattern }));
        if (value) own.push({ value, span: member.path.span, rates });
      } else if (member.kind === 'freeze') {
        if (!value) continue;
        const selection = { value, span: member.path.span };
        if (!checkRepeated(context, member.mode, member.mode === 'eval' ? evaluated : fixed, selection)) continue;
        if (member.mode === 'eval') evaluated.push({ value, span });
        else if (checkFix(context, trained, selection)) fixed = [...fixed, { value, span }];
      } else {
        const init = evaluateInit(context, member, file, { model, value });
        if (value && init) inits.push({ value, span, ...init });
      }
    }
    groups.unshift(...own);
    ownGroups = own;
  }
  const updated = (path: string) => isTrained(trained?.value, path) && !fixed.some(({ value }) => selects(value, path));
  if ((trained || fixed.length > 0) && !declaresParam(context, model, updated))
    fail({ context }, 'CROB2323', decl.name.span, { name: decl.name.name, missing: 'weight left to train' });
  else
    for (const { value, span } of ownGroups) {
      if (declaresParam(context, model, (path) => updated(path) && selects(value, path))) continue;
      const reason = 'this recipe trains none of these weights';
      fail({ context }, 'CROB2329', span, { what: `group ${value.pattern}`, reason });
    }
  checkOptimizerArguments(context, settings);
  const equations = mergeEquations(context, chain);
  checkComplete(context, chain, equations);
  const losses = elaborateTerms(context, { name: decl.name, equations, bindings, refused }, model);
  const roots = evaluated.flatMap(({ value }) => value.roots);
  checkBoundSizes(context, decl.name, bindings, model, roots);
  return { decl, bindings, settings, outdated, groups, trained, fixed, evaluated, inits, start, equations, losses };
}

/** `refused` dims were given something that is no size. */
function evaluateBindings(
  context: Context,
  chain: readonly RecipeAt[],
): { bindings: Map<string, Sourced<number>>; refused: Set<string> } {
  const bindings = new Map<string, Sourced<number>>();
  const refused = new Set<string>();
  for (const { decl, file } of chain) {
    const here = new Map<string, Span>();
    for (const { name, value } of decl.bindings) {
      once(context, decl, here, name.name, name.span);
      const got = evaluate(fileScope(context, file), value);
      const n = asInt(got);
      if (n !== undefined && n >= 1) {
        bindings.set(name.name, { value: n, span: name.span });
        continue;
      }
      refused.add(name.name);
      if (got.kind !== 'error')
        fail({ context }, 'CROB2321', value.span, { name: name.name, expected: 'an int of at least 1' });
    }
  }
  return { bindings, refused };
}

/** Reports what one recipe gives twice: its lines have no order, so there is no later one that could win. */
function once(context: Context, decl: RecipeDecl, here: Map<string, Span>, name: string, span: Span): void {
  const earlier = here.get(name);
  here.set(name, span);
  if (!earlier) return;
  const notes = [{ span: earlier, text: 'first given here' }];
  context.report(diagnostic('CROB2302', span, { path: name, model: decl.name.name }, { notes }));
}

/** Lays the settings of one recipe over those that it inherits. */
function evaluateSettings(
  context: Context,
  { decl, file }: RecipeAt,
  into: Map<string, Sourced<SettingValue>>,
  outdated: Map<string, Sourced<SettingValue>>,
): void {
  const here = new Map<string, Span>();
  const own = new Map<string, Sourced<SettingValue>>();
  for (const member of decl.members) {
    if (member.kind !== 'setting') continue;
    const { name } = member.name;
    once(context, decl, here, name === 'steps' ? 'epochs' : name, member.name.span);
    const value = readSetting(context, member, file);
    if (value) own.set(name, { value, span: member.span });
  }
  if (own.has('optimizer')) for (const name of optimizerArguments) into.delete(name);
  const before = own.has('steps') ? 'epochs' : own.has('epochs') ? 'steps' : undefined;
  if (before !== undefined && into.delete(before)) {
    for (const name of intervals) {
      const counted = into.get(name);
      if (counted) outdated.set(name, counted);
      into.delete(name);
    }
  }
  for (const [name, setting] of own) {
    outdated.delete(name);
    into.set(name, scaled(setting, into.get(name)));
  }
}

/** `lr = 0.1x` where a factor or a value is inherited already. */
function scaled(setting: Sourced<SettingValue>, under: Sourced<SettingValue> | undefined): Sourced<SettingValue> {
  const { value, span } = setting;
  if (value.kind !== 'number' || !value.factor || under?.value.kind !== 'number') return setting;
  return { value: { ...under.value, value: under.value.value * value.value }, span };
}

function mergeEquations(context: Context, chain: readonly RecipeAt[]): Equations {
  const equations = { inputs: new Map(), lets: new Map(), terms: new Map() } satisfies Record<
    string,
    Map<string, unknown>
  >;
  for (const { decl, file } of chain) {
    const here = new Map<string, Span>();
    for (const member of decl.members) {
      if (member.kind !== 'input' && member.kind !== 'model-let' && member.kind !== 'term') continue;
      const { name, span } = member.name;
      once(context, decl, here, member.kind === 'term' ? `term ${name}` : name, span);
      const into = { input: equations.inputs, 'model-let': equations.lets, term: equations.terms }[member.kind];
      into.set(name, { member, file });
    }
  }
  return equations;
}

function evaluateStart(
  context: Context,
  { recipe, span }: Extract<RecipeMember, { kind: 'start' }>,
  { decl, file }: RecipeAt,
): Sourced<RecipeAt> | undefined {
  const found = file.lookup(recipe.name);
  if (found?.decl.kind !== 'recipe') return notFound(context, recipe, found?.decl.kind, 'a recipe', file);
  if (found.decl === decl) {
    fail({ context }, 'CROB2327', recipe.span, { name: recipe.name });
    return undefined;
  }
  return { value: { decl: found.decl, file: found.file }, span };
}

/** The one `train` of a recipe; undefined where it has none, or names what there is not. */
function evaluateTrained(context: Context, { decl }: RecipeAt, model: ModelGraph): Sourced<Trained> | undefined {
  const here = new Map<string, Span>();
  let found: Sourced<Trained> | undefined;
  for (const member of decl.members) {
    if (member.kind !== 'train') continue;
    const { mode, span } = member;
    once(context, decl, here, 'train', span);
    const paths = selectAll(context, member.paths, model);
    if (paths) found = { value: { mode, paths }, span };
  }
  return found;
}

/** Each path by itself; undefined where one of them selects nothing, or what one before it has already. */
function selectAll(context: Context, paths: readonly Path[], model: ModelGraph): readonly Selection[] | undefined {
  const found: Selection[] = [];
  let sound = true;
  for (const path of paths) {
    const value = selectPath(context, path, model);
    const before = value && found.find((one) => covers(one, value));
    if (before) {
      const reason = `\`${before.pattern}\` in front of it has all its weights`;
      fail({ context }, 'CROB2329', path.span, { what: value.pattern, reason });
    }
    if (value && !before) found.push(value);
    else sound = false;
  }
  return sound ? found : undefined;
}

/** A `fix` or `eval` of weights that an earlier one of the recipe, or of what it extends, has already changes nothing. */
function checkRepeated(
  context: Context,
  mode: 'fix' | 'eval',
  earlier: readonly Sourced<Selection>[],
  { value, span }: Sourced<Selection>,
): boolean {
  const before = earlier.find((one) => covers(one.value, value));
  if (!before) return true;
  const reason = `\`${mode} ${before.value.pattern}\` has all these weights`;
  const notes = [{ span: before.span, text: 'given here' }];
  fail({ context }, 'CROB2329', span, { what: `${mode} ${value.pattern}`, reason }, { notes });
  return false;
}

/** A `fix` beside `train` must leave something of it, and take something from it. */
function checkFix(
  context: Context,
  trained: Sourced<Trained> | undefined,
  { value, span }: Sourced<Selection>,
): boolean {
  if (!trained) return true;
  const { mode, paths } = trained.value;
  const notes = [{ span: trained.span, text: 'what is trained is said here' }];
  const refuse = (reason: string): false => {
    fail({ context }, 'CROB2329', span, { what: `fix ${value.pattern}`, reason }, { notes });
    return false;
  };
  if (mode === 'except')
    return paths.some((path) => covers(path, value)) ? refuse('these weights are not trained anyhow') : true;
  const undone = paths.find((path) => covers(value, path));
  if (undone) return refuse(`\`train only\` trains \`${undone.pattern}\`, and this fixes all of it`);
  return paths.some((path) => covers(path, value)) ? true : refuse('these weights are not trained anyhow');
}

function evaluateInit(
  context: Context,
  { path: at, from, via, except }: Extract<RecipeMember, { kind: 'init' }>,
  file: FileScope,
  { model, value }: { readonly model: ModelGraph; readonly value: Selection | undefined },
): Initial | undefined {
  const path = evaluate(fileScope(context, file), from);
  if (path.kind !== 'string' && path.kind !== 'error')
    fail({ context }, 'CROB2321', from.span, { name: 'from', expected: 'the name of a weights file, in quotes' });
  const map = via && value && placedMap(context, via, file, { model, ...value });
  const left = selectAll(context, except, model);
  for (const [i, one] of (left ?? []).entries()) {
    if (!value) break;
    const { span } = except[i]!;
    const reason = covers(one, value)
      ? `that leaves nothing of \`${value.pattern}\``
      : covers(value, one)
        ? undefined
        : `\`${value.pattern}\` does not have these weights`;
    if (reason)
      fail(
        { context },
        'CROB2329',
        span,
        { what: `except ${one.pattern}`, reason },
        { notes: [{ span: at.span, text: 'the weights are selected here' }] },
      );
  }
  return path.kind === 'string' && left ? { from: path.value, via: map, except: left } : undefined;
}

function checkComplete(context: Context, chain: readonly RecipeAt[], { terms }: Equations): void {
  const names = chain.flatMap(({ decl }) => decl.members.flatMap((m) => (m.kind === 'setting' ? [m.name.name] : [])));
  // A misspelt setting is there, and was reported.
  const has = (name: string) =>
    names.some(
      (given) => given === name || (!recipeSettings[given] && nearest(given, Object.keys(recipeSettings)) === name),
    );
  const lacking =
    terms.size === 0
      ? 'term'
      : !has('optimizer')
        ? 'optimizer'
        : !has('epochs') && !has('steps')
          ? 'epochs or steps'
          : undefined;
  const { name } = chain.at(-1)!.decl;
  if (lacking) fail({ context }, 'CROB2323', name.span, { name: name.name, missing: lacking });
}
