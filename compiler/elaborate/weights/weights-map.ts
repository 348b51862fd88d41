import type { Expr, WeightsDecl } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import { fileScope } from '../context/scope.ts';
import { asInt } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { FileScope, Found } from '../source/file-scope.ts';
import { choicesOf, hasOptional, holesOf, type NamePattern, namePattern } from '../source/name-pattern.ts';

/** A transformation from published tensors to weights. */
export type MapTransform =
  | { readonly kind: 'concat'; readonly axis: number }
  /** Without sizes, equal parts. */
  | { readonly kind: 'split'; readonly axis: number; readonly sizes: readonly number[] | undefined }
  | { readonly kind: 'transpose'; readonly perm: readonly number[] }
  | { readonly kind: 'reshape' | 'resize'; readonly shape: readonly number[] }
  /** Rows that are the cells of a square, to the number of rows in the model. */
  | { readonly kind: 'resize_square' };

/** Tensors named `from` go, in order, through the transforms to the weights named `to`; under `skip` to none. */
export interface MapRule {
  readonly from: readonly NamePattern[];
  readonly transforms: readonly MapTransform[];
  readonly to: readonly NamePattern[];
}

/** A `weights` declaration as data. The first rule that matches a tensor applies. */
export interface WeightsMap {
  readonly name: string;
  readonly rules: readonly MapRule[];
}

/** The transforms, each with the arguments after its name. */
const transforms: Readonly<Record<string, Readonly<Record<string, 'int' | 'ints' | 'optional ints'>>>> = {
  split: { axis: 'int', sizes: 'optional ints' },
  concat: { axis: 'int' },
  transpose: { perm: 'ints' },
  reshape: { shape: 'ints' },
  resize: { shape: 'ints' },
  resize_square: {},
  skip: {},
};

/**
 * Reads the rules of a map, `"from" -> "to"` with transforms around the right side; undefined, after a report, if
 * one is wrong.
 */
export function readWeightsMap(context: Context, decl: WeightsDecl, file: FileScope): WeightsMap | undefined {
  const target = mapTarget(context, decl, file);
  const rules = decl.rules.map((rule) => readRule(context, rule, file));
  return target && rules.every((rule) => rule !== undefined) ? { name: decl.name.name, rules } : undefined;
}

/** Returns the module or model that is the target of a map; undefined after a report. */
export function mapTarget(context: Context, { target }: WeightsDecl, file: FileScope): Found | undefined {
  const found = file.lookup(target.name);
  if (found?.decl.kind === 'module' || found?.decl.kind === 'model') return found;
  fail(
    { context },
    found ? 'CROB2008' : 'CROB2001',
    target.span,
    { name: target.name, actual: found?.decl.kind ?? '', expected: 'a module or a model' },
    { help: found ? undefined : didYouMean(target.name, file.names()) },
  );
  return undefined;
}

function readRule(context: Context, rule: WeightsDecl['rules'][number], file: FileScope): MapRule | undefined {
  const from = names(context, rule.from);
  const target = readTarget(context, rule.to, file);
  if (!from || !target) return undefined;
  const refuse = (reason: string, help?: string): undefined => {
    fail({ context }, 'CROB2330', rule.to.span, { reason }, { help });
  };
  const [first, ...rest] = from;
  const form = (pattern: NamePattern) =>
    JSON.stringify([[...holesOf(pattern)].sort(), choicesOf(pattern).map((c) => c.length), hasOptional(pattern)]);
  if (!first || rest.some((other) => form(other) !== form(first)))
    return refuse('the names on the left have different holes');
  const holes = holesOf(first);
  for (const to of target.to) {
    const unknown = [...holesOf(to)].find((hole) => !holes.has(hole));
    if (unknown !== undefined) {
      const known = [...holes].map((hole) => `{${hole}}`).join(', ');
      return refuse(
        `{${unknown}} stands on the right and not on the left`,
        known === '' ? undefined : `the left side has ${known}`,
      );
    }
    if (hasOptional(to)) return refuse('{?…} stands only on the left');
    const lone = choicesOf(to).find((choices, i) => choicesOf(first)[i]?.length !== choices.length);
    if (lone) return refuse(`{${lone.join(',')}} has no list of ${lone.length} alternatives on the left`);
  }
  const fault = target.to.length === 0 ? undefined : countFault(from.length, target);
  return fault === undefined ? { from, ...target } : refuse(fault);
}

/** Returns a fault unless the number of tensors after the transforms is the number of target names. */
function countFault(given: number, { transforms, to }: Target): string | undefined {
  let count = given;
  for (const { kind, ...settings } of transforms) {
    if (kind === 'concat') {
      if (count < 2) return 'concat joins several tensors: it goes from a list of names';
      count = 1;
    } else if (kind === 'split') {
      if (count !== 1) return 'split takes one tensor apart';
      if (to.length < 2) return 'split makes several tensors: it goes around a list of names';
      if ('sizes' in settings && settings.sizes && settings.sizes.length !== to.length)
        return `split has ${settings.sizes.length} sizes for ${to.length} names`;
      count = to.length;
    }
  }
  return count === to.length ? undefined : `${count} on the left cannot be ${to.length} on the right`;
}

/** Reads a name pattern or a list of them; undefined after a report. */
function names(context: Context, expr: Expr): readonly NamePattern[] | undefined {
  if (expr.kind === 'list') {
    const items = expr.items.map((item) => names(context, item));
    return items.every((item) => item !== undefined) ? items.flat() : undefined;
  }
  const found =
    expr.kind === 'string' ? namePattern(expr.value) : { reason: 'a rule goes from names to names, in quotes' };
  if ('pieces' in found) return [found];
  fail({ context }, 'CROB2330', expr.span, found);
  return undefined;
}

type Target = Omit<MapRule, 'from'>;

function readTarget(context: Context, expr: Expr, file: FileScope): Target | undefined {
  const skipped: Target = { transforms: [], to: [] };
  if (expr.kind === 'name' && expr.name === 'skip') return skipped;
  if (expr.kind !== 'call') {
    const to = names(context, expr);
    return to && { transforms: [], to };
  }
  const name = expr.callee.kind === 'name' ? expr.callee.name : '';
  const known = transforms[name];
  if (!known) {
    fail(
      { context },
      'CROB2330',
      expr.callee.span,
      { reason: `there is no transform ${name || 'of this form'}` },
      { help: didYouMean(name, Object.keys(transforms)) ?? `transforms are ${Object.keys(transforms).join(', ')}` },
    );
    return undefined;
  }
  const [first, ...rest] = expr.args;
  const given = new Map<string, number | readonly number[]>();
  let sound = true;
  const refuse = (span: Expr['span'], reason: string) => {
    sound = false;
    fail({ context }, 'CROB2330', span, { reason });
  };
  for (const { name: argument, value: expr } of rest) {
    const kind = known[argument?.name ?? ''];
    if (!argument || !kind) {
      sound = false;
      const arguments_ = Object.keys(known);
      fail(
        { context },
        'CROB2009',
        argument?.span ?? expr.span,
        { name: argument?.name ?? 'this', callee: name },
        { help: arguments_.length ? `its arguments are ${arguments_.join(', ')}` : undefined },
      );
      continue;
    }
    const value = evaluate(fileScope(context, file), expr);
    const ints = value.kind === 'list' ? value.items.map(asInt) : [asInt(value)];
    const whole = ints.flatMap((n) => (n !== undefined && n >= 0 ? [n] : []));
    const [first] = whole;
    const isList = value.kind === 'list';
    if (value.kind === 'error') sound = false;
    else if (kind !== 'int' && isList && whole.length === ints.length) given.set(argument.name, whole);
    else if (kind === 'int' && !isList && first !== undefined) given.set(argument.name, first);
    else refuse(expr.span, `${argument.name} is ${kind === 'int' ? 'an int' : 'a list of ints'} of at least 0`);
  }
  if (name === 'skip') return sound ? skipped : undefined;
  const lacking = Object.keys(known).find((argument) => known[argument] !== 'optional ints' && !given.has(argument));
  if (sound && lacking !== undefined) refuse(expr.callee.span, `${name} lacks its ${lacking}`);
  const perm = given.get('perm');
  if (Array.isArray(perm) && [...perm].sort((a, b) => a - b).some((axis, i) => axis !== i))
    refuse(expr.span, `[${perm.join(', ')}] does not name each axis once`);
  if (!first) refuse(expr.span, `${name} goes around a name in quotes`);
  const inner = first && readTarget(context, first.value, file);
  if (inner && inner.to.length === 0) refuse(expr.span, `${name} goes around a name in quotes`);
  if (!inner || !sound) return undefined;
  if (name === 'resize_square' && inner.transforms.length > 0) {
    refuse(expr.span, 'resize_square is the last transform: it goes around a name in quotes');
    return undefined;
  }
  return {
    transforms: [{ kind: name, ...Object.fromEntries(given) } as MapTransform, ...inner.transforms],
    to: inner.to,
  };
}
