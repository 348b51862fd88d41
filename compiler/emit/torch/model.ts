import type { Ident, Param } from '../../../grammar/tree.ts';
import { nodesBelow } from '../../../grammar/within.ts';
import type { Context } from '../../elaborate/context/context.ts';
import type { FlatModel } from '../../elaborate/models/flat-model.ts';
import type { ModelGraph } from '../../elaborate/models/model.ts';
import type { FileScope } from '../../elaborate/source/file-scope.ts';
import { Body } from './body.ts';
import { changesOf, literal } from './changes.ts';
import { initDef, inModuleList, type Members, pathOf, pathsField } from './classes.ts';
import { equation, equationsOf } from './equations.ts';
import { translateField } from './fields.ts';
import { given, type Kind, none, optional, resultType } from './kinds.ts';
import { memberName } from './names.ts';
import { writeParams } from './parameters.ts';
import { assign, atom, attribute, type Py, type PyStatement } from './python/tree.ts';
import type { Package, Scope, SignatureParam, Value } from './scope.ts';
import { checks, deviceOf, dimStatements, docstring, pythonParams, shapeComment, typeScope } from './signatures.ts';
import { dimSources, parameterKind } from './types.ts';

/** A model as a class, with the kind of what its `forward` returns. */
export interface ModelClass {
  readonly statement: PyStatement;
  readonly result: Kind;
}

/** Translates a model, merged with its bases, to one class. */
export function translateModel(pack: Package, context: Context, model: ModelGraph): ModelClass {
  const { flat } = model;
  const members: Members = { kinds: new Map(), stored: new Set(), weight: undefined };
  const init: Body = new Body({
    pack,
    file: flat.file,
    self: { method: () => undefined },
    member: (name) => ownMember(members, name),
    device: undefined,
    training: atom('self.training'),
    result: none,
  });
  const changes = changesOf({ pack, context, model, own: () => init });
  const params = [...flat.params].map(([name, { decl, file }]): SignatureParam => {
    const anew = flat.values.get(name);
    const expr = anew?.decl ?? decl.value;
    if (!expr) return { decl, file };
    const within = anew?.file ?? file;
    const plain = literal(model.params.get(name));
    const translate = (scope: Scope): Value => plain ?? translateField(scope, expr, changes.get(name));
    return { decl, file, value: { expr, file: within, translate, constant: plain !== undefined } };
  });
  const written = writeParams(pack, init, params);
  const before = [...init.statements];
  for (const { name, kind } of written.known) if (given(kind).kind === 'part') members.stored.add(name);
  const main = init.apart(() => {
    for (const [name, { decl, file }] of fieldsInOrder(flat)) {
      const value = init.within(file, () => translateField(init, decl.value, changes.get(name)));
      members.kinds.set(name, value.kind);
      init.emit(assign(`self.${memberName(name)}`, inModuleList(value)));
    }
  });
  const { statement: forward, result } = translateForward(pack, flat, written.known, members);
  const kept = written.known.filter(({ name }) => members.stored.has(name));
  const inside = [
    ...before,
    ...kept.map(({ name, python }) => assign(`self.${memberName(name)}`, atom(python))),
    ...main.statements,
  ];
  const paths = [...flat.fields].map(([name, { decl }]) => ({ name, path: pathOf(decl.attributes) }));
  const statement: PyStatement = {
    kind: 'class',
    name: flat.name,
    bases: ['nn.Module'],
    body: [...docstring(docsOf(flat), 4), ...pathsField(paths), initDef(written.params, inside), forward],
  };
  return { statement, result };
}

/** The documentation of a model, followed by that of its bases. */
function docsOf({ decl, file }: FlatModel): readonly string[] {
  const docs = [...decl.docs];
  let at: { decl: typeof decl; file: FileScope } = { decl, file };
  while (at.decl.base) {
    const base = at.file.lookup(at.decl.base.name);
    if (base?.decl.kind !== 'model') break;
    if (base.decl.docs.length > 0) docs.push(...(docs.length > 0 ? [''] : []), ...base.decl.docs);
    at = { decl: base.decl, file: base.file };
  }
  return docs;
}

function ownMember(members: Members, name: string): Value | undefined {
  const kind = members.kinds.get(name);
  return kind && { py: attribute(atom('self'), memberName(name)), kind, any: false };
}

type Field = FlatModel['fields'] extends Map<string, infer F> ? F : never;

/** The parts of a model, each behind those that it reads. */
function fieldsInOrder({ fields, overrides }: FlatModel): readonly (readonly [string, Field])[] {
  const out = new Map<string, Field>();
  const open = new Set<string>();
  const visit = (name: string): void => {
    const field = fields.get(name);
    if (!field || open.has(name)) return;
    open.add(name);
    const inside = overrides.filter((one) => one.name === name).map(({ value }) => value);
    for (const node of [field.decl.value, ...inside].flatMap(nodesBelow)) if (node.kind === 'name') visit(node.name);
    out.set(name, field);
  };
  for (const name of fields.keys()) visit(name);
  return [...out];
}

function translateForward(
  pack: Package,
  flat: FlatModel,
  params: readonly { readonly name: string; readonly kind: Kind }[],
  members: Members,
): ModelClass {
  const inputs = [...flat.inputs.values()].map(
    ({ decl, file }): SignatureParam => ({ decl: asParam(decl.name, decl), file }),
  );
  const named = pythonParams(inputs, ({ decl, file }) => parameterKind(typeScope(pack, file, [], ''), decl));
  const body = new Body({
    pack,
    file: flat.file,
    self: { method: () => undefined },
    member: (name) => {
      const own = ownMember(members, name);
      if (own) return own;
      const param = params.find((one) => one.name === name);
      if (!param) return undefined;
      members.stored.add(name);
      return { py: attribute(atom('self'), memberName(name)), kind: param.kind, any: false };
    },
    device: deviceOf(named),
    training: atom('self.training'),
    result: none,
  });
  const written = writeParams(pack, body, inputs);
  body.withDims(new Set(dimSources(inputs).keys()));
  const conditions = body.apart(() => {
    for (const { decl, file } of flat.where)
      for (const one of body.within(file, () => checks(body, flat.name, [decl]))) body.emit(one);
  });
  const outputs = [...flat.outputs].map(([name, { decl, file }]) => ({ name, decl, file }));
  const always = outputs.filter(({ decl }) => !decl.stage);
  const inTraining = outputs.filter(({ decl }) => decl.stage);
  const done = new Set<string>();
  let result: Kind = none;
  body.reads(namesRead(flat));
  const main = body.apart(() => {
    const results = always.map((one) => ({ ...one, value: output(body, flat, one, done) }));
    const [only] = results;
    if (only && outputs.length === 1) {
      result = only.value.kind;
      body.returns(only.value, undefined, only.value.kind);
      return;
    }
    const later = body.apart(() => inTraining.map((one) => ({ ...one, value: output(body, flat, one, done) })));
    const kind = pack.tuple(`${flat.name}Output`, [
      ...results.map(({ name, value }) => ({ name, of: value.kind })),
      ...later.value.map(({ name, value }) => ({ name, of: optional(value.kind) })),
    ]);
    result = kind;
    const made = (values: readonly { readonly name: string; readonly value: { readonly py: Py } }[]): PyStatement => ({
      kind: 'return',
      value: {
        kind: 'call',
        callee: atom(`${flat.name}Output`),
        args: values.map(({ name, value }) => ({ name: nameIn(kind, name), value: value.py })),
      },
      comment: undefined,
    });
    if (inTraining.length > 0) {
      const early = made([...results, ...inTraining.map(({ name }) => ({ name, value: { py: atom('None') } }))]);
      const test: Py = { kind: 'unary', op: 'not', operand: atom('self.training') };
      body.emit({ kind: 'if', test, then: [early], otherwise: [] });
      for (const statement of later.statements) body.emit(statement);
    }
    body.emit(made([...results, ...later.value]));
  });
  const results = outputs.flatMap(({ name, decl }) => (decl.type ? [{ name, type: decl.type }] : []));
  const documented = [...flat.inputs.values(), ...always].flatMap((one): readonly PyStatement[] => {
    const { name, docs } = one.decl;
    return docs.length === 0 ? [] : [{ kind: 'comment', text: `${name.name}: ${docs.join(' ')}` }];
  });
  const statement: PyStatement = {
    kind: 'def',
    name: 'forward',
    self: true,
    params: written.params,
    keywordOnly: undefined,
    result: resultType(result),
    body: [
      ...shapeComment(pack, inputs, results, 8),
      ...documented,
      ...dimStatements(inputs, body.dims),
      ...conditions.statements,
      ...main.statements,
    ],
  };
  return { statement, result };
}

/** The names that outputs and conditions read, and what these are computed from. */
function namesRead({ outputs, lets, where }: FlatModel): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (node: object): void => {
    for (const one of nodesBelow(node)) if (one.kind === 'name') read(one.name);
  };
  const read = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    const decl = lets.get(name)?.decl;
    if (decl?.kind === 'let-item') read(decl.whole);
    else if (decl) visit(decl.value);
  };
  for (const [name, { decl }] of outputs) {
    if (decl.value) visit(decl.value);
    else read(name);
  }
  for (const { decl } of where) visit(decl);
  return found;
}

function nameIn(kind: Kind, name: string): string {
  return (kind.kind === 'tuple' && kind.items.find((one) => one.name === name)?.attribute) || name;
}

/** An input or output as a parameter of a signature. */
export function asParam(
  name: Ident,
  {
    docs,
    type,
    span,
  }: { readonly docs: readonly string[]; readonly type: Param['type']; readonly span: Param['span'] },
): Param {
  return { docs, name, type, value: undefined, span };
}

interface Output {
  readonly name: string;
  readonly decl: { readonly value: import('../../../grammar/tree.ts').Expr | undefined; readonly name: Ident };
  readonly file: FileScope;
}

function output(body: Body, flat: FlatModel, { name, decl, file }: Output, done: Set<string>): Value {
  if (!decl.value) {
    equation(body, flat.lets, name, done);
    return body.translate({ kind: 'name', name, span: decl.name.span });
  }
  equationsOf(body, flat.lets, decl.value, done);
  const { value: expr } = decl;
  return body.within(file, () => {
    body.run([{ kind: 'let', docs: [], name: decl.name, value: expr, span: expr.span }]);
    return body.translate({ kind: 'name', name, span: decl.name.span });
  });
}
