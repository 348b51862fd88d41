import type { Expr, InterfaceDecl, ModuleDecl, ModuleMember } from '../../../grammar/tree.ts';
import { nodesBelow } from '../../../grammar/within.ts';
import type { FileScope, Found } from '../../elaborate/source/file-scope.ts';
import { Body } from './body.ts';
import { translateField } from './fields.ts';
import { guardOf, joinGuarded } from './guards.ts';
import { initialTensor } from './initial.ts';
import { given, type Kind, parameterType, resultType, tensor } from './kinds.ts';
import { memberName } from './names.ts';
import { writeParams } from './parameters.ts';
import { assign, atom, attribute, call, type Py, type PyStatement, stringLiteral } from './python/tree.ts';
import type { Changes, ClassInfo, Package, Signature, Value } from './scope.ts';
import {
  checks,
  deviceOf,
  dimStatements,
  docstring,
  interfacesAround,
  pythonParams,
  resultsOf,
  shapeComment,
  signatureOf,
  typeScope,
} from './signatures.ts';
import { dimSources, kindOf, parameterKind } from './types.ts';

type Owner = Found & { readonly decl: ModuleDecl | InterfaceDecl };

/** The members of a class as they become known. */
export interface Members {
  readonly kinds: Map<string, Kind>;
  /** Parameters that methods or other classes read, which the class keeps as attributes. */
  readonly stored: Set<string>;
  /** The first weight, which tells the device where no argument does. */
  weight: string | undefined;
}

export interface TranslatedClass {
  readonly info: ClassInfo;
  /** The class; called when everything is translated, as other classes may read its parameters. */
  readonly finished: () => PyStatement;
}

/** Translates a module or interface. `begun` is called before its inside is translated. */
export function translateClass(
  pack: Package,
  owner: Owner,
  { name, version }: { readonly name: string; readonly version: string },
  changes: Changes | undefined,
  begun: (info: ClassInfo) => void,
): TranslatedClass {
  const { decl, file } = owner;
  const members: Members = { kinds: new Map(), stored: new Set(), weight: undefined };
  const signatures = new Map<string, Signature | undefined>();
  const method = (wanted: string): Signature | undefined => {
    if (!signatures.has(wanted)) signatures.set(wanted, signatureOf(pack, owner, wanted));
    return signatures.get(wanted);
  };
  const info: ClassInfo = {
    name,
    version,
    found: owner,
    member: (one) => memberKind(pack, owner, members, one),
    method,
  };
  begun(info);
  const bases = decl.implements.flatMap(({ name: base }): string[] => {
    const found = file.lookup(base);
    return found?.decl.kind === 'interface' ? [pack.classOf({ ...found, decl: found.decl }).name] : [];
  });
  const params = decl.params.map((one) => ({ decl: one, file }));
  const self = { method };
  const init = new Body({
    pack,
    file,
    self,
    member: (one) => ownMember(members, one),
    device: undefined,
    training: atom('self.training'),
    result: { kind: 'none' },
  });
  const written = decl.kind === 'module' ? writeParams(pack, init, params) : undefined;
  const conditions = init.apart(() => checks(init, decl.name.name, decl.where));
  const before = [...init.statements];
  const main = init.apart(() => {
    for (const member of inOrder(decl.members)) memberStatement(pack, init, member, decl, changes, members);
  });
  for (const key of changes?.below.keys() ?? [])
    if (!decl.members.some((one) => one.kind === 'field' && one.name.name === key))
      pack.refuse(changes?.span ?? decl.span, `change \`${key}\` of \`${decl.name.name}\``);
  for (const { name: param, kind } of written?.known ?? []) if (given(kind).kind === 'part') members.stored.add(param);
  const methods = decl.members.flatMap((member) =>
    member.kind === 'method' || member.kind === 'implementation'
      ? [translateMethod(pack, owner, member, method(member.name.name), members, self)]
      : [],
  );
  const promised = interfacesAround(owner).flatMap((one) =>
    one.decl.members.flatMap((member) => (member.kind === 'static' ? [member.name.name] : [])),
  );
  const finished = (): PyStatement => {
    const kept = (written?.known ?? []).filter(({ name: one }) => members.stored.has(one) || promised.includes(one));
    const inside = [
      ...before,
      ...conditions.value,
      ...kept.map(({ name: one, python }) => assign(`self.${memberName(one)}`, atom(python))),
      ...joinGuarded(main.statements),
    ];
    const body: PyStatement[] = [
      ...docstring(decl.docs, 4),
      ...pathsField(decl.members),
      ...declaredFields(pack, file, decl),
      ...(written && (inside.length > 0 || written.params.length > 0) ? [initDef(written.params, inside)] : []),
      ...methods,
    ];
    return { kind: 'class', name, bases: bases.length > 0 ? bases : ['nn.Module'], body };
  };
  return { info, finished };
}

export function initDef(
  params: Extract<PyStatement, { kind: 'def' }>['params'],
  inside: readonly PyStatement[],
): PyStatement {
  const start: PyStatement = { kind: 'expression', value: call('super().__init__', []) };
  return {
    kind: 'def',
    name: '__init__',
    self: true,
    params,
    result: 'None',
    body: [start, ...inside],
    keywordOnly: undefined,
  };
}

function memberKind(pack: Package, owner: Owner, members: Members, name: string): Kind | undefined {
  const known = members.kinds.get(name);
  if (known) return known;
  const { decl, file } = owner;
  const param = decl.params.find((one) => one.name.name === name);
  if (param) {
    members.stored.add(name);
    return parameterKind(typeScope(pack, file, [], ''), param);
  }
  for (const one of [owner, ...interfacesAround(owner)])
    for (const member of one.decl.members)
      if (member.kind === 'static' && member.name.name === name && member.type)
        return kindOf(typeScope(pack, one.file, [], ''), member.type);
  return undefined;
}

function ownMember(members: Members, name: string): Value | undefined {
  const kind = members.kinds.get(name);
  return kind && { py: attribute(atom('self'), memberName(name)), kind, any: false };
}

/** Statics and parts in an order in which each stands behind those that it reads. */
function inOrder(members: readonly ModuleMember[]): readonly ModuleMember[] {
  const byName = new Map(members.map((member) => [member.name.name, member]));
  const out: ModuleMember[] = [];
  const met = new Set<ModuleMember>();
  const visit = (member: ModuleMember): void => {
    if (met.has(member)) return;
    met.add(member);
    if (member.kind === 'method' || member.kind === 'implementation') return;
    for (const node of nodesBelow(member)) {
      const other = node.kind === 'name' ? byName.get(node.name) : undefined;
      if (other && other !== member) visit(other);
    }
    out.push(member);
  };
  for (const member of members) visit(member);
  return out;
}

function memberStatement(
  pack: Package,
  body: Body,
  member: ModuleMember,
  decl: ModuleDecl | InterfaceDecl,
  changes: Changes | undefined,
  members: Members,
): void {
  const name = member.name.name;
  const target = `self.${memberName(name)}`;
  switch (member.kind) {
    case 'static': {
      if (!member.value) {
        if (member.type) members.kinds.set(name, kindOf(typeScope(pack, body.file, [], ''), member.type));
        return;
      }
      const value = body.translate(member.value);
      members.kinds.set(name, value.kind);
      const annotation = () => (value.any ? resultType(value.kind) : undefined);
      body.emit({ kind: 'assign', target, annotation, value: value.py, comment: undefined });
      return;
    }
    case 'field': {
      const value = translateField(body, member.value, changes?.below.get(name));
      members.kinds.set(name, value.kind);
      body.emit(assign(target, inModuleList(value)));
      return;
    }
    case 'param': {
      const shape = shapeOf(body, member.type.shape);
      members.kinds.set(name, tensor('f32', shape.length));
      members.weight ??= memberName(name);
      const initial = initialTensor(body, member.init, shape);
      const given = assign(target, call('nn.Parameter', [initial]));
      const guard = guardOf(decl, name, ({ span }) => pack.text(span));
      if (!guard) body.emit(given);
      else {
        const absent = call('self.register_parameter', [stringLiteral(memberName(name)), atom('None')]);
        const otherwise: PyStatement = { kind: 'expression', value: absent };
        body.emit({ kind: 'if', test: body.translate(guard).py, then: [given], otherwise: [otherwise] });
      }
      return;
    }
    case 'buffer': {
      const shape = shapeOf(body, member.type.shape);
      members.kinds.set(name, tensor('f32', shape.length));
      members.weight ??= memberName(name);
      const initial = initialTensor(body, member.value, shape);
      const register = call('self.register_buffer', [stringLiteral(memberName(name)), initial]);
      body.emit({ kind: 'expression', value: register });
      return;
    }
    case 'method':
    case 'implementation':
      return;
  }
}

function shapeOf(body: Body, shape: Extract<ModuleMember, { kind: 'param' }>['type']['shape']): readonly Py[] {
  return shape.flatMap((item) => (item.kind === 'dim' ? [body.translate(item.value).py] : []));
}

/** Lists of parts are ModuleLists, so that PyTorch finds their weights. */
export function inModuleList({ py, kind }: Value): Py {
  const own = given(kind);
  return own.kind === 'list' && (given(own.of).kind === 'part' || given(own.of).kind === 'unknown')
    ? call('nn.ModuleList', [py])
    : py;
}

/** `paths`: the names of members in crob's files, where they differ. */
export function pathsField(
  members: readonly { readonly name: string; readonly path: Expr | undefined }[] | readonly ModuleMember[],
): readonly PyStatement[] {
  const entries = members.flatMap((member) => {
    const [name, path] =
      typeof member.name === 'string'
        ? [member.name, 'path' in member ? member.path : undefined]
        : [member.name.name, 'attributes' in member ? pathOf(member.attributes) : undefined];
    return path?.kind === 'string'
      ? [[memberName(name), path.value] as const]
      : memberName(name) === name || !('attributes' in member)
        ? []
        : [[memberName(name), name] as const];
  });
  if (entries.length === 0) return [];
  const items = entries.map(
    ([name, path]): Py => ({
      kind: 'pair',
      key: stringLiteral(name),
      value: stringLiteral(path),
    }),
  );
  return [
    {
      kind: 'assign',
      target: 'paths',
      annotation: () => 'ClassVar[dict[str, str]]',
      value: { kind: 'dict', items },
      comment: undefined,
    },
  ];
}

export function pathOf(
  attributes: readonly {
    readonly name: { readonly name: string };
    readonly args: readonly { readonly value: Expr }[];
  }[],
): Expr | undefined {
  return attributes.find((one) => one.name.name === 'path')?.args[0]?.value;
}

/** Buffers, and the statics of an interface: type checkers find them nowhere else. */
function declaredFields(pack: Package, file: FileScope, decl: ModuleDecl | InterfaceDecl): readonly PyStatement[] {
  return decl.members.flatMap((member): readonly PyStatement[] => {
    if (member.kind === 'buffer') return [{ kind: 'field', name: memberName(member.name.name), type: 'Tensor' }];
    if (member.kind !== 'static' || member.value || !member.type) return [];
    const type = parameterType(kindOf(typeScope(pack, file, [], ''), member.type));
    return [...docsComment(member.docs), { kind: 'field', name: memberName(member.name.name), type }];
  });
}

function docsComment(docs: readonly string[]): readonly PyStatement[] {
  return docs.map((text) => ({ kind: 'comment', text }));
}

function translateMethod(
  pack: Package,
  owner: Owner,
  member: Extract<ModuleMember, { kind: 'method' | 'implementation' }>,
  signature: Signature | undefined,
  members: Members,
  self: { readonly method: (name: string) => Signature | undefined },
): PyStatement {
  const name = member.name.name;
  if (!signature) {
    pack.refuse(member.span, `find the signature of \`${name}\``);
    return { kind: 'lines', lines: [] };
  }
  const { params } = signature;
  const named = pythonParams(params, (param) => parameterKind(typeScope(pack, param.file, params, ''), param.decl));
  const weight = members.weight === undefined ? undefined : attribute(atom(`self.${members.weight}`), 'device');
  const body = new Body({
    pack,
    file: owner.file,
    self,
    member: (one) => {
      const own = ownMember(members, one);
      if (own) return own;
      const kind = memberKind(pack, owner, members, one);
      if (!kind || given(kind).kind === 'init') return undefined;
      return { py: attribute(atom('self'), memberName(one)), kind, any: false };
    },
    device: deviceOf(named) ?? weight,
    training: atom('self.training'),
    result: signature.kind,
  });
  const written = writeParams(pack, body, params);
  body.withDims(new Set(dimSources(params).keys()));
  const conditions = body.within(signature.file, () =>
    body.apart(() => checks(body, owner.decl.name.name, signature.where)),
  );
  const before = [...body.statements];
  const block = member.body;
  const main = body.apart(() => {
    if (block) body.whole(block);
    else body.emit({ kind: 'raise', error: atom('NotImplementedError') });
  });
  return {
    kind: 'def',
    name: name === 'forward' ? name : memberName(name),
    self: true,
    params: written.params,
    keywordOnly: undefined,
    result: resultType(signature.kind),
    body: [
      ...docstring(member.docs, 8),
      ...shapeComment(pack, params, resultsOf(signature), 8),
      ...before,
      ...(block ? dimStatements(params, body.dims) : []),
      ...(block ? conditions.value : []),
      ...main.statements,
    ],
  };
}
