import type { Span } from '../../grammar/span.ts';
import type {
  Expr,
  InputMember,
  ModelDecl,
  ModelField,
  ModelLet,
  ModelMember,
  OutputMember,
  Param,
  Path,
} from '../../grammar/tree.ts';
import type { Session } from './body.ts';
import { didYouMean } from './did-you-mean.ts';
import type { FileScope } from './program.ts';
import { fail } from './report.ts';

/** A declaration with the model it came from. */
export interface From<T> {
  readonly decl: T;
  readonly file: FileScope;
  /** The model that wrote it: the base, or the variant that replaced it. */
  readonly model: string;
}

/** An override of something deeper than a field: `backbone.layers[2].window = 6`. */
export interface DeepOverride {
  readonly path: Path;
  readonly value: Expr;
  readonly file: FileScope;
  readonly model: string;
}

/** A variant with its bases merged: what `crobc expand` would print. */
export interface FlatModel {
  readonly name: string;
  readonly decl: ModelDecl;
  readonly file: FileScope;
  readonly docs: readonly string[];
  readonly params: Map<string, From<Param>>;
  /** What a slot or parameter was replaced by. */
  readonly values: Map<string, From<Expr>>;
  readonly fields: Map<string, From<ModelField>>;
  readonly inputs: Map<string, From<InputMember>>;
  readonly lets: Map<string, From<ModelLet>>;
  readonly outputs: Map<string, From<OutputMember>>;
  readonly where: From<Expr>[];
  readonly overrides: DeepOverride[];
  readonly removed: Map<string, Span>;
}

/** Merges a model with what it extends; undefined when the chain of bases is broken. */
export function flattenModel(session: Session, decl: ModelDecl, file: FileScope): FlatModel | undefined {
  const chain = basesOf(session, decl, file);
  if (!chain) return undefined;
  const flat: FlatModel = {
    name: decl.name.name,
    decl,
    file,
    docs: decl.docs,
    params: new Map(),
    values: new Map(),
    fields: new Map(),
    inputs: new Map(),
    lets: new Map(),
    outputs: new Map(),
    where: [],
    overrides: [],
    removed: new Map(),
  };
  for (const [i, one] of chain.entries()) merge(session, flat, one.decl, one.file, i > 0);
  return flat;
}

function basesOf(
  session: Session,
  decl: ModelDecl,
  file: FileScope,
): { decl: ModelDecl; file: FileScope }[] | undefined {
  const chain = [{ decl, file }];
  for (let at = chain[0]!; at.decl.base; at = chain[0]!) {
    const base = at.decl.base;
    const found = at.file.lookup(base.name);
    if (!found) {
      fail({ session }, 'CROB2001', base.span, { name: base.name }, { help: didYouMean(base.name, at.file.names()) });
      return undefined;
    }
    if (found.decl.kind !== 'model') {
      fail({ session }, 'CROB2008', base.span, { name: base.name, actual: found.decl.kind, expected: 'a model' });
      return undefined;
    }
    const model = found.decl;
    if (chain.some((one) => one.decl === model)) {
      fail({ session }, 'CROB2303', base.span, { name: model.name.name });
      return undefined;
    }
    chain.unshift({ decl: model, file: found.file });
  }
  return chain;
}

function merge(session: Session, flat: FlatModel, decl: ModelDecl, file: FileScope, variant: boolean): void {
  const model = decl.name.name;
  const here = new Map<string, Span>();
  const once = (key: string, span: Span): boolean => {
    const earlier = here.get(key);
    if (earlier) {
      fail(
        { session },
        'CROB2302',
        span,
        { path: key, model },
        { notes: [{ span: earlier, text: 'first given here' }] },
      );
      return false;
    }
    here.set(key, span);
    return true;
  };
  for (const param of decl.params) {
    if (once(param.name.name, param.name.span)) flat.params.set(param.name.name, { decl: param, file, model });
  }
  for (const expr of decl.where) flat.where.push({ decl: expr, file, model });
  for (const member of inMergeOrder(decl)) {
    switch (member.kind) {
      case 'model-field': {
        const key = pathText(session, member.path);
        if (!once(key, member.path.span)) break;
        setField(session, flat, member, file, model, variant, key);
        break;
      }
      case 'input':
        if (once(member.name.name, member.name.span)) flat.inputs.set(member.name.name, { decl: member, file, model });
        break;
      case 'model-let':
        if (once(member.name.name, member.name.span)) flat.lets.set(member.name.name, { decl: member, file, model });
        break;
      case 'output':
        if (once(`output ${member.name.name}`, member.name.span))
          flat.outputs.set(member.name.name, { decl: member, file, model });
        break;
      case 'without':
        remove(session, flat, member.path, model);
        break;
    }
  }
}

/** The order of lines has no meaning: what is taken out goes first, and overrides of parts come when all parts are there. */
function inMergeOrder(decl: ModelDecl): readonly ModelMember[] {
  const rank = (member: ModelMember) =>
    member.kind === 'without' ? 0 : member.kind === 'model-field' && member.path.steps.length > 1 ? 2 : 1;
  return [...decl.members].sort((a, b) => rank(a) - rank(b));
}

function setField(
  session: Session,
  flat: FlatModel,
  member: ModelField,
  file: FileScope,
  model: string,
  variant: boolean,
  key: string,
): void {
  const [first, ...rest] = member.path.steps;
  const name = first?.kind === 'name' ? first.name.name : '';
  if (rest.length === 0) {
    // Replacing a slot drops what was said of its inside before.
    for (let i = flat.overrides.length - 1; i >= 0; i--) {
      const step = flat.overrides[i]!.path.steps[0];
      if (step?.kind === 'name' && step.name.name === name) flat.overrides.splice(i, 1);
    }
    if (flat.params.has(name)) flat.values.set(name, { decl: member.value, file, model });
    else flat.fields.set(name, { decl: member, file, model });
    flat.removed.delete(name);
    return;
  }
  if (!flat.params.has(name) && !flat.fields.has(name)) {
    const names = [...flat.params.keys(), ...flat.fields.keys()];
    fail(
      { session },
      'CROB2301',
      member.path.span,
      { name, what: variant ? `model ${flat.decl.base?.name ?? model}` : `model ${model}` },
      {
        help: didYouMean(name, names) ?? `it has ${names.join(', ')}`,
      },
    );
    return;
  }
  const same = flat.overrides.findIndex((o) => pathText(session, o.path) === key);
  const override = { path: member.path, value: member.value, file, model };
  if (same >= 0) flat.overrides[same] = override;
  else flat.overrides.push(override);
}

function remove(session: Session, flat: FlatModel, path: Path, model: string): void {
  const first = path.steps[0];
  const name = first?.kind === 'name' && path.steps.length === 1 ? first.name.name : undefined;
  const parts: Map<string, unknown>[] = [flat.fields, flat.lets, flat.outputs, flat.inputs, flat.params];
  if (name === undefined || !parts.some((part) => part.has(name))) {
    const names = parts.flatMap((part) => [...part.keys()]);
    const text = session.program.text(path.span);
    fail({ session }, 'CROB2306', path.span, { name: text, model }, { help: didYouMean(text, names) });
    return;
  }
  for (const part of parts) part.delete(name);
  flat.values.delete(name);
  flat.removed.set(name, path.span);
  for (let i = flat.overrides.length - 1; i >= 0; i--) {
    const step = flat.overrides[i]!.path.steps[0];
    if (step?.kind === 'name' && step.name.name === name) flat.overrides.splice(i, 1);
  }
}

export function pathText(session: Session, path: Path): string {
  return session.program.text(path.span).replace(/\s+/g, '');
}
