import type { Span } from '../../../grammar/span.ts';
import type { Attribute, Expr, FieldMember, ModuleMember, Param } from '../../../grammar/tree.ts';
import * as dims from '../../dims/dim.ts';
import type { Asked } from '../context/asked.ts';
import { type Context, reading } from '../context/context.ts';
import type { Given, Instance, Opened, Overrides, Read, Val } from '../context/elaborated.ts';
import { childPath, childSource, isWithin, itemPlace, type Place } from '../context/paths.ts';
import { DimScope, fileScope, type Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { asInt, error, namesOf } from '../context/values.ts';
import { fitStatic } from '../eval/arguments.ts';
import { evaluate } from '../eval/evaluate.ts';
import { evaluateInit } from '../eval/initialise.ts';
import { resolveType } from '../eval/signature.ts';
import { failCircle } from '../report/circle.ts';
import { fail } from '../report/report.ts';
import { instantiate } from './construct.ts';
import { mayReadOverrides, newInstance, noteTraining } from './instance.ts';
import { opened } from './opened.ts';
import { listOverrides, merged, refuseInside, stepText } from './overrides.ts';
import { slotOf } from './slots.ts';

export function moduleScope(context: Context, instance: Instance): Scope {
  return fileScope(context, instance.file, {
    owner: undefined,
    self: instance,
    member: (name) => staticMember(context, instance, name),
    memberNames: () => namesOf(instance),
    later: (name) => weightNamed(instance, name),
  });
}

/** Describes a weight or buffer of the module for messages; undefined for other names. */
export function weightNamed({ declared: { members } }: Instance, name: string): string | undefined {
  const kind = members.get(name)?.kind;
  return kind === 'param' ? `the weight ${name}` : kind === 'buffer' ? `the buffer ${name}` : undefined;
}

/** Returns a parameter, static, part or method, evaluated on first use, and records the read. */
export function staticMember(context: Context, instance: Instance, name: string): Val | undefined {
  const value = madeMember(context, instance, name);
  // Own methods and missing members follow from the declaration and are the same for every instance, so they are not
  // recorded.
  if (value === undefined || (value.kind === 'method' && value.instance === instance)) return value;
  context.reads.push({ kind: 'member', instance, name, value });
  return value;
}

/** Like `staticMember`, without recording the read: for comparing instances. */
export function madeMember(context: Context, instance: Instance, name: string): Val | undefined {
  const known = instance.statics.get(name) ?? instance.fields.get(name);
  if (known) return known;
  const { methods, params, members } = instance.declared;
  const method = methods.get(name);
  if (method) return { kind: 'method', instance, method };
  const param = params.get(name);
  const member = members.get(name);
  const make = param
    ? (inner: Context) => paramValue(inner, instance, param)
    : member?.kind === 'static'
      ? (inner: Context) => staticValue(inner, instance, member)
      : member?.kind === 'field'
        ? (inner: Context) => fieldValue(inner, instance, member)
        : undefined;
  if (!make) return undefined;
  const { budget, asked } = context.run;
  const waiting = instance.busy.findIndex((one) => one.name === name);
  if (waiting >= 0) return failCircle(context, circleFrom(context, instance, waiting), nameIn(instance, name));
  instance.busy.push({ name, asked: asked.length });
  const before = budget.steps;
  const reads: Read[] = [];
  const value = make(reading(context, reads));
  noteTraining(context, reads);
  if (reads.length > 0 && mayReadOverrides(instance)) instance.madeFrom.push([name, reads]);
  if (instance.counted) budget.steps = before;
  instance.busy.pop();
  if (member?.kind === 'field') instance.fields.set(name, value);
  else instance.statics.set(name, value);
  return value;
}

/** The circular dependency: lines of models if it passes through any, otherwise members of one module. */
function circleFrom({ run }: Context, instance: Instance, at: number): readonly Asked[] {
  const through = run.asked.slice(instance.busy[at]?.asked);
  if (through.length > 0) return through;
  return instance.busy.slice(at).map(({ name }) => ({ name, span: nameIn(instance, name), nearness: undefined }));
}

/** The span of the name in the declaration of a parameter, static or part. */
function nameIn({ decl, declared: { params, members } }: Instance, name: string): Span {
  return (params.get(name) ?? members.get(name) ?? decl).name.span;
}

/**
 * Returns all members of an instance, including parts that nothing has used, in declaration order: fields, then
 * statics.
 */
export function allMembers(context: Context, instance: Instance): readonly Val[] {
  const { params, members } = instance.declared;
  const made = (name: string) => madeMember(context, instance, name) ?? error;
  const kinds = (kind: ModuleMember['kind']) => [...members.values()].filter((one) => one.kind === kind);
  return [
    ...kinds('field').map((one) => made(one.name.name)),
    ...[...params.keys()].map(made),
    ...kinds('static').map((one) => made(one.name.name)),
  ];
}

/** Returns the parts that an instance owns, by name, in declaration order: slots, then fields. */
export function partsOf(context: Context, instance: Instance): ReadonlyMap<string, Val> {
  const { params, members } = instance.declared;
  const parts = new Map<string, Val>();
  for (const name of [...params.keys(), ...members.keys()]) {
    if (members.get(name)?.kind === 'static') continue;
    const value = madeMember(context, instance, name);
    if (value && holdsOwn(value, instance)) parts.set(name, value);
  }
  return parts;
}

function holdsOwn(value: Val, owner: Instance): boolean {
  if (value.kind === 'list') return value.items.some((item) => holdsOwn(item, owner));
  return value.kind === 'instance' && isWithin(value.instance.path, owner.path);
}

function paramValue(context: Context, instance: Instance, param: Param): Val {
  const name = param.name.name;
  const scope = moduleScope(context, instance);
  const override = instance.overrides?.below.get(name);
  const { slot, holes } = slotOf(param, instance.file);
  const whole = instance.args.has(name) ? undefined : param.value;
  const open = slot && !holes ? memberOpened(instance, scope, whole, override) : undefined;
  const given =
    open?.given ?? override?.line?.given(instance.shadow) ?? instance.args.get(name) ?? defaultOf(scope, param);
  if (!given)
    return fail(
      scope,
      'CROB2010',
      instance.span,
      { name, callee: instance.decl.name.name },
      { notes: [{ span: param.name.span, text: 'declared here, without a default' }] },
    );
  const fitted = fitStatic(scope, given.value, param.type, given.span, param.name.span, instance.file);
  if (!fitted) return error;
  if (!slot || holes) {
    if (override && override.below.size > 0) overrideInSpec(context, instance, override, name);
    return fitted;
  }
  const at = { path: childPath(instance.path, name), source: childSource(instance.source, name) };
  return place(context, { value: fitted, span: given.span }, at, over(open?.args, override), instance.shadow);
}

/** In a shadow, the arguments of parts are evaluated lazily. */
function memberOpened(
  { shadow }: Instance,
  scope: Scope,
  declared: Expr | undefined,
  override: Overrides | undefined,
): Opened | undefined {
  if (!shadow) return undefined;
  if (override?.line) return override.line.opened();
  return declared && opened({ scope, nearness: -1, ask: (_, __, work) => work() }, declared);
}

/** Merges override lines over arguments; lines take precedence. */
export function over(args: Overrides | undefined, lines: Overrides | undefined): Overrides | undefined {
  return args && lines ? merged(args, lines) : (lines ?? args);
}

function overrideInSpec(context: Context, instance: Instance, override: Overrides, name: string): void {
  for (const [step, node] of override.below) {
    const part = fieldNamedInFiles(instance, `${name}.${step}`);
    const help = part
      ? `\`${name}.${step}\` is its name in weights files; the part is \`${instance.source}.${part}[${step}]\``
      : `give the whole value instead: \`${childSource(instance.source, name)} = …\``;
    fail({ context }, 'CROB2301', node.span, { name: stepText(step), what: `the parameter ${name}` }, { help });
  }
}

/** Finds the list of parts whose items have such names in weights files, from its `@path` alone; constructs nothing. */
function fieldNamedInFiles({ declared }: Instance, written: string): string | undefined {
  for (const member of declared.members.values()) {
    if (member.kind !== 'field') continue;
    const template = member.attributes.find((one) => one.name.name === 'path')?.args[0]?.value;
    if (template?.kind !== 'string' || !template.value.includes('{i}')) continue;
    const [before, after] = [
      template.value.slice(0, template.value.indexOf('{i}')),
      template.value.split('{i}').at(-1)!,
    ];
    const middle = written.slice(before.length, written.length - after.length);
    if (written === `${before}${middle}${after}` && /^(\d+|\*)$/.test(middle)) return member.name.name;
  }
  return undefined;
}

function defaultOf(scope: Scope, { type, value }: Param): Given | undefined {
  if (!value) return undefined;
  const isInit = type.kind === 'named-type' && type.name.name === 'init';
  return { value: isInit ? evaluateInit(scope, value) : evaluate(scope, value), span: value.span };
}

function staticValue(context: Context, instance: Instance, member: Extract<ModuleMember, { kind: 'static' }>): Val {
  const scope = moduleScope(context, instance);
  const value = member.value ? evaluate(scope, member.value) : error;
  if (value.kind === 'error' || !member.type) return value;
  return (
    fitStatic(
      scope,
      value,
      member.type,
      member.value?.span ?? member.span,
      member.span,
      instance.file,
      'declared here',
    ) ?? error
  );
}

function fieldValue(context: Context, instance: Instance, member: FieldMember): Val {
  const { name } = member.name;
  const written = instance.overrides?.below.get(name);
  const scope = moduleScope(context, instance);
  const open = memberOpened(instance, scope, member.value, written);
  const override = over(open?.args, written);
  const given = open?.given ??
    written?.line?.given(instance.shadow) ?? { value: evaluate(scope, member.value), span: member.value.span };
  // There is no list for which `@path` could number it.
  if (given.value.kind === 'error') return error;
  const source = childSource(instance.source, name);
  const pathFor = (i: number | undefined) => fieldPath(context, instance, name, member.attributes, i);
  const { value, span } = given;
  if (value.kind === 'list') {
    const { items } = value;
    const overrides = listOverrides(override, items.length, context);
    return {
      kind: 'list',
      items: items.map((item, i) =>
        place(
          context,
          { value: item, span },
          { path: pathFor(i), source: `${source}[${i}]` },
          overrides(i),
          instance.shadow,
        ),
      ),
    };
  }
  if (isPart(value)) return place(context, given, { path: pathFor(undefined), source }, override, instance.shadow);
  return fail(
    scope,
    'CROB2201',
    span,
    { expected: partKinds, actual: describe(value) },
    written
      ? { notes: [{ span: member.name.span, text: `\`${name}\` is declared here` }] }
      : { help: `a value that is no module is a \`static ${name} = …\`` },
  );
}

/** The kinds of value that a part can have, for messages. */
export const partKinds = 'a module, a list of modules, or none';

export function isPart({ kind }: Val): boolean {
  return kind === 'spec' || kind === 'instance' || kind === 'list' || kind === 'none' || kind === 'error';
}

/**
 * Turns a value into a part: a spec is constructed; an existing instance is shared and keeps its path. Parts of a
 * shadow are shadows.
 */
export function place(
  context: Context,
  written: Given,
  at: Place,
  overrides: Overrides | undefined,
  shadow: boolean,
): Val {
  const open = shadow ? overrides?.line?.opened() : undefined;
  const { value, span } = open?.given ?? overrides?.line?.given(shadow) ?? written;
  if (open?.args) overrides = over(open.args, overrides);
  if (value.kind === 'spec') {
    if (shadow) return { kind: 'instance', instance: newInstance(context, value.spec, at, { overrides, shadow }) };
    const made = instantiate(context, value.spec, at, overrides);
    return made ? { kind: 'instance', instance: made } : error;
  }
  if (value.kind === 'list') {
    const { items } = value;
    const below = listOverrides(overrides, items.length, context);
    return {
      kind: 'list',
      items: items.map((item, i) => place(context, { value: item, span }, itemPlace(at, i), below(i), shadow)),
    };
  }
  if (value.kind === 'instance' && value.instance.shadow && !shadow)
    return fail({ context }, 'CROB2315', span, { path: value.instance.source });
  if (overrides) refuseInside(context, value, at, overrides);
  if (isPart(value)) return value;
  return fail({ context }, 'CROB2201', span, { expected: partKinds, actual: describe(value) });
}

/**
 * Returns the path of a field or weight in checkpoints, which `@path("norm{i}")` can change; `{i}` is the index in
 * its list, other names are statics.
 */
export function fieldPath(
  context: Context,
  instance: Instance,
  name: string,
  attributes: readonly Attribute[],
  i: number | undefined,
): string {
  const attribute = attributes.find((a) => a.name.name === 'path');
  if (!attribute) return childPath(childPath(instance.path, name), i === undefined ? '' : String(i));
  const template = attribute.args[0]?.value;
  if (template?.kind !== 'string') {
    fail({ context }, 'CROB2201', attribute.span, {
      expected: 'a string, such as @path("norm{i}")',
      actual: 'something else',
    });
    return childPath(instance.path, name);
  }
  const text = pathText(context, attribute, template.value, i, (word) => staticMember(context, instance, word));
  const joined = childPath(instance.path, text);
  return i !== undefined && !template.value.includes('{i}') ? childPath(joined, String(i)) : joined;
}

/** Returns the text of a `@path` with its names filled in: `{i}`, and static ints and strings from `lookup`. */
export function pathText(
  context: Context,
  attribute: Attribute,
  template: string,
  i: number | undefined,
  lookup: (name: string) => Val | undefined,
): string {
  // Whatever else stands in braces, such as `{i+1}`, or a brace alone, would be a part of the name without a message.
  return template.replace(/\{([^{}]*)\}|[{}]/g, (whole, word: string | undefined) => {
    if (word === 'i' && i !== undefined) return String(i);
    const value = word === undefined ? undefined : lookup(word);
    const n = asInt(value);
    if (n !== undefined) return String(n);
    if (value?.kind === 'string') return value.value;
    const help = '{i} is the place in the list; other names are static ints and strings';
    fail({ context }, 'CROB2001', attribute.span, { name: word ?? whole }, { help });
    return whole;
  });
}

/** Returns a member for use in a method: also weights and buffers, which are placed in the graph on first use. */
export function readMember(scope: Scope, context: Context, instance: Instance, name: string): Val | undefined {
  const found = staticMember(context, instance, name);
  if (found) return found;
  const declared = instance.declared.members.get(name);
  if (declared?.kind !== 'param' && declared?.kind !== 'buffer') return undefined;
  if (scope.self !== instance) return undefined;
  // The caller reports this: see `later` of `Scope`.
  if (!scope.graph) return undefined;
  const { build, weights } = scope.graph;
  const placed = weights.get(name);
  if (placed) return { kind: 'tensor', value: placed };
  // An upper-case name here would be a dim of an input; it is reported below.
  const inner: Scope = { ...moduleScope(context, instance), graph: scope.graph, dims: new DimScope(true) };
  const type = resolveType(inner, declared.type, new Map());
  if (type?.kind !== 'tensor') return error;
  const symbolic = type.type.shape.find((d) => dims.asConstant(d) === undefined);
  if (symbolic) return fail(scope, 'CROB2118', declared.type.span, { name, dim: dims.print(symbolic) });
  const initial = declared.kind === 'param' ? declared.init : declared.value;
  const init: Val = initial ? evaluateInit(inner, initial) : { kind: 'init', init: { name: 'zeros', args: {} } };
  if (init.kind !== 'init') {
    if (init.kind === 'error') return error;
    const help = 'such as zeros, ones, normal(std = 0.02)';
    return fail(scope, 'CROB2217', initial?.span ?? declared.span, { name: describe(init) }, { help });
  }
  const has = (text: string) => declared.attributes.some((a) => a.name.name === text);
  const saved = build.origin;
  build.origin = { span: declared.span, path: '', label: `weight ${name}` };
  const absolute = fieldPath(context, instance, name, declared.attributes, undefined);
  const value = build.weight(
    {
      path: instance.path === '' ? absolute : absolute.slice(instance.path.length + 1),
      role: declared.kind,
      init: init.init,
      decay: declared.kind === 'param' && !has('no_decay'),
      keepF32: has('f32'),
    },
    type.type,
  );
  build.origin = saved;
  weights.set(name, value);
  return { kind: 'tensor', value };
}
