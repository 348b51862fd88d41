import type { Span } from '../../../grammar/span.ts';
import { isBeyond } from '../../dims/clause.ts';
import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import type { Call, Condition, Given, Template, Val } from '../context/elaborated.ts';
import type { CallArgs, GraphScope, Scope } from '../context/scope.ts';
import { flatten, flattenType, mapTypes, unflatten } from '../context/template.ts';
import { error } from '../context/values.ts';
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
import { type Callee, namesOfCall, placeOf } from './callee.ts';

/** A tensor passed for one placeholder of the template. */
interface Passed {
  readonly value: Value;
  /** Its name in messages. */
  readonly name: () => string;
  readonly span: Span;
}

/** An axis whose declared size is determined by other dims, so that the actual size must be proved equal. */
interface AxisCheck extends Passed {
  readonly declared: Dim;
  /** The complete declared shape. */
  readonly shape: readonly Dim[];
  readonly actual: Dim;
  readonly axis: number;
  readonly part: string;
  readonly param: Span;
}

/** The result of matching the arguments with the signature. */
interface Matching {
  readonly bound: Map<string, Dim>;
  /** The argument that determined the size of each dim. */
  readonly boundBy: Map<string, Pick<Passed, 'name' | 'value'>>;
  readonly passed: Passed[];
  readonly checks: AxisCheck[];
}

/** One call: its scope, callee and arguments. */
interface CallSite {
  readonly scope: GraphScope;
  readonly callee: Callee;
  readonly template: Template;
  readonly given: ReadonlyMap<string, Given>;
  readonly args: CallArgs;
  readonly span: Span;
}

/**
 * Checks the arguments against the signature and records the call; returns placeholders of the declared result
 * types.
 */
export function passArguments(
  scope: GraphScope,
  callee: Callee,
  template: Template,
  given: ReadonlyMap<string, Given>,
  args: CallArgs,
  span: Span,
): Val {
  const site: CallSite = { scope, callee, template, given, args, span };
  const matching = matched(site);
  if (!matching || !axesFit(site, matching)) return error;
  const kept = template.where.filter((condition) => requireWhere(scope, callee, condition, matching.bound, span));
  if (kept.length < template.where.length || !rowsExist(site, matching)) return error;
  return called(site, matching);
}

/**
 * Binds the dims of the signature. Undefined, after a report, if an argument has the wrong number of tensors or
 * axes, or the wrong dtype.
 */
function matched(site: CallSite): Matching | undefined {
  const { scope, callee, template, given } = site;
  const matching: Matching = { bound: new Map(), boundBy: new Map(), passed: [], checks: [] };
  for (const param of callee.params) {
    if (!isDimType(param.type)) continue;
    const { value, span: at } = given.get(param.name.name)!;
    if (!bindDims(scope, value, param.name.name, matching.bound, at)) return undefined;
  }
  return template.params.every((param) => matchParameter(site, param, matching)) ? matching : undefined;
}

function matchParameter(
  { scope, callee, given, args }: CallSite,
  param: Template['params'][number],
  matching: Matching,
): boolean {
  const { value, span } = given.get(param.name)!;
  const name = () => argText(scope, args.source.find((a) => a.value.span === span)?.value);
  const notes = () => declaredAt(param.span);
  const types = flattenType(param.type, param.name);
  const tensors = flatten(value);
  if (types.length !== tensors.length) {
    const what = `\`${param.name}\` of ${callee.what}`;
    const counts = { what, expected: counted(types.length, 'tensor'), actual: String(tensors.length) };
    fail(scope, 'CROB2102', span, counts, { notes: notes() });
    return false;
  }
  for (let i = 0; i < types.length; i++) {
    const [declared, actual] = [types[i], tensors[i]];
    if (!declared || !actual) continue;
    const { name: part, type } = declared;
    matching.passed.push({ value: actual, name, span });
    if (actual.type.dtype !== type.dtype) {
      const what = `pass \`${name()}\` as \`${part}\` of ${callee.what}`;
      const dtypes = { what, left: showType(actual.type, scope.facts), right: type.dtype };
      fail(scope, 'CROB2103', span, dtypes, {
        notes: notes(),
        help: conversion(actual.type, type, name()),
      });
      return false;
    }
    if (actual.type.shape.length !== type.shape.length) {
      const what = `\`${part}\` of ${callee.what}`;
      const counts = { what, expected: counted(type.shape.length, 'axis'), actual: String(actual.type.shape.length) };
      fail(scope, 'CROB2102', span, counts, {
        notes: notes(),
        details: [...provenance(scope, [{ name: name(), value: actual }])],
      });
      return false;
    }
    for (let axis = 0; axis < type.shape.length; axis++) {
      const [dim, size] = [type.shape[axis], actual.type.shape[axis]];
      if (!dim || !size) continue;
      const variable = dims.asVariable(dim);
      if (variable !== undefined && !matching.bound.has(variable)) {
        matching.bound.set(variable, size);
        matching.boundBy.set(variable, { name, value: actual });
        continue;
      }
      // A size identical to the declared one needs no proof.
      const wanted = variable === undefined ? dim : matching.bound.get(variable);
      const isFixed = variable !== undefined || dims.asConstant(dim) !== undefined;
      if (isFixed && wanted?.key === size.key) continue;
      const { shape } = type;
      matching.checks.push({
        declared: dim,
        shape,
        actual: size,
        axis,
        part,
        value: actual,
        name,
        span,
        param: param.span,
      });
    }
  }
  return true;
}

/** Checks the remaining axes; each mismatch is reported separately. */
function axesFit(site: CallSite, { bound, boundBy, checks }: Matching): boolean {
  const { scope, callee, span } = site;
  let sound = true;
  const reported: AxisCheck[] = [];
  for (const check of checks) {
    const expected = dims.substitute(check.declared, bound);
    if (scope.facts.proves({ kind: 'eq', left: check.actual, right: expected })) continue;
    const actual = check.value.type.shape;
    const wanted = check.shape.map((d) => dims.substitute(d, bound));
    // Two swapped axes are reported once.
    const other = swappedWith(actual, wanted, check.axis);
    if (reported.some((one) => one.value === check.value && one.part === check.part && one.axis === other)) continue;
    reported.push(check);
    const name = check.name();
    const what = `cannot pass \`${name}\` as \`${check.part}\` of ${callee.what}: ${axisWord(actual, check.axis, check.actual, expected)}`;
    const others = [...dims.variables(check.declared)].flatMap((variable) => {
      const source = boundBy.get(variable);
      return source ? [{ name: source.name(), value: source.value }] : [];
    });
    const isComputed = dims.asVariable(check.declared) === undefined;
    const fits = requireEqual(scope, check.actual, expected, check.span, what, {
      tensors: [{ name, value: check.value }, ...others],
      notes: declaredAt(check.param),
      from: isComputed ? [calleeSite(scope, span, callee.self, [check.param])] : [],
      help: swapHelp(actual, wanted, check.axis),
    });
    if (!fits) sound = false;
  }
  return sound;
}

/** Checks that tensors which the callee uses as row indices are in range. */
function rowsExist({ scope, template }: CallSite, { bound, passed }: Matching): boolean {
  let sound = true;
  for (const { placeholder, rows, span: taken } of template.body.rowNumbers) {
    const argument = passed[placeholder];
    if (!argument) continue;
    const { value: index, name, span } = argument;
    const place = {
      span,
      name,
      tensors: () => [{ name: name(), value: index }],
      notes: taken ? [{ span: taken, text: 'rows are taken here' }] : [],
    };
    if (!requireRows(scope, { index, rows: dims.substitute(rows, bound) }, place)) sound = false;
  }
  return sound;
}

/** Records the call; its results are placeholders until the model is flattened. */
function called({ scope, callee, template, span }: CallSite, { bound, passed }: Matching): Val {
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
  const { path, absolute } = placeOf(scope, callee.self);
  const args = passed.map((one) => one.value);
  const names = namesOfCall(scope, callee);
  const call: Call = { template, path, absolute, names, dims: bound, args, results, span, at };
  calls.push(call);
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

/** Checks a `where` condition of the callee; a failure is reported at the call. */
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
  // A condition that is only assumed on trial has no source text.
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
