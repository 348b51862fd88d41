import type { Span } from '../../../grammar/span.ts';
import type { Dim } from '../../dims/dim.ts';
import { pairs } from '../../lists.ts';
import type { GraphType, Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { error } from '../context/values.ts';
import { siteIn } from '../report/definitions.ts';
import { placeOf } from '../report/place.ts';
import { axisWord, provenance, showShape } from '../report/provenance.ts';
import { counted, fail, requireEqual, showType } from '../report/report.ts';
import { swapHelp } from '../report/swapped.ts';

/**
 * Checks a returned value against its declared type; shapes must be proved equal. `declared` is the span of the type
 * in the signature.
 */
export function fitResult(scope: Scope, value: Val, type: GraphType, span: Span, what: string, declared?: Span): Val {
  if (value.kind === 'error') return error;
  if (type.kind === 'list' && value.kind === 'list') {
    if (value.items.length !== type.items.length) {
      return fail(scope, 'CROB2102', span, {
        what,
        expected: counted(type.items.length, 'tensor'),
        actual: String(value.items.length),
      });
    }
    return {
      kind: 'list',
      items: pairs(value.items, type.items).map(([item, wanted], i) =>
        fitResult(scope, item, wanted, span, `${what}[${i}]`, declared),
      ),
    };
  }
  if (type.kind === 'tuple' && value.kind === 'tuple') {
    const items = new Map<string, Val>();
    for (const [name, item] of type.items) {
      const given = value.items.get(name);
      if (!given) return fail(scope, 'CROB2005', span, { name, what });
      items.set(name, fitResult(scope, given, item, span, `${what}.${name}`, declared));
    }
    return { kind: 'tuple', items };
  }
  if (type.kind !== 'tensor' || value.kind !== 'tensor') {
    return fail(scope, 'CROB2201', span, {
      expected: `${type.kind === 'tensor' ? 'a tensor' : `a ${type.kind}`} as ${what}`,
      actual: describe(value),
    });
  }
  const actual = value.value.type;
  if (actual.dtype !== type.type.dtype) {
    return fail(
      scope,
      'CROB2103',
      span,
      { what: `give this as ${what}`, left: showType(actual, scope.facts), right: showType(type.type, scope.facts) },
      {
        help: conversion(actual, type.type, shortText(scope, span)),
      },
    );
  }
  const sameRank = actual.shape.length === type.type.shape.length;
  const proved = ([left, right]: [Dim, Dim]) => scope.facts.proves({ kind: 'eq', left, right });
  if (sameRank && pairs(actual.shape, type.type.shape).every(proved)) return value;
  const tensors = [{ name: 'value   ', value: value.value }];
  const wanted = `declared : ${showShape(type.type, scope.facts)}`;
  if (actual.shape.length !== type.type.shape.length) {
    return fail(
      scope,
      'CROB2102',
      span,
      { what, expected: counted(type.type.shape.length, 'axis'), actual: String(actual.shape.length) },
      {
        details: [...provenance(scope, tensors), wanted],
      },
    );
  }
  const place = (one: Span) => placeOf(scope.context, one, '');
  const notes = declared && place(declared) !== place(span) ? [{ span: declared, text: 'declared here' }] : [];
  const from = declared ? [siteIn(scope, declared)] : [];
  // Two swapped axes are reported once.
  const failed = new Set<string>();
  const same = pairs(actual.shape, type.type.shape).map(([d, expected], i) => {
    const pair = [d.key, expected.key].sort().join();
    if (failed.has(pair)) return false;
    const failing = `${what} is not as declared: ${axisWord(actual.shape, i, d, expected)}`;
    const help = swapHelp(actual.shape, type.type.shape, i);
    const holds = requireEqual(scope, d, expected, span, failing, {
      tensors,
      details: [wanted],
      help,
      notes,
      from,
    });
    if (!holds) failed.add(pair);
    return holds;
  });
  return same.every((one) => one) ? value : error;
}

function shortText(scope: Scope, span: Span): string {
  const text = scope.context.run.program.text(span);
  return text.length > 24 || text.includes('\n') ? '…' : text;
}

/** What a conversion depends on: with another number of axes, the result would be refused for those. */
interface Converted {
  readonly dtype: string;
  readonly shape: { readonly length: number };
}

/** Suggests a conversion function between dtypes, as there are no implicit conversions; undefined if none would do. */
export function conversion(from: Converted, to: Converted, name: string): string | undefined {
  const possible = from.dtype !== to.dtype && ['f32', 'i32', 'bool'].includes(to.dtype);
  return possible && from.shape.length === to.shape.length ? `convert it: ${to.dtype}(${name})` : undefined;
}
