import type { Span } from '../../grammar/span.ts';
import type { Dim } from '../dims/dim.ts';
import type { Body } from './body.ts';
import { axisWord, provenance, showShape } from './provenance.ts';
import { counted, fail, requireEqual, showType } from './report.ts';
import type { GraphType } from './template.ts';
import { describe, error, type Val } from './values.ts';

/** The returned value against the declared type; shapes must be proved equal. */
export function fitResult(body: Body, value: Val, type: GraphType, span: Span, what: string): Val {
  if (value.kind === 'error') return error;
  if (type.kind === 'list' && value.kind === 'list') {
    if (value.items.length !== type.items.length) {
      return fail(body, 'CROB2102', span, {
        what,
        expected: counted(type.items.length, 'tensor'),
        actual: String(value.items.length),
      });
    }
    return {
      kind: 'list',
      items: value.items.map((item, i) => fitResult(body, item, type.items[i]!, span, `${what}[${i}]`)),
    };
  }
  if (type.kind === 'tuple' && value.kind === 'tuple') {
    const items = new Map<string, Val>();
    for (const [name, item] of type.items) {
      const given = value.items.get(name);
      if (!given) return fail(body, 'CROB2005', span, { name, what });
      items.set(name, fitResult(body, given, item, span, `${what}.${name}`));
    }
    return { kind: 'tuple', items };
  }
  if (type.kind !== 'tensor' || value.kind !== 'tensor') {
    return fail(body, 'CROB2201', span, {
      expected: `${type.kind === 'tensor' ? 'a tensor' : `a ${type.kind}`} as ${what}`,
      actual: describe(value),
    });
  }
  const actual = value.value.type;
  if (actual.dtype !== type.type.dtype) {
    return fail(
      body,
      'CROB2103',
      span,
      { what: `give this as ${what}`, left: showType(actual, body.facts), right: showType(type.type, body.facts) },
      {
        help: conversion(actual.dtype, type.type.dtype, shortText(body, span)),
      },
    );
  }
  const sameRank = actual.shape.length === type.type.shape.length;
  const proved = (d: Dim, i: number) => body.facts.proves({ kind: 'eq', left: d, right: type.type.shape[i]! });
  if (sameRank && actual.shape.every(proved)) return value;
  const tensors = [{ name: 'value   ', value: value.value }];
  const declared = `declared : ${showShape(type.type, body.facts)}`;
  if (actual.shape.length !== type.type.shape.length) {
    return fail(
      body,
      'CROB2102',
      span,
      { what, expected: counted(type.type.shape.length, 'axis'), actual: String(actual.shape.length) },
      {
        details: [...provenance(body, tensors), declared],
      },
    );
  }
  // Two axes that changed places are one finding.
  const failed = new Set<string>();
  const same = actual.shape.map((d, i) => {
    const wanted = type.type.shape[i]!;
    const pair = [d.key, wanted.key].sort().join();
    if (failed.has(pair)) return false;
    const failing = `${what} is not as declared: ${axisWord(actual.shape, i, d, wanted)}`;
    const holds = requireEqual(body, d, wanted, span, failing, { tensors, details: [declared] });
    if (!holds) failed.add(pair);
    return holds;
  });
  return same.every((one) => one) ? value : error;
}

function shortText(body: Body, span: Span): string {
  const text = body.session.program.text(span);
  return text.length > 24 || text.includes('\n') ? '…' : text;
}

/** No dtype turns into another by itself; those inside a graph have functions that do it. */
export function conversion(from: string, to: string, name: string): string | undefined {
  return from !== to && ['f32', 'i32', 'bool'].includes(to) ? `convert it: ${to}(${name})` : undefined;
}
