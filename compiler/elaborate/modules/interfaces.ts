import type { InterfaceDecl, MethodMember } from '../../../grammar/tree.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { callMethod } from '../calls/methods.ts';
import type { Context } from '../context/context.ts';
import type { GraphType, Instance, Val } from '../context/elaborated.ts';
import { DimScope, fileScope, type Scope } from '../context/scope.ts';
import { namesOf } from '../context/values.ts';
import { fitStatic } from '../eval/arguments.ts';
import { resolveType } from '../eval/signature.ts';
import { standIns } from '../eval/stand-ins.ts';
import { counted, fail } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';
import { type InterfaceAt, interfacesOf } from '../source/interfaces-of.ts';
import { staticMember, weightNamed } from './members.ts';
import { methodOf } from './promises.ts';

/**
 * Checks that a module implements an interface: statics have the right types, and methods accept at least what the
 * interface passes and return what it declares. Methods with static parameters are checked with 0. False after a
 * report.
 */
export function checkInterface(context: Context, instance: Instance, { decl, file }: InterfaceAt): boolean {
  const name = instance.decl.name;
  let sound = true;
  for (const member of decl.members) {
    if (member.kind !== 'static') continue;
    const value = staticMember(context, instance, member.name.name);
    if (!value) {
      fail(
        { context },
        'CROB2218',
        name.span,
        { name: name.name, interface: decl.name.name, missing: `the static \`${member.name.name}\`` },
        {
          notes: [{ span: member.span, text: 'declared by the interface here' }],
        },
      );
      sound = false;
    } else if (member.type && value.kind !== 'error') {
      const own = instance.decl.members.find((m) => m.kind === 'static' && m.name.name === member.name.name);
      const span = own?.kind === 'static' ? (own.value?.span ?? own.span) : name.span;
      if (
        !fitStatic(
          bodyFor(context, instance, file),
          value,
          member.type,
          span,
          member.span,
          file,
          'declared by the interface here',
        )
      )
        sound = false;
    } else if (value.kind === 'error') {
      sound = false;
    }
  }
  // Signatures refer to the statics, so they are checked once the statics are right. A method that an included
  // interface also has was checked there with the same signature.
  const included = interfacesOf(decl, file);
  if (sound)
    for (const member of decl.members)
      if (
        member.kind === 'method' &&
        !included.some((one) => methodOf(one.decl, member.name.name)) &&
        !checkMethod(context, instance, decl, file, member)
      )
        sound = false;
  return sound;
}

function bodyFor(context: Context, instance: Instance, file: FileScope): Scope {
  return {
    ...fileScope(context, file),
    member: (name) => staticMember(context, instance, name),
    memberNames: () => namesOf(instance),
    later: (name) => weightNamed(instance, name),
    dims: new DimScope(true),
  };
}

function checkMethod(
  context: Context,
  instance: Instance,
  decl: InterfaceDecl,
  file: FileScope,
  promised: MethodMember,
): boolean {
  const own = instance.declared.methods.get(promised.name.name);
  const name = instance.decl.name;
  if (!own) {
    fail(
      { context },
      'CROB2218',
      name.span,
      { name: name.name, interface: decl.name.name, missing: `the method \`${promised.name.name}\`` },
      {
        notes: [{ span: promised.name.span, text: 'declared by the interface here' }],
        help: `write it with that signature: \`${promised.name.name === 'forward' ? '' : 'method '}${promised.name.name} { … }\``,
      },
    );
    return false;
  }
  if (own.decl === promised || !promised.result) return true;
  const scope = bodyFor(context, instance, file);
  const args = standIns(scope, promised);
  if (!args) return false;
  const { inner } = args;
  inner.dims.open = false;
  const result = resolveType(inner, promised.result, args.types);
  if (!result) return false;
  const span = own.decl.name.span;
  const inside: Diagnostic[] = [];
  const trial: Scope = {
    ...inner,
    context: { ...context, report: (d) => (d.span === span ? inside.push(d) : context.report(d)) },
  };
  const value = callMethod(
    trial,
    instance,
    own,
    { positional: args.given.map((value) => ({ value, span })), named: new Map(), source: [] },
    span,
  );
  const reason = inside[0]?.message ?? (value.kind === 'error' ? undefined : firstMismatch(trial, value, result));
  if (reason === undefined) return value.kind !== 'error';
  fail(
    { context },
    'CROB2117',
    span,
    { name: name.name, interface: decl.name.name, method: promised.name.name, reason },
    {
      notes: [
        ...(inside[0]?.notes ?? []).slice(0, 2),
        { span: promised.name.span, text: 'declared by the interface here' },
      ],
      details: inside[0]?.details ?? [],
      help: inside.some(({ code }) => code === 'CROB2108' || code === 'CROB2109')
        ? withoutPromise(instance, decl)
        : undefined,
    },
  );
  return false;
}

/** Suggests where a module that is stricter than its interface can be used. */
function withoutPromise({ decl: { name }, source }: Instance, { name: promised }: InterfaceDecl): string {
  const left = `a module that needs more leaves out \`: ${promised.name}\``;
  return /^\w+$/.test(source)
    ? `${left}; ${inPlaceOf(source, name.name)}`
    : `${left} and is a part of its own, in no slot`;
}

/** Suggests how a variant can replace a slot whose interface is too narrow for a module. */
export function inPlaceOf(slot: string, module: string): string {
  return `in a variant, a module with other methods takes the place of the slot: \`without ${slot}\`, then \`${slot} = ${module}(…)\``;
}

function firstMismatch(scope: Scope, value: Val, type: GraphType): string | undefined {
  if (type.kind === 'list' && value.kind === 'list') {
    if (type.items.length !== value.items.length)
      return `it gives ${value.items.length} tensors, not ${type.items.length}`;
    for (const [i, item] of type.items.entries()) {
      const inner = firstMismatch(scope, value.items[i]!, item);
      if (inner) return inner;
    }
    return undefined;
  }
  if (type.kind === 'tuple' && value.kind === 'tuple') return undefined;
  if (type.kind !== 'tensor' || value.kind !== 'tensor') return `it gives ${value.kind}, not ${type.kind}`;
  const own = value.value.type;
  if (own.dtype !== type.type.dtype) return `it gives ${own.dtype}, not ${type.type.dtype}`;
  if (own.shape.length !== type.type.shape.length)
    return `it gives ${counted(own.shape.length, 'axis')}, not ${type.type.shape.length}`;
  const axis = own.shape.findIndex((d, i) => scope.facts.equal(d, type.type.shape[i]!).answer !== 'proved');
  return axis < 0
    ? undefined
    : `axis ${axis} of the result is ${scope.facts.show(own.shape[axis]!)}, not ${scope.facts.show(type.type.shape[axis]!)}`;
}
