import type { Span } from '../../../grammar/span.ts';
import { isBeyond } from '../../dims/clause.ts';
import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import type { CallArgs, GraphScope, Scope } from '../context/scope.ts';
import {
  type Call,
  type Condition,
  flatten,
  flattenType,
  mapTypes,
  type Template,
  unflatten,
} from '../context/template.ts';
import { error, type Given, type Val } from '../context/values.ts';
import { conversion } from '../eval/fit-result.ts';
import { requireRows } from '../eval/row-numbers.ts';
import { isDimType, substituteClause } from '../eval/signature.ts';
import { calleeSite, definitions } from '../report/definitions.ts';
import { axisWord, provenance } from '../report/provenance.ts';
import {
  argText,
  beyondIntegers,
  clausesText,
  counted,
  fail,
  failing,
  knownBeside,
  requireEqual,
  requireSize,
  settledIn,
  settlingOf,
  shownClause,
  showType,
} from '../report/report.ts';
import { swapHelp, swappedWith } from '../report/swapped.ts';
import { type Callee, placeOf } from './callee.ts';

/** Holds the arguments against the signature; the results are placeholders of the declared types. */
export function passArguments(
  scope: GraphScope,
  callee: Callee,
  template: Template,
  given: ReadonlyMap<string, Given>,
  args: CallArgs,
  span: Span,
): Val {
  const bound = new Map<string, Dim>();
  /** The argument that each dim has its size from. */
  const boundBy = new Map<string, { readonly name: () => string; readonly value: Value }>();
  const passed: { readonly value: Value; readonly name: () => string; readonly span: Span }[] = [];
  const checks: {
    declared: Dim;
    shape: readonly Dim[];
    actual: Dim;
    axis: number;
    part: string;
    value: Value;
    name: () => string;
    span: Span;
    param: Span;
  }[] = [];
  for (const param of callee.params) {
    if (!isDimType(param.type)) continue;
    const { value, span: at } = given.get(param.name.name)!;
    if (!bindDims(scope, value, param.name.name, bound, at)) return error;
  }
  for (const param of template.params) {
    const { value, span: at } = given.get(param.name)!;
    const name = () => argText(scope, args.source.find((a) => a.value.span === at)?.value);
    const types = flattenType(param.type, param.name);
    const tensors = flatten(value);
    if (types.length !== tensors.length) {
      return fail(
        scope,
        'CROB2102',
        at,
        {
          what: `\`${param.name}\` of ${callee.what}`,
          expected: counted(types.length, 'tensor'),
          actual: String(tensors.length),
        },
        {
          notes: declaredAt(param.span),
        },
      );
    }
    for (let i = 0; i < types.length; i++) {
      const [declared, actual] = [types[i], tensors[i]];
      if (!declared || !actual) continue;
      const { name: part, type } = declared;
      passed.push({ value: actual, name, span: at });
      if (actual.type.dtype !== type.dtype) {
        return fail(
          scope,
          'CROB2103',
          at,
          {
            what: `pass \`${name()}\` as \`${part}\` of ${callee.what}`,
            left: showType(actual.type, scope.facts),
            right: type.dtype,
          },
          {
            notes: declaredAt(param.span),
            help: conversion(actual.type.dtype, type.dtype, name()),
          },
        );
      }
      if (actual.type.shape.length !== type.shape.length) {
        return fail(
          scope,
          'CROB2102',
          at,
          {
            what: `\`${part}\` of ${callee.what}`,
            expected: counted(type.shape.length, 'axis'),
            actual: String(actual.type.shape.length),
          },
          {
            notes: declaredAt(param.span),
            details: [...provenance(scope, [{ name: name(), value: actual }])],
          },
        );
      }
      for (let axis = 0; axis < type.shape.length; axis++) {
        const declared = type.shape[axis];
        const size = actual.type.shape[axis];
        if (!declared || !size) continue;
        const variable = dims.asVariable(declared);
        if (variable && !bound.has(variable)) {
          bound.set(variable, size);
          boundBy.set(variable, { name, value: actual });
        } else
          checks.push({
            declared,
            shape: type.shape,
            actual: size,
            axis,
            part,
            value: actual,
            name,
            span: at,
            param: param.span,
          });
      }
    }
  }
  // Each that fails is a finding of its own.
  let sound = true;
  const reported: (typeof checks)[number][] = [];
  for (const check of checks) {
    const expected = dims.substitute(check.declared, bound);
    if (scope.facts.proves({ kind: 'eq', left: check.actual, right: expected })) continue;
    const actual = check.value.type.shape;
    const wanted = check.shape.map((d) => dims.substitute(d, bound));
    // Two axes that changed places are one finding.
    const other = swappedWith(actual, wanted, check.axis);
    if (reported.some((one) => one.value === check.value && one.part === check.part && one.axis === other)) continue;
    reported.push(check);
    const name = check.name();
    const what = `cannot pass \`${name}\` as \`${check.part}\` of ${callee.what}: ${axisWord(check.value.type.shape, check.axis, check.actual, expected)}`;
    const others = [...dims.variables(check.declared)].flatMap((variable) => {
      const other = boundBy.get(variable);
      return other ? [{ name: other.name(), value: other.value }] : [];
    });
    const tensors = [{ name, value: check.value }, ...others];
    if (
      !requireEqual(scope, check.actual, expected, check.span, what, {
        tensors,
        notes: declaredAt(check.param),
        from:
          dims.asVariable(check.declared) === undefined ? [calleeSite(scope, span, callee.self, [check.param])] : [],
        help: swapHelp(actual, wanted, check.axis),
      })
    )
      sound = false;
  }
  if (!sound) return error;
  for (const condition of template.where) if (!requireWhere(scope, callee, condition, bound, span)) sound = false;
  if (!sound) return error;
  for (const { placeholder, rows, span: taken } of template.body.rowNumbers) {
    const argument = passed[placeholder];
    if (!argument) continue;
    const { value: index, name, span: at } = argument;
    const place = {
      span: at,
      name,
      tensors: () => [{ name: name(), value: index }],
      notes: taken ? [{ span: taken, text: 'rows are taken here' }] : [],
    };
    if (!requireRows(scope, { index, rows: dims.substitute(rows, bound) }, place)) sound = false;
  }
  if (!sound) return error;
  const { build, calls } = scope.graph;
  const results: Value[] = [];
  const type = mapTypes(template.result, (t) => ({
    dtype: t.dtype,
    shape: t.shape.map((d) => dims.substitute(d, bound)),
  }));
  const at = build.nodes.length;
  const value = unflatten(type, (t) => {
    build.origin = { span, path: '', label: callee.what };
    const placeholder = build.input(`call ${calls.length}.${results.length}`, t);
    results.push(placeholder);
    return placeholder;
  });
  const place = placeOf(scope, callee.self);
  const made: Call = {
    template,
    path: place.path,
    absolute: place.absolute,
    dims: bound,
    args: passed.map((one) => one.value),
    results,
    span,
    at,
  };
  calls.push(made);
  return value;
}

function bindDims(scope: Scope, value: Val, name: string, into: Map<string, Dim>, span: Span): boolean {
  if (value.kind === 'none') return true;
  if (value.kind === 'list') return value.items.every((item, i) => bindDims(scope, item, `${name}[${i}]`, into, span));
  if (value.kind !== 'dim') return false;
  if (!requireSize(scope, value.dim, span, () => name)) return false;
  into.set(name, value.dim);
  return true;
}

/** A failed `where` blames the caller. */
function requireWhere(
  scope: Scope,
  callee: Callee,
  condition: Condition,
  bound: ReadonlyMap<string, Dim>,
  span: Span,
): boolean {
  const clause = substituteClause(condition.clause, bound);
  const answer = scope.facts.holds(clause);
  if (answer.answer === 'proved' || condition.atSizes) return true;
  if (isBeyond(clause)) return beyondIntegers(scope, span);
  // One that the callee is only tried out with has no text.
  const isStated = condition.span !== callee.span;
  const text = isStated ? scope.context.run.program.text(condition.span) : clausesText([condition.clause]);
  const details = [
    `here it reads ${shownClause(scope.facts, clause)}`,
    ...knownBeside(scope.facts, clause),
    ...failing(answer),
    ...definitions(scope, [calleeSite(scope, span, callee.self, [condition.span])]),
  ];
  fail(
    scope,
    answer.answer === 'refuted' ? 'CROB2108' : 'CROB2109',
    span,
    { callee: callee.what, clause: text },
    {
      notes: [
        { span: condition.span, text: isStated ? 'required here' : 'needs this condition, and does not state it' },
      ],
      details,
      ...settledIn(scope, settlingOf(scope.facts, clause)),
    },
  );
  return false;
}

function declaredAt(span: Span): { span: Span; text: string }[] {
  return [{ span, text: 'the parameter is declared here' }];
}
