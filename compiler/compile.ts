import type { Declaration, ModelDecl } from '../grammar/tree.ts';
import { type Diagnostic, diagnostic } from './diagnostics/diagnostic.ts';
import { asConstant, constant, type Dim, DimOverflow, variables } from './dims/dim.ts';
import { type Clause, Facts, showClause } from './dims/facts.ts';
import type { Session } from './elaborate/body.ts';
import { checkDefaults, checkExample, checkFunction } from './elaborate/examples.ts';
import { flattenModel } from './elaborate/flatten.ts';
import { inlineModel } from './elaborate/inline.ts';
import { checkPromises } from './elaborate/interfaces.ts';
import { elaborateModel, type ModelGraph } from './elaborate/model.ts';
import { type FileScope, Program, type SourceHost } from './elaborate/program.ts';
import { checkReached } from './elaborate/reach.ts';
import { checkRecipe } from './elaborate/recipe.ts';
import { recipeBindings } from './elaborate/recipe-bindings.ts';
import { fail } from './elaborate/report.ts';
import { openSession } from './elaborate/session.ts';
import { sharedTemplates } from './elaborate/sharing.ts';
import { substituteClause } from './elaborate/signature.ts';
import type { Call, Template } from './elaborate/template.ts';
import { checkWeightsMap } from './elaborate/weights-map.ts';
import type { Graph } from './ir/graph.ts';

export type { SourceHost } from './elaborate/program.ts';

/** Everything that a check found, and the models that came out right. */
export interface CheckResult {
  readonly program: Program;
  readonly diagnostics: readonly Diagnostic[];
  readonly models: ReadonlyMap<string, ModelGraph>;
  /** Files asked for that do not exist. */
  readonly missing: readonly string[];
}

/** Checks every declaration of the given files; what they use is checked through them. */
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
  const shared = sharedTemplates();
  const session = openSession(program, false, (d) => diagnostics.push(d), shared);
  const training = openSession(program, true, (d) => diagnostics.push(d), shared);
  for (const scope of scopes) {
    // What did not parse would only be complained of a second time.
    const broken = new Set(program.diagnostics.filter((d) => d.code.startsWith('CROB1')).map((d) => d.span.file));
    for (const decl of scope.tree.declarations) {
      const before = diagnostics.length;
      const model = withinIntegers(session, decl, () => checkDeclaration(session, training, decl, scope));
      if (model && decl.kind === 'model' && diagnostics.length === before) models.set(decl.name.name, model);
    }
    if (broken.has(scope.file)) dropCascades(diagnostics, scope.file);
  }
  return { program, diagnostics: inOrder(diagnostics), models, missing };
}

/** What a model comes to; other declarations are checked only. */
function checkDeclaration(
  session: Session,
  training: Session,
  decl: Declaration,
  scope: FileScope,
): ModelGraph | undefined {
  startOver(session);
  startOver(training);
  switch (decl.kind) {
    case 'model':
      return modelGraph(session, decl, scope);
    case 'example':
      checkExample(session, decl, scope);
      return undefined;
    case 'module':
      checkPromises(session, decl, scope);
      if (decl.params.every((param) => param.value)) checkDefaults(session, decl, scope, decl.name.span);
      return undefined;
    case 'fn':
      if (!wasCut(session, decl)) checkFunction(session, decl, scope);
      return undefined;
    case 'recipe':
      checkRecipe(training, decl, scope);
      return undefined;
    case 'weights':
      checkWeightsMap(session, decl, scope);
      return undefined;
    default:
      return undefined;
  }
}

/** Whether part of a declaration did not parse. */
function wasCut({ program }: Session, { span }: Declaration): boolean {
  return program.diagnostics.some(
    (d) =>
      d.code.startsWith('CROB1') && d.span.file === span.file && d.span.start <= span.end && span.start <= d.span.end,
  );
}

/** Limits count from each declaration anew. */
function startOver({ depth }: Session): void {
  depth.steps = 0;
  depth.calls = 0;
  depth.nesting = 0;
  depth.tooDeep = false;
  depth.constructions.length = 0;
}

/** Expressions report numbers that are too large themselves; here are those that come up between them. */
function withinIntegers<T>(session: Session, decl: Declaration, check: () => T): T | undefined {
  try {
    return check();
  } catch (e) {
    if (!(e instanceof DimOverflow)) throw e;
    session.report(diagnostic('CROB2224', decl.name.span, {}));
    return undefined;
  }
}

/** In a file that did not parse, only names that the lost text may have declared are doubtful; they are dropped. */
function dropCascades(diagnostics: Diagnostic[], file: string): void {
  const doubtful = new Set(['CROB2001', 'CROB2005', 'CROB2010', 'CROB2116', 'CROB2213', 'CROB2304', 'CROB2309']);
  for (let i = diagnostics.length - 1; i >= 0; i--) {
    if (diagnostics[i]!.span.file === file && doubtful.has(diagnostics[i]!.code)) diagnostics.splice(i, 1);
  }
}

function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  const files = [...new Set(diagnostics.map((d) => d.span.file))];
  return diagnostics
    .filter((d) => {
      const key = `${d.code} ${d.span.file}:${d.span.start} ${d.message}`;
      return !seen.has(key) && seen.add(key);
    })
    .sort((a, b) => files.indexOf(a.span.file) - files.indexOf(b.span.file) || a.span.start - b.span.start);
}

/** Most operators that a model may have once its calls are expanded. */
const operatorLimit = 1_000_000;

function isOfReasonableSize(model: ModelGraph): boolean {
  const known = new Map<Template, number>();
  const sizeOf = (template: Template): number => {
    let size = known.get(template);
    if (size === undefined) {
      size = (template.body?.nodes.length ?? 0) + total(template.body?.calls ?? []);
      known.set(template, size);
    }
    return size;
  };
  const total = (calls: readonly Call[]): number => calls.reduce((sum, call) => sum + 1 + sizeOf(call.template), 0);
  return model.nodes.length + total(model.calls) <= operatorLimit;
}

function isSound(calls: readonly Call[], seen: Set<Template> = new Set()): boolean {
  return calls.every(({ template }) => {
    if (seen.has(template)) return true;
    seen.add(template);
    return template.body?.sound === true && isSound(template.body.calls, seen);
  });
}

function modelGraph(session: Session, decl: ModelDecl, file: FileScope): ModelGraph | undefined {
  let errors = 0;
  const counting: Session = {
    ...session,
    report(d) {
      errors++;
      const { span } = decl;
      const inside = d.span.file === span.file && span.start <= d.span.start && d.span.end <= span.end;
      const known =
        inside ||
        !decl.base ||
        d.notes.some(
          (note) => note.span.file === span.file && span.start <= note.span.start && note.span.end <= span.end,
        );
      // What a variant breaks in its base or in the library is the variant's doing.
      session.report(
        known ? d : { ...d, notes: [...d.notes.slice(0, 2), { span: decl.name.span, text: `in ${decl.name.name}` }] },
      );
    },
  };
  const flat = flattenModel(counting, decl, file);
  const model = flat && elaborateModel(counting, flat);
  // A method that was wrong in an earlier model was reported there.
  if (!model || errors > 0 || !isSound(model.calls)) return undefined;
  if (!isOfReasonableSize(model)) {
    fail({ session: counting }, 'CROB2225', decl.name.span, {
      what: `the number of operators of ${decl.name.name}`,
      limit: operatorLimit,
    });
    return undefined;
  }
  checkReached(counting, model);
  return errors === 0 ? model : undefined;
}

export interface Compiled {
  readonly program: Program;
  readonly diagnostics: readonly Diagnostic[];
  readonly model: ModelGraph | undefined;
  readonly graph: Graph | undefined;
  /** Sizes as they were bound. */
  readonly dims: ReadonlyMap<string, number>;
  /** Models of the file, for a choice or a did-you-mean. */
  readonly models: readonly string[];
}

export interface CompileOptions {
  /** The first model of the file when not given. */
  readonly model: string | undefined;
  /** Sizes of dims: `H` → 480. */
  readonly dims: ReadonlyMap<string, number>;
  /** Overrides as a variant would write them: `mid.layers = 3`. */
  readonly overrides: readonly string[];
  readonly training?: boolean;
  /** Bind these dims, where `dims` does not, to the sizes that the model's recipe trains at. */
  readonly recipeDims?: readonly string[];
}

/** One model of a file as a flat graph. */
export function compile(host: SourceHost, file: string, options: CompileOptions): Compiled {
  const program = new Program(host);
  const diagnostics: Diagnostic[] = [];
  const base = program.load(file);
  const decls = (base?.tree.declarations ?? []).filter((one) => one.kind === 'model');
  const models = decls.map((one) => one.name.name);
  const named = options.model === undefined ? decls[0] : decls.find((one) => one.name.name === options.model);
  const none = () => ({
    program,
    diagnostics: inOrder(diagnostics),
    model: undefined,
    graph: undefined,
    models,
    dims: options.dims,
  });
  const scope =
    base && named && options.overrides.length > 0
      ? program.inline(settingsFile, settingsSource(named, options.overrides), base)
      : base;
  diagnostics.push(...program.diagnostics);
  const decl = scope === base ? named : scope?.tree.declarations.find((one) => one.kind === 'model');
  if (!scope || !decl || !named || diagnostics.length > 0) return none();
  const session = openSession(program, options.training ?? false, (d) => diagnostics.push(d));
  const model = withinIntegers(session, decl, () => modelGraph(session, decl, scope));
  if (!model) return none();
  const sizes = new Map(options.dims);
  for (const [dim, n] of base ? recipeBindings(named, base) : []) {
    if (options.recipeDims?.includes(dim) && !sizes.has(dim)) sizes.set(dim, n);
  }
  const bound = new Map<string, Dim>([...sizes].map(([dim, n]) => [dim, constant(n)]));
  checkBindings(session, model, named, sizes);
  if (diagnostics.length > 0) return none();
  const graph = { ...inlineModel(model, bound), name: named.name.name, docs: named.docs.join('\n') };
  return { program, diagnostics: [], model, graph, models, dims: sizes };
}

/** The name under which `--set` is read as source. */
const settingsFile = '--set';

/** `--set` overrides are a variant of the model. */
function settingsSource(model: ModelDecl, overrides: readonly string[]): string {
  const lines = overrides.map((line) => `  ${line}\n`).join('');
  return `model ${model.name.name}_set extends ${model.name.name} {\n${lines}}\n`;
}

/** Sizes must be of dims that the model has, and keep its conditions. */
function checkBindings(session: Session, model: ModelGraph, decl: ModelDecl, sizes: ReadonlyMap<string, number>): void {
  const free = new Set(model.inputs.flatMap((input) => input.value.type.shape.flatMap((d) => [...variables(d)])));
  for (const name of sizes.keys()) {
    if (free.has(name)) continue;
    session.report(
      diagnostic(
        'CROB2116',
        decl.name.span,
        { name },
        { help: `the dims of ${decl.name.name} are ${[...free].join(', ')}` },
      ),
    );
  }
  for (const clause of brokenGuards(model, sizes)) {
    session.report(
      diagnostic(
        'CROB2207',
        decl.name.span,
        { what: decl.name.name, clause },
        { details: [...sizes].map(([name, n]) => `${name} = ${n}`) },
      ),
    );
  }
}

/** Conditions of the model that the bound sizes break. */
function brokenGuards(model: ModelGraph, bindings: ReadonlyMap<string, number>): string[] {
  const by = new Map<string, Dim>([...bindings].map(([dim, n]) => [dim, constant(n)]));
  return model.facts.clauses
    .filter((clause) => Facts.none.holds(substituteClause(clause, by)).answer === 'refuted' && isGround(clause, by))
    .map((clause) => showClause(clause));
}

function isGround(clause: Clause, by: ReadonlyMap<string, Dim>): boolean {
  const bound = substituteClause(clause, by);
  return (bound.kind === 'mod' ? [bound.value] : [bound.left, bound.right]).every(
    (side) => asConstant(side) !== undefined,
  );
}
