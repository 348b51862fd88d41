import type { Span } from '../../../grammar/span.ts';
import type { Ident, ModelDecl, ModelField, ModelLetItems, Path } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { FileScope } from '../source/file-scope.ts';
import { type Equation, type FlatModel, isWritten, takenApart } from './flat-model.ts';
import { heldNames, isSameKind, type Kind } from './kinds.ts';

/** Merges a model with its bases; undefined, after a report, if the chain of bases is broken. */
export function flattenModel(context: Context, decl: ModelDecl, file: FileScope): FlatModel | undefined {
  const chain = basesOf(context, decl, file);
  if (!chain) return undefined;
  const flat: FlatModel = {
    name: decl.name.name,
    decl,
    file,
    docs: decl.docs,
    nearness: chain.length - 1,
    params: new Map(),
    values: new Map(),
    fields: new Map(),
    inputs: new Map(),
    lets: new Map(),
    outputs: new Map(),
    where: [],
    overrides: [],
    superseded: [],
    removed: new Map(),
  };
  for (const [nearness, one] of chain.entries()) merge(context, flat, { ...one, nearness });
  dropUnusedWholes(flat);
  return flat;
}

function basesOf(
  context: Context,
  decl: ModelDecl,
  file: FileScope,
): { decl: ModelDecl; file: FileScope }[] | undefined {
  const chain = [{ decl, file }];
  for (let at = chain[0]!; at.decl.base; at = chain[0]!) {
    const base = at.decl.base;
    const found = at.file.lookup(base.name);
    if (!found) {
      fail({ context }, 'CROB2001', base.span, { name: base.name }, { help: didYouMean(base.name, at.file.names()) });
      return undefined;
    }
    if (found.decl.kind !== 'model') {
      fail({ context }, 'CROB2008', base.span, { name: base.name, actual: found.decl.kind, expected: 'a model' });
      return undefined;
    }
    const model = found.decl;
    if (chain.some((one) => one.decl === model)) {
      fail({ context }, 'CROB2303', base.span, { name: model.name.name });
      return undefined;
    }
    chain.unshift({ decl: model, file: found.file });
  }
  return chain;
}

/** A model of a chain. */
interface Link {
  readonly decl: ModelDecl;
  readonly file: FileScope;
  readonly nearness: number;
}

function merge(context: Context, flat: FlatModel, link: Link): void {
  const { decl, file, nearness } = link;
  const model = decl.name.name;
  const here = new Map<string, Span>();
  const once = (key: string, span: Span): boolean => {
    const earlier = here.get(key);
    if (earlier) givenTwice(context, key, model, span, earlier);
    else here.set(key, span);
    return !earlier;
  };
  // The order of lines has no meaning: removals come first, and overrides come after all parts are present.
  for (const member of decl.members) if (member.kind === 'without') remove(context, flat, member.path, model);
  const base = heldNames(flat);
  const fits = (kind: Kind, { name, span }: Ident, valued = true) =>
    isSameKind(context, base.get(name), { kind, name, span, valued });
  for (const param of decl.params) {
    const { name, span } = param.name;
    if (!once(name, span) || !fits('parameter', param.name)) continue;
    drop(flat, name);
    flat.params.set(name, { decl: param, file, model, nearness });
  }
  for (const expr of decl.where) flat.where.push({ decl: expr, file, model, nearness });
  for (const member of decl.members) {
    switch (member.kind) {
      case 'model-field': {
        const name = ownName(member.path);
        if (name && once(name.name, name.span) && fits('part', name)) setField(flat, member, name.name, link);
        break;
      }
      case 'input':
        if (once(member.name.name, member.name.span) && fits('input', member.name))
          flat.inputs.set(member.name.name, { decl: member, file, model, nearness });
        break;
      case 'model-let':
        if (once(member.name.name, member.name.span) && fits('let', member.name))
          flat.lets.set(member.name.name, { decl: member, file, model, nearness });
        break;
      case 'model-let-items':
        for (const [position, { name }] of member.names.entries())
          if (once(name.name, name.span) && fits('let', name)) setItem(flat, member, position, link);
        break;
      case 'output':
        if (once(`output ${member.name.name}`, member.name.span) && fits('output', member.name, !!member.value))
          flat.outputs.set(member.name.name, { decl: member, file, model, nearness });
        break;
      case 'without':
        break;
    }
  }
  for (const member of decl.members)
    if (member.kind === 'model-field' && !ownName(member.path)) addOverride(context, flat, member, link);
}

/** Reports a path that a model sets twice: the order of lines has no meaning, so neither line takes precedence. */
export function givenTwice(context: Context, path: string, model: string, span: Span, earlier: Span): void {
  const notes = [{ span: earlier, text: 'first given here' }];
  fail({ context }, 'CROB2302', span, { path, model }, { notes });
}

/** The name of a path with a single step; undefined for other paths. */
function ownName({ steps }: Path): Ident | undefined {
  const [first] = steps;
  return steps.length === 1 && first?.kind === 'name' ? first.name : undefined;
}

function firstName({ steps: [first] }: Path): string {
  return first?.kind === 'name' ? first.name.name : '';
}

function setField(flat: FlatModel, decl: ModelField, name: string, link: Link): void {
  const { file, nearness } = link;
  const model = link.decl.name.name;
  const value = flat.values.get(name);
  drop(flat, name);
  if (flat.params.has(name)) flat.values.set(name, { decl: decl.value, file, model, nearness, before: value });
  else {
    const before = flat.fields.get(name);
    flat.fields.set(name, { decl, file, model, nearness, base: link.decl.base?.name, before });
  }
}

function setItem(flat: FlatModel, member: ModelLetItems, position: number, link: Link): void {
  const { file, nearness } = link;
  const model = link.decl.name.name;
  for (const decl of takenApart(member, position)) flat.lets.set(decl.name.name, { decl, file, model, nearness });
}

/** Drops the whole value of a destructuring `let` if a variant replaces all of its names. */
export function dropUnusedWholes({ lets }: { readonly lets: Map<string, { readonly decl: Equation }> }): void {
  const used = new Set([...lets.values()].map(({ decl }) => (decl.kind === 'let-item' ? decl.whole : undefined)));
  for (const name of [...lets.keys()]) if (!isWritten(name) && !used.has(name)) lets.delete(name);
}

/** Drops the earlier lines for a declaration, and inside it, when it is replaced or removed. */
function drop(flat: FlatModel, name: string): void {
  flat.values.delete(name);
  const inside = flat.overrides.filter((one) => one.name === name);
  const others = flat.overrides.filter((one) => one.name !== name);
  flat.overrides.splice(0, flat.overrides.length, ...others);
  flat.superseded.push(...inside);
}

function addOverride(context: Context, flat: FlatModel, { path, value }: ModelField, link: Link): void {
  const name = firstName(path);
  const model = link.decl.name.name;
  if (flat.params.has(name) || flat.fields.has(name)) {
    flat.overrides.push({ name, path, value, file: link.file, model, nearness: link.nearness });
    return;
  }
  const names = [...flat.params.keys(), ...flat.fields.keys()];
  fail(
    { context },
    'CROB2301',
    path.span,
    { name, what: `model ${link.decl.base?.name ?? model}` },
    { help: didYouMean(name, names) ?? `it has ${names.join(', ')}` },
  );
}

function remove(context: Context, flat: FlatModel, path: Path, model: string): void {
  const name = ownName(path)?.name;
  const parts: Map<string, unknown>[] = [flat.fields, flat.lets, flat.outputs, flat.inputs, flat.params];
  if (name === undefined || !parts.some((part) => part.has(name))) {
    const names = parts.flatMap((part) => [...part.keys()]);
    const text = context.run.program.text(path.span);
    const part = firstName(path);
    const isInside = path.steps.length > 1 && (flat.fields.has(part) || flat.params.has(part));
    const help = isInside
      ? `\`without\` takes out what the model itself declares; what is inside of \`${part}\` is changed by overrides`
      : didYouMean(text, names);
    fail({ context }, 'CROB2306', path.span, { name: text, model }, { help });
    return;
  }
  for (const part of parts) part.delete(name);
  drop(flat, name);
  flat.removed.set(name, path.span);
}
