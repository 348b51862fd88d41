import type { Expr, Ident, ModelDecl, Path, RecipeDecl, RecipeMember } from '../../grammar/tree.ts';
import type { Dim } from '../dims/dim.ts';
import * as dims from '../dims/dim.ts';
import { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import { type Body, DimScope, fileBody, type Session } from './body.ts';
import { didYouMean, nearest } from './did-you-mean.ts';
import { flattenModel } from './flatten.ts';
import { elaborateModel, type ModelGraph } from './model.ts';
import type { FileScope } from './program.ts';
import { fail } from './report.ts';
import { resolveType } from './signature.ts';
import { asInt, asNumber, describe, error, type Instance, tensor, type Val } from './values.ts';

type Kind = 'a number' | 'an int' | 'a bool' | 'a string' | 'an optimizer' | 'a schedule';

/** What a recipe can set, and of what kind. */
export const recipeSettings: Readonly<Record<string, Kind>> = {
  optimizer: 'an optimizer',
  schedule: 'a schedule',
  epochs: 'a number',
  steps: 'an int',
  accumulate: 'an int',
  clip: 'a number',
  ema: 'a number',
  evaluate_every: 'an int',
  early_stop: 'an int',
  checkpoint_every: 'an int',
  protocol: 'a string',
  metric: 'a string',
  seed: 'an int',
  augment: 'a bool',
};

/** Optimizers and schedules with their arguments, in positional order, and the defaults. */
export const optimizers: Readonly<Record<string, Readonly<Record<string, number | undefined>>>> = {
  AdamW: { lr: undefined, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8 },
  SGD: { lr: undefined, momentum: 0, weight_decay: 0 },
};
export const schedules: Readonly<Record<string, Readonly<Record<string, number | undefined>>>> = {
  poly: { power: 0.9, end: 0 },
  cosine: { end: 0 },
  warmup: { steps: undefined },
  constant: { factor: 1 },
};

/** Settings of a `group`. */
const groupSettings = ['lr', 'weight_decay'];

/** Models in training form, by session: several recipes train one model. */
const trained = new WeakMap<Session['reads'], Map<ModelDecl, ModelGraph | undefined>>();

/** Errors that inference has too are reported there as well; the check drops what is said twice. */
function trainedModel(session: Session, decl: ModelDecl, file: FileScope): ModelGraph | undefined {
  const known = trained.get(session.reads) ?? new Map<ModelDecl, ModelGraph | undefined>();
  trained.set(session.reads, known);
  if (known.has(decl)) return known.get(decl);
  let sound = true;
  const counting: Session = {
    ...session,
    report: (d) => {
      sound = false;
      session.report(d);
    },
  };
  const flat = flattenModel(counting, decl, file);
  const model = flat && elaborateModel(counting, flat);
  const result = sound ? model : undefined;
  known.set(decl, result);
  return result;
}

interface Chain {
  readonly decl: RecipeDecl;
  readonly file: FileScope;
}

/** Checks a recipe against its model: names, kinds, dims, terms that are numbers, paths that select something. */
export function checkRecipe(session: Session, decl: RecipeDecl, file: FileScope): void {
  const chain = recipeChain(session, decl, file);
  if (!chain) return;
  const named = [...chain].reverse().find((one) => one.decl.model);
  const target = named?.decl.model;
  if (!target) {
    fail(
      { session },
      'CROB2323',
      decl.name.span,
      { name: decl.name.name, missing: 'model' },
      { help: `recipe ${decl.name.name} for Model { … }` },
    );
    return;
  }
  const found = named.file.lookup(target.name);
  if (found?.decl.kind !== 'model') {
    fail(
      { session },
      found ? 'CROB2008' : 'CROB2001',
      target.span,
      { name: target.name, actual: found?.decl.kind ?? '', expected: 'a model' },
      {
        help: found ? undefined : didYouMean(target.name, named.file.names()),
      },
    );
    return;
  }
  const { bindings, refused } = checkBindings(session, chain);
  const model = trainedModel(session, found.decl, found.file);
  if (!model) return;
  const members = chain.flatMap((one) => one.decl.members.map((member) => ({ member, file: one.file })));
  for (const { member, file: at } of members) checkMember(session, member, at, model);
  checkComplete(
    session,
    decl,
    members.map((m) => m.member),
  );
  checkTerms(session, decl, members, model, bindings, refused);
}

function recipeChain(session: Session, decl: RecipeDecl, file: FileScope): Chain[] | undefined {
  const chain: Chain[] = [{ decl, file }];
  for (let at = chain[0]!; at.decl.base; at = chain[0]!) {
    const { base } = at.decl;
    const found = at.file.lookup(base.name);
    if (found?.decl.kind !== 'recipe') {
      fail({ session }, found ? 'CROB2008' : 'CROB2001', base.span, {
        name: base.name,
        actual: found?.decl.kind ?? '',
        expected: 'a recipe',
      });
      return undefined;
    }
    const recipe = found.decl;
    if (chain.some((one) => one.decl === recipe)) {
      fail({ session }, 'CROB2303', base.span, { name: decl.name.name });
      return undefined;
    }
    chain.unshift({ decl: recipe, file: found.file });
  }
  return chain;
}

/** `refused` dims were given something that is no size. */
function checkBindings(
  session: Session,
  chain: readonly Chain[],
): { bindings: Map<string, Dim>; refused: Set<string> } {
  const bindings = new Map<string, Dim>();
  const refused = new Set<string>();
  for (const { decl, file } of chain) {
    for (const { name, value } of decl.bindings) {
      const got = session.interpreter.evaluate(fileBody(session, file), value);
      const n = asInt(got);
      if (n !== undefined && n >= 1) {
        bindings.set(name.name, dims.constant(n));
        continue;
      }
      refused.add(name.name);
      if (got.kind !== 'error')
        fail({ session }, 'CROB2321', value.span, { name: name.name, expected: 'an int of at least 1' });
    }
  }
  return { bindings, refused };
}

function checkMember(session: Session, member: RecipeMember, file: FileScope, model: ModelGraph): void {
  switch (member.kind) {
    case 'setting':
      checkSetting(session, member.name, member.value, file);
      break;
    case 'group':
      checkPath(session, member.path, model);
      for (const { name, value } of member.settings) {
        if (!groupSettings.includes(name.name)) {
          fail(
            { session },
            'CROB2320',
            name.span,
            { name: name.name },
            { help: didYouMean(name.name, groupSettings) ?? `a group has ${groupSettings.join(', ')}` },
          );
        } else if (asNumber(session.interpreter.evaluate(fileBody(session, file), value)) === undefined) {
          fail({ session }, 'CROB2321', value.span, {
            name: name.name,
            expected: 'a number, or a factor such as 0.1x',
          });
        }
      }
      break;
    case 'freeze':
    case 'init':
      checkPath(session, member.path, model);
      break;
    case 'start': {
      const found = file.lookup(member.recipe.name);
      if (found?.decl.kind !== 'recipe') {
        fail(
          { session },
          found ? 'CROB2008' : 'CROB2001',
          member.recipe.span,
          { name: member.recipe.name, actual: found?.decl.kind ?? '', expected: 'a recipe' },
          {
            help: found ? undefined : didYouMean(member.recipe.name, file.names()),
          },
        );
      }
      break;
    }
    default:
      break;
  }
  if (member.kind === 'init' && member.via) {
    const found = file.lookup(member.via.name);
    if (found?.decl.kind !== 'weights') {
      fail({ session }, found ? 'CROB2008' : 'CROB2001', member.via.span, {
        name: member.via.name,
        actual: found?.decl.kind ?? '',
        expected: 'a weights map',
      });
    }
  }
}

function checkSetting(session: Session, name: Ident, parts: readonly Expr[], file: FileScope): void {
  const kind = recipeSettings[name.name];
  if (!kind) {
    fail(
      { session },
      'CROB2320',
      name.span,
      { name: name.name },
      {
        help:
          didYouMean(name.name, Object.keys(recipeSettings)) ??
          `settings are ${Object.keys(recipeSettings).join(', ')}`,
      },
    );
    return;
  }
  if (kind === 'an optimizer' || kind === 'a schedule') {
    for (const part of parts)
      checkConstructor(session, name, part, kind === 'an optimizer' ? optimizers : schedules, kind, file);
    return;
  }
  const value = parts[0] && session.interpreter.evaluate(fileBody(session, file), parts[0]);
  if (!value || value.kind === 'error') return;
  const fits = {
    'a number': asNumber(value) !== undefined,
    'an int': asInt(value) !== undefined,
    'a bool': value.kind === 'bool',
    'a string': value.kind === 'string',
  }[kind];
  if (!fits || parts.length > 1) fail({ session }, 'CROB2321', parts[0]!.span, { name: name.name, expected: kind });
}

function checkConstructor(
  session: Session,
  name: Ident,
  expr: Expr,
  table: Readonly<Record<string, Readonly<Record<string, number | undefined>>>>,
  kind: Kind,
  file: FileScope,
): void {
  const head =
    expr.kind === 'call' && expr.callee.kind === 'name'
      ? expr.callee.name
      : expr.kind === 'name'
        ? expr.name
        : undefined;
  const args = head === undefined ? undefined : table[head];
  if (head === undefined || !args) {
    const help = head === undefined ? undefined : didYouMean(head, Object.keys(table));
    fail(
      { session },
      'CROB2321',
      expr.span,
      { name: name.name, expected: `${kind}: ${Object.keys(table).join(', ')}` },
      { help },
    );
    return;
  }
  const given = new Set<string>();
  let strange = false;
  const names = Object.keys(args);
  for (const [i, arg] of (expr.kind === 'call' ? expr.args : []).entries()) {
    const key = arg.name?.name ?? names[i];
    if (key === undefined || !names.includes(key)) {
      fail(
        { session },
        'CROB2009',
        arg.name?.span ?? arg.value.span,
        { name: key ?? String(i + 1), callee: head },
        { help: didYouMean(key ?? '', names) ?? `its arguments are ${names.join(', ')}` },
      );
      strange = true;
      continue;
    }
    given.add(key);
    const value = session.interpreter.evaluate(fileBody(session, file), arg.value);
    if (value.kind !== 'error' && asNumber(value) === undefined)
      fail({ session }, 'CROB2321', arg.value.span, { name: key, expected: 'a number' });
  }
  const lacking = names.find((key) => args[key] === undefined && !given.has(key));
  if (lacking && !strange) fail({ session }, 'CROB2010', expr.span, { name: lacking, callee: head });
}

/** `backbone.*`, `text.layers[*].attention.*`: must lead to a module of the model. */
function checkPath(session: Session, path: Path, model: ModelGraph): void {
  let at: Val[] = [];
  const refuse = (i: number) =>
    fail(
      { session },
      'CROB2322',
      path.span,
      { path: session.program.text(path.span), model: model.flat.name },
      { help: i === 0 ? didYouMean(firstName(path), model.instances.keys()) : undefined },
    );
  for (const [i, step] of path.steps.entries()) {
    if (step.kind === 'any') {
      if (i === 0) return;
      at = at.flatMap((v) => (v.kind === 'list' ? v.items : [v]));
      continue;
    }
    if (step.kind === 'at') {
      const n = asInt(session.interpreter.evaluate(fileBody(session, model.flat.file), step.value));
      at = at.flatMap((v) => (v.kind === 'list' && n !== undefined && v.items[n] ? [v.items[n]!] : []));
    } else if (i === 0) {
      const found = model.instances.get(step.name.name);
      at = found ? [found] : [];
    } else {
      at = at.flatMap((v) => (v.kind === 'instance' ? memberOf(v.instance, step.name.name) : []));
    }
    if (at.length === 0) {
      refuse(i);
      return;
    }
  }
}

function memberOf(instance: Instance, name: string): Val[] {
  const found = instance.fields.get(name) ?? instance.statics.get(name);
  if (found) return [found];
  const weight = instance.decl.members.find((m) => (m.kind === 'param' || m.kind === 'buffer') && m.name.name === name);
  return weight ? [{ kind: 'none' }] : [];
}

function firstName(path: Path): string {
  const first = path.steps[0];
  return first?.kind === 'name' ? first.name.name : '';
}

function checkComplete(session: Session, decl: RecipeDecl, members: readonly RecipeMember[]): void {
  // A misspelt setting is there, and was reported.
  const has = (name: string) =>
    members.some(
      (m) =>
        m.kind === 'setting' &&
        (m.name.name === name ||
          (!recipeSettings[m.name.name] && nearest(m.name.name, Object.keys(recipeSettings)) === name)),
    );
  const lacking = !members.some((m) => m.kind === 'term')
    ? 'term'
    : !has('optimizer')
      ? 'optimizer'
      : !has('epochs') && !has('steps')
        ? 'epochs or steps'
        : undefined;
  if (lacking) fail({ session }, 'CROB2323', decl.name.span, { name: decl.name.name, missing: lacking });
}

/** Loss terms see the model's inputs and outputs and the recipe's own inputs; each must come out as one number. */
function checkTerms(
  session: Session,
  decl: RecipeDecl,
  members: readonly { readonly member: RecipeMember; readonly file: FileScope }[],
  model: ModelGraph,
  bindings: ReadonlyMap<string, Dim>,
  refused: ReadonlySet<string>,
): void {
  const scope = new DimScope(true);
  let facts = model.facts;
  for (const [name, size] of bindings) facts = facts.assume({ kind: 'eq', left: dims.variable(name), right: size });
  const build = new Builder(facts);
  const values = new Map<string, Val>();
  const placed = (name: string, value: Value): void => {
    for (const d of value.type.shape) for (const v of dims.variables(d)) scope.known.set(v, dims.variable(v));
    values.set(name, tensor(build.input(name, value.type)));
  };
  for (const input of model.inputs) placed(input.name, input.value);
  for (const output of model.outputs) placed(output.name, output.value);
  const bodyIn = (file: FileScope): Body => ({
    ...fileBody(session, file),
    member: (name) => values.get(name),
    memberNames: () => values.keys(),
    dims: scope,
    facts,
    build,
  });
  for (const { member, file } of members) {
    if (member.kind === 'input') {
      const type = resolveType(bodyIn(file), member.type, new Map());
      if (type?.kind === 'tensor') values.set(member.name.name, tensor(build.input(member.name.name, type.type)));
      else values.set(member.name.name, error);
    } else if (member.kind === 'model-let') {
      values.set(member.name.name, session.interpreter.evaluate(bodyIn(file), member.value));
    } else if (member.kind === 'term') {
      const value = session.interpreter.evaluate(bodyIn(file), member.value);
      const scalarTensor = value.kind === 'tensor' && value.value.type.shape.length === 0;
      if (value.kind !== 'error' && !scalarTensor && asNumber(value) === undefined) {
        const actual = value.kind === 'tensor' ? `a tensor of ${value.value.type.shape.length} axes` : describe(value);
        fail(
          { session },
          'CROB2324',
          member.value.span,
          { name: member.name.name, actual },
          { help: 'reduce it, for example with mean(x, "b c h w -> ")' },
        );
      }
    }
  }
  for (const { name } of decl.bindings) {
    if (scope.known.has(name.name)) continue;
    fail(
      { session },
      'CROB2116',
      name.span,
      { name: name.name },
      { help: `the dims of ${model.flat.name} are ${[...scope.known.keys()].join(', ')}` },
    );
  }
  const free = [...scope.known.keys()].filter(
    (name) => !bindings.has(name) && !refused.has(name) && !name.includes('['),
  );
  if (free.length > 0) {
    fail(
      { session },
      'CROB2325',
      decl.name.span,
      { name: decl.name.name, dim: free.join(', ') },
      { help: `recipe ${decl.name.name} for ${model.flat.name} at ${free.map((name) => `${name} = …`).join(', ')}` },
    );
  }
}
