import type { Declaration, Ident, InterfaceDecl, ModuleDecl } from '../../grammar/tree.ts';
import { type Diagnostic, diagnostic, diagnosticKey, isError } from '../diagnostics/diagnostic.ts';
import { type Context, isDependent, observe, openRun, reportingTo, resetBudget } from '../elaborate/context/context.ts';
import type { TemplateStore } from '../elaborate/context/store.ts';
import { checkSignatureTypes, checkTypeName } from '../elaborate/eval/check-type.ts';
import { modelGraph } from '../elaborate/models/checked-model.ts';
import { checkDefaults, checkExample, checkFunction } from '../elaborate/models/examples.ts';
import type { ModelGraph } from '../elaborate/models/model.ts';
import { checkSignatures } from '../elaborate/modules/implementation.ts';
import { checkPromises } from '../elaborate/modules/promises.ts';
import { checkInherited, checkRecipe, type TrainedModels, trainedModel } from '../elaborate/recipes/check-recipe.ts';
import { isDoubtfulIn, isUncertain } from '../elaborate/source/doubtful.ts';
import type { FileScope, Found } from '../elaborate/source/file-scope.ts';
import type { Program } from '../elaborate/source/program.ts';
import { readWeightsMap } from '../elaborate/weights/weights-map.ts';
import { type Dependencies, dependenciesOf } from './dependencies.ts';
import { forgetFaulty, type Kept, nothingKept } from './kept.ts';
import type { DeclarationCheck, SilentChecks } from './silent-checks.ts';

/** What the check of one file found, and what that depends on. */
export interface FileCheck extends Dependencies {
  readonly file: string;
  /** About the file, and about the text of the files that it imports. */
  readonly diagnostics: readonly Diagnostic[];
  /** For each module that the file declares, by `moduleKey`, the warning if nothing constructs it. */
  readonly unconstructed: ReadonlyMap<string, Diagnostic>;
  /** The modules, of any file, that were constructed, so that their bodies have been checked: by `moduleKey`. */
  readonly constructed: ReadonlySet<string>;
  /** The models without errors. */
  readonly models: ReadonlyMap<string, ModelGraph>;
}

/** The checks of files in one run, and the context that elaborated their models, for further questions about them. */
export interface FilesChecked {
  readonly checks: readonly FileCheck[];
  /** The files of which a declaration was checked, because no kept check of it holds. */
  readonly again: readonly string[];
  readonly context: Context;
}

/** The runs of a check, and what is kept of earlier ones. */
interface Runs {
  readonly inference: Context;
  readonly training: Context;
  readonly store: TemplateStore;
  readonly silent: SilentChecks | undefined;
}

/**
 * Checks every declaration of some files of a program. Imported declarations are checked where these files use them. The
 * result of a file does not depend on the other files, nor on what is kept of earlier programs.
 */
export function checkFiles(program: Program, scopes: readonly FileScope[], earlier?: Kept): FilesChecked {
  const kept = earlier ?? nothingKept([]);
  const { store } = kept;
  const ignored = () => undefined;
  const inference = openRun(program, ignored, { training: false, store, forms: kept });
  const training = openRun(program, ignored, { training: true, store, forms: kept });
  const again: string[] = [];
  const checks = scopes.map((scope) => {
    const found = checkScope({ inference, training, store, silent: earlier?.silent }, scope);
    forgetFaulty(kept);
    if (found.isChecked) again.push(scope.file);
    const dependencies = dependenciesOf(program, scope);
    const read = [...dependencies.texts.keys()].flatMap((path) => program.files.get(path) ?? []);
    const { diagnostics, constructed, models } = found;
    return {
      file: scope.file,
      diagnostics: [
        // Not in the order of the program, which depends on what else is checked.
        ...read.flatMap(({ file }) => program.diagnostics.filter(({ span }) => span.file === file)),
        ...(read.some(({ doubt }) => doubt) ? diagnostics.filter(({ code }) => !cascades.has(code)) : diagnostics),
      ],
      unconstructed: unconstructed(scope),
      constructed,
      models,
      ...dependencies,
    };
  });
  return { checks, again, context: inference };
}

/** Checks the declarations of a file for which no earlier check holds. `isChecked` is whether there are any. */
function checkScope(runs: Runs, scope: FileScope) {
  const { program } = runs.inference.run;
  const found = new Map<string, Diagnostic>();
  const constructed = new Set<string>();
  const models = new Map<string, ModelGraph>();
  const trained: TrainedModels['models'] = new Map();
  let isChecked = false;
  for (const decl of scope.tree.declarations) {
    const at = { decl, file: scope };
    let one = runs.silent?.find(program, at);
    if (!one) {
      isChecked = true;
      one = checkOne(runs, at, trained);
      runs.silent?.keep(program, at, one);
    }
    for (const d of one.diagnostics)
      if (!found.has(diagnosticKey(d)) && !isDoubtfulIn(at, d)) found.set(diagnosticKey(d), d);
    for (const key of one.constructed) constructed.add(key);
    if (one.model && !isUncertain(at)) models.set(decl.name.name, one.model);
  }
  return { diagnostics: [...found.values()], constructed, models, isChecked };
}

/** Checks a declaration. `trained` are the file's models in training form. */
function checkOne(
  { inference, training, store }: Runs,
  { decl, file }: Found,
  trained: TrainedModels['models'],
): DeclarationCheck {
  store.constructed = new Set();
  const diagnostics: Diagnostic[] = [];
  const context = reportingTo(inference, (d) => diagnostics.push(d));
  const inTraining = { context: reportingTo(training, (d) => diagnostics.push(d)), models: trained };
  const model = checkDeclaration(context, inTraining, decl, file);
  // Another declaration that needs them reports their errors as well.
  for (const [one, graph] of trained) if (!graph) trained.delete(one);
  return {
    diagnostics,
    model: diagnostics.some(isError) ? undefined : model,
    constructed: new Set([...store.constructed].map(({ name }) => moduleKey(name))),
  };
}

/** The key of a module among those of all files. */
function moduleKey({ name, span }: Ident): string {
  return `${span.file} ${name}`;
}

/** Codes of messages about a missing `return`, use or output: it may be in text that could not be parsed. */
const cascades: ReadonlySet<string> = new Set(['CROB2213', 'CROB2304', 'CROB2309']);

/** Returns a warning for each module of a file, in case that nothing constructs it. */
function unconstructed({ tree }: FileScope): ReadonlyMap<string, Diagnostic> {
  const modules = tree.declarations.filter((decl) => decl.kind === 'module');
  return new Map(
    modules.map(({ name, params }) => {
      const parameters = params.flatMap((param) => (param.value ? [] : [`${param.name.name} = …`])).join(', ');
      return [moduleKey(name), diagnostic('CROB2013', name.span, { name: name.name, parameters })];
    }),
  );
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
