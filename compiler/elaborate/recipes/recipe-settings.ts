import { foreignSetting } from '../../../grammar/foreign.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Expr, Ident, RecipeMember } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import { fileScope } from '../context/scope.ts';
import { asNumber } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { FileScope } from '../source/file-scope.ts';
import {
  type Constructors,
  groupSettings,
  type NumberKind,
  optimizerArguments,
  optimizers,
  recipeSettings,
  type SettingKind,
  schedules,
} from '../source/recipe-tables.ts';

/** A value with its source span. */
export interface Sourced<T> {
  readonly value: T;
  readonly span: Span;
}

/** `AdamW(lr = 5e-5)`, with all its arguments. */
export interface Constructed {
  readonly name: string;
  readonly args: Readonly<Record<string, number>>;
  /** The arguments that are given, not defaults. */
  readonly given: ReadonlySet<string>;
}

/** A number, or a factor of the inherited number such as `0.1x`. */
export interface Rate {
  readonly value: number;
  readonly factor: boolean;
}

export type SettingValue =
  | { readonly kind: 'number'; readonly value: number; readonly factor: boolean }
  | { readonly kind: 'plain'; readonly value: string | boolean }
  | { readonly kind: 'constructed'; readonly parts: readonly Constructed[] };

type SettingMember = Extract<RecipeMember, { kind: 'setting' }>;

/** Evaluates a setting; undefined after a report. */
export function readSetting(context: Context, member: SettingMember, file: FileScope): SettingValue | undefined {
  const { name, value: parts } = member;
  const kind = Object.hasOwn(recipeSettings, name.name) ? recipeSettings[name.name] : undefined;
  if (!kind) {
    const names = Object.keys(recipeSettings);
    const help = foreignSetting(name.name) ?? didYouMean(name.name, names) ?? `settings are ${names.join(', ')}`;
    fail({ context }, 'CROB2320', name.span, { name: name.name }, { help });
    return undefined;
  }
  if (kind === 'an optimizer' || kind === 'a schedule') {
    const table: Constructors = kind === 'an optimizer' ? optimizers : schedules;
    if (kind === 'an optimizer' && parts[1]) return refuse(context, name.name, parts[1], 'one optimizer');
    const made = parts.map((part) => readConstructor(context, name, part, table, kind, file));
    return made.every((one) => one !== undefined) ? { kind: 'constructed', parts: made } : undefined;
  }
  const expr = parts[0]!;
  const expected = expectedOf(kind);
  if (parts[1]) return refuse(context, name.name, parts[1], `${expected}, alone`);
  if (typeof kind === 'object' && 'fits' in kind) {
    const rate = readRate(context, name.name, expr, kind, file);
    if (!rate) return undefined;
    if (rate.factor && name.name !== 'lr' && name.name !== 'weight_decay')
      return refuse(context, name.name, expr, expected);
    return { kind: 'number', ...rate };
  }
  const value = evaluate(fileScope(context, file), expr);
  if (value.kind === 'error') return undefined;
  if (kind === 'true or false') {
    return value.kind === 'bool' ? { kind: 'plain', value: value.value } : refuse(context, name.name, expr, expected);
  }
  const word = value.kind === 'string' ? value.value : undefined;
  if (word !== undefined && kind.oneOf.includes(word)) return { kind: 'plain', value: word };
  return refuse(context, name.name, expr, expected, word === undefined ? undefined : didYouMean(word, kind.oneOf));
}

function expectedOf(kind: SettingKind): string {
  if (typeof kind === 'string') return kind;
  return 'fits' in kind ? kind.expected : `one of ${kind.oneOf.map((one) => JSON.stringify(one)).join(', ')}`;
}

/** Reports settings for arguments that the optimizer does not have. */
export function checkOptimizerArguments(
  context: Context,
  settings: ReadonlyMap<string, { readonly value: SettingValue; readonly span: Span }>,
): void {
  const optimizer = settings.get('optimizer')?.value;
  const made = optimizer?.kind === 'constructed' ? optimizer.parts[0] : undefined;
  if (!made) return;
  for (const name of optimizerArguments) {
    const setting = settings.get(name);
    if (!setting || name in made.args) continue;
    const help = `its arguments are ${Object.keys(made.args).join(', ')}`;
    fail({ context }, 'CROB2009', setting.span, { name, callee: made.name }, { help });
  }
}

function refuse(context: Context, name: string, { span }: Expr, expected: string, help?: string): undefined {
  fail({ context }, 'CROB2321', span, { name, expected }, { help });
  return undefined;
}

function readRate(
  context: Context,
  name: string,
  expr: Expr,
  kind: NumberKind,
  file: FileScope,
  expected = kind.expected,
): Rate | undefined {
  const relative = expected === factorOrNumber || scalable.has(name) ? relativeTo(name, expr) : undefined;
  if (relative) return refuse(context, name, expr, factorOrNumber, relative);
  const value = evaluate(fileScope(context, file), expr);
  if (value.kind === 'error') return undefined;
  const n = asNumber(value);
  if (n === undefined || !kind.fits(n)) return refuse(context, name, expr, expected);
  return { value: n, factor: expr.kind === 'factor' };
}

/** Settings that accept a factor of the inherited value. */
const scalable: ReadonlySet<string> = new Set(Object.keys(groupSettings));
const factorOrNumber = 'a number of at least 0, or a factor such as 0.1x';

/** Suggests a factor in place of `0.1 * lr`: the inherited value has no name and is scaled by a factor. */
function relativeTo(name: string, expr: Expr): string | undefined {
  const isOwn = (one: Expr) => (one.kind === 'name' ? one.name : one.kind === 'member' ? one.name.name : '') === name;
  const number = (one: Expr) => (one.kind === 'int' || one.kind === 'float' ? one.value : undefined);
  if (isOwn(expr)) return 'leave it out: that is what it is without this line';
  if (expr.kind !== 'binary' || !(isOwn(expr.left) || isOwn(expr.right))) return undefined;
  const by = number(isOwn(expr.left) ? expr.right : expr.left);
  const factor =
    by === undefined ? undefined : expr.op === '*' ? by : expr.op === '/' && isOwn(expr.left) ? 1 / by : undefined;
  return factor !== undefined && Number.isFinite(factor) && !String(factor).includes('e')
    ? `write \`${factor}x\``
    : `a factor of the inherited ${name} is written \`0.1x\``;
}

function readConstructor(
  context: Context,
  name: Ident,
  expr: Expr,
  table: Constructors,
  kind: string,
  file: FileScope,
): Constructed | undefined {
  const head = nameOf(expr);
  const known = head === undefined ? undefined : table[head];
  if (head === undefined || !known) {
    const help = head === undefined ? undefined : didYouMean(head, Object.keys(table));
    return refuse(context, name.name, expr, `${kind}: ${Object.keys(table).join(', ')}`, help);
  }
  const names = Object.keys(known);
  const given = new Map<string, Span>();
  const args: Record<string, number> = {};
  let sound = true;
  for (const [i, arg] of (expr.kind === 'call' ? expr.args : []).entries()) {
    const key = arg.name?.name ?? names[i];
    const span = arg.name?.span ?? arg.value.span;
    const argument = key === undefined ? undefined : known[key];
    if (key === undefined || !argument) {
      const help = didYouMean(key ?? '', names) ?? `its arguments are ${names.join(', ')}`;
      fail({ context }, 'CROB2009', span, { name: key ?? String(i + 1), callee: head }, { help });
      sound = false;
      continue;
    }
    if (given.has(key)) {
      fail({ context }, 'CROB2012', span, { name: key });
      sound = false;
    }
    given.set(key, span);
    const rate = readRate(context, key, arg.value, argument.kind, file);
    if (rate) args[key] = rate.value;
    else sound = false;
  }
  if (!sound) return undefined;
  for (const [key, { otherwise }] of Object.entries(known)) {
    if (given.has(key)) continue;
    if (otherwise === undefined) {
      fail({ context }, 'CROB2010', expr.span, { name: key, callee: head });
      return undefined;
    }
    args[key] = otherwise;
  }
  return { name: head, args, given: new Set(given.keys()) };
}

function nameOf(expr: Expr): string | undefined {
  if (expr.kind === 'call') return expr.callee.kind === 'name' ? expr.callee.name : undefined;
  return expr.kind === 'name' ? expr.name : undefined;
}

/** Returns the settings of a `group` by name; invalid ones are reported and omitted. */
export function readGroup(
  context: Context,
  { settings }: Extract<RecipeMember, { kind: 'group' }>,
  file: FileScope,
): ReadonlyMap<string, Rate> {
  const rates = new Map<string, Rate>();
  for (const { name, value } of settings) {
    const kind = Object.hasOwn(groupSettings, name.name) ? groupSettings[name.name] : undefined;
    if (!kind) {
      const names = Object.keys(groupSettings);
      const help = foreignSetting(name.name) ?? didYouMean(name.name, names) ?? `a group has ${names.join(', ')}`;
      fail({ context }, 'CROB2320', name.span, { name: name.name }, { help });
      continue;
    }
    const rate = readRate(context, name.name, value, kind, file, factorOrNumber);
    if (rate) rates.set(name.name, rate);
  }
  return rates;
}
