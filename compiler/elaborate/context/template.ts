import { clauseKey } from '../../dims/facts.ts';
import type { Value } from '../../ir/graph.ts';
import type { TensorType } from '../../ir/types.ts';
import { everyPair } from '../../lists.ts';
import type { GraphType, Template, Val } from './elaborated.ts';
import { childSource } from './paths.ts';

/** Whether two templates have the same signature, so that callers cannot distinguish them. */
export function sameSignature(a: Template, b: Template): boolean {
  return (
    a.label === b.label &&
    a.span === b.span &&
    a.dimParams.join() === b.dimParams.join() &&
    everyPair(a.params, b.params, (one, other) => one.name === other.name && sameType(one.type, other.type)) &&
    sameType(a.result, b.result) &&
    everyPair(
      a.where,
      b.where,
      (one, other) => one.span === other.span && clauseKey(one.clause) === clauseKey(other.clause),
    )
  );
}

function sameType(a: GraphType, b: GraphType): boolean {
  if (a.kind === 'tensor' && b.kind === 'tensor') {
    return (
      a.type.dtype === b.type.dtype && everyPair(a.type.shape, b.type.shape, (one, other) => one.key === other.key)
    );
  }
  if (a.kind === 'list' && b.kind === 'list') return everyPair(a.items, b.items, sameType);
  if (a.kind === 'tuple' && b.kind === 'tuple') {
    return everyPair(
      [...a.items],
      [...b.items],
      ([name, type], [other, otherType]) => name === other && sameType(type, otherType),
    );
  }
  return a.kind === 'none' && b.kind === 'none';
}

/** Returns the tensors in a value, in order. */
export function flatten(value: Val, into: Value[] = []): Value[] {
  if (value.kind === 'tensor') into.push(value.value);
  else if (value.kind === 'list') for (const item of value.items) flatten(item, into);
  else if (value.kind === 'tuple') for (const item of value.items.values()) flatten(item, into);
  return into;
}

/** Returns the tensors in a value, in order, each with a name such as `maps[2]`. */
export function namedTensors(
  value: Val,
  name: string,
  into: { readonly name: string; readonly value: Value }[] = [],
): readonly { readonly name: string; readonly value: Value }[] {
  if (value.kind === 'tensor') into.push({ name, value: value.value });
  else if (value.kind === 'list')
    for (const [i, item] of value.items.entries()) namedTensors(item, `${name}[${i}]`, into);
  else if (value.kind === 'tuple')
    for (const [key, item] of value.items) namedTensors(item, childSource(name, key), into);
  return into;
}

/** Returns the tensor types in a signature type, in order, each with a name such as `maps[2]`. */
export function flattenType(type: GraphType, name: string, into: { name: string; type: TensorType }[] = []) {
  if (type.kind === 'tensor') into.push({ name, type: type.type });
  else if (type.kind === 'list') for (const [i, item] of type.items.entries()) flattenType(item, `${name}[${i}]`, into);
  else if (type.kind === 'tuple') for (const [key, item] of type.items) flattenType(item, `${name}.${key}`, into);
  return into;
}

/** Builds a value of the given type; `make` creates its tensors, in order. */
export function unflatten(type: GraphType, make: (type: TensorType) => Value): Val {
  switch (type.kind) {
    case 'tensor':
      return { kind: 'tensor', value: make(type.type) };
    case 'none':
      return { kind: 'none' };
    case 'list':
      return { kind: 'list', items: type.items.map((item) => unflatten(item, make)) };
    case 'tuple':
      return { kind: 'tuple', items: new Map([...type.items].map(([name, item]) => [name, unflatten(item, make)])) };
  }
}

export function mapTypes(type: GraphType, change: (type: TensorType) => TensorType): GraphType {
  switch (type.kind) {
    case 'tensor':
      return { kind: 'tensor', type: change(type.type) };
    case 'none':
      return type;
    case 'list':
      return { kind: 'list', items: type.items.map((item) => mapTypes(item, change)) };
    case 'tuple':
      return { kind: 'tuple', items: new Map([...type.items].map(([name, item]) => [name, mapTypes(item, change)])) };
  }
}
