import type { Span } from '../../../../grammar/span.ts';
import type { Value } from '../../../ir/graph.ts';
import type { Given, Val } from '../../context/elaborated.ts';
import type { CallArgs, Scope } from '../../context/scope.ts';
import { axisNames } from '../../report/axis-names.ts';
import { fail } from '../../report/report.ts';
import { knownInt } from '../known-sizes.ts';

/** A call that gives an axis by number, as in PyTorch. */
interface Numbered {
  readonly scope: Scope;
  readonly x: Value;
  /** Source text of the first argument. */
  readonly text: string;
  readonly names: readonly string[];
  /** Numbers after the first argument, and the values of `dim` or `axis`. */
  readonly numbers: readonly Given[];
  readonly axes: readonly Given[];
  readonly keeps: boolean;
}

const axisWords: readonly string[] = ['dim', 'axis', 'dims'];

/** Suggestions for functions whose axes are given by a pattern; undefined if the suggestion would be a guess. */
const instead: Readonly<Record<string, (call: Numbered) => string | undefined>> = {
  sum: (call) => reduced('sum', call),
  mean: (call) => reduced('mean', call),
  amax: (call) => reduced('amax', call),
  softmax: (call) => alongOne('softmax', call),
  log_softmax: (call) => alongOne('log_softmax', call),
  concat: (call) => starred(call, ([axis]) => call.names.map((name, i) => (i === axis ? '*' : name)), 'concat'),
  stack: (call) => starred(call, ([axis]) => call.names.toSpliced(axis ?? 0, 0, '*'), 'stack', 1),
  split: splitBy,
  roll: rolledBy,
  pad: paddedBy,
};

/** Reports a call that gives an axis by number; undefined for other calls. */
export function refuseAxisNumber(scope: Scope, name: string, args: CallArgs, span: Span): Val | undefined {
  const write = instead[name];
  if (!write) return undefined;
  const [first, second] = args.positional;
  if (!first || second?.value.kind === 'string' || args.named.has('pattern')) return undefined;
  const numbers = args.positional.slice(1);
  const axes = axisWords.flatMap((word) => args.named.get(word) ?? []);
  if (![...numbers, ...axes].some(({ value }) => integers(scope, value))) return undefined;
  const x = first.value.kind === 'list' ? first.value.items[0] : first.value;
  if (x?.kind !== 'tensor') return undefined;
  const text = scope.context.run.program.text(first.span);
  const kept = args.named.get('keepdim')?.value ?? args.named.get('keepdims')?.value;
  const keeps = kept?.kind === 'bool' && kept.value;
  const call = { scope, x: x.value, text, names: axisNames(scope, x.value), numbers, axes, keeps };
  const written = write(call);
  const help = written === undefined ? `the axes here can be called "${call.names.join(' ')}"` : `write \`${written}\``;
  return fail(scope, 'CROB2122', span, { what: name }, { help });
}

/** Returns an int or a list of ints as numbers. */
function integers(scope: Scope, value: Val | undefined): readonly number[] | undefined {
  const found = (value?.kind === 'list' ? value.items : [value]).map((item) => knownInt(scope, item));
  return found.every((n) => n !== undefined) ? found : undefined;
}

/** Returns axes counted from the front; undefined if one is out of range. */
function axesOf({ scope, x, numbers, axes }: Numbered, more = 0, place = 0): readonly number[] | undefined {
  const rank = x.type.shape.length + more;
  const found = integers(scope, axes[0]?.value ?? numbers[place]?.value)?.map((n) => (n < 0 ? n + rank : n));
  return found?.every((n) => n >= 0 && n < rank) ? found : undefined;
}

function reduced(name: string, call: Numbered): string | undefined {
  const axes = axesOf(call);
  const left = call.names.flatMap((axis, i) => (!axes?.includes(i) ? [axis] : call.keeps ? ['1'] : []));
  return axes && `${name}(${call.text}, "${call.names.join(' ')} -> ${left.join(' ')}")`;
}

function alongOne(name: string, call: Numbered): string | undefined {
  const axes = axesOf(call);
  if (axes?.length !== 1) return undefined;
  if (axes[0] === call.names.length - 1) return `${name}(${call.text})`;
  return `${name}(${call.text}, "${call.names.map((one, i) => (i === axes[0] ? '*' : one)).join(' ')}")`;
}

function starred(
  call: Numbered,
  pattern: (axes: readonly number[]) => readonly string[],
  name: string,
  more = 0,
): string | undefined {
  const axes = axesOf(call, more);
  return axes?.length === 1 ? `${name}(${call.text}, "${pattern(axes).join(' ')}")` : undefined;
}

/**
 * Suggests a pattern for `split(x, 2, 1)` (parts of size 2 along axis 1) or `split(x, [2, 6], 1)` (parts of these
 * sizes).
 */
function splitBy(call: Numbered): string | undefined {
  const { scope, x, names, numbers, axes } = call;
  const [axis = 0, ...others] =
    axes.length > 0 || numbers.length > 1 ? (axesOf(call, 0, 1) ?? [Number.NaN]) : ([0] as const);
  const sizes = numbers[0] && integers(scope, numbers[0].value);
  const whole = knownInt(scope, x.type.shape[axis] && { kind: 'dim', dim: x.type.shape[axis] });
  if (!sizes || others.length > 0 || !(axis < names.length)) return undefined;
  const [part = 0] = sizes;
  const parts =
    numbers[0]?.value.kind === 'list'
      ? sizes
      : whole !== undefined && part > 0 && whole % part === 0
        ? Array.from({ length: whole / part }, () => part)
        : undefined;
  const pattern = names.map((name, i) => (i === axis ? '*' : name)).join(' ');
  return parts && `split(${call.text}, "${pattern}", [${parts.join(', ')}])`;
}

function rolledBy(call: Numbered): string | undefined {
  const shifts = call.numbers[0] && integers(call.scope, call.numbers[0].value);
  const axes = axesOf(call, 0, 1);
  if (!shifts || shifts.length !== axes?.length) return undefined;
  const by = axes.map((axis, i) => `${call.names[axis]} = ${shifts[i]}`);
  return `roll(${call.text}, "${call.names.join(' ')}", ${by.join(', ')})`;
}

/** Suggests named padding; PyTorch's amounts are pairs, from the last axis forward. */
function paddedBy({ scope, text, names, numbers }: Numbered): string | undefined {
  const amounts = numbers[0] && integers(scope, numbers[0].value);
  if (!amounts || amounts.length % 2 !== 0 || amounts.length > 2 * names.length) return undefined;
  const by = names.toReversed().flatMap((name, i) => {
    const [low = 0, high = 0] = amounts.slice(2 * i, 2 * i + 2);
    return low === 0 && high === 0 ? [] : [`${name} = (${low}, ${high})`];
  });
  return by.length > 0 ? `pad(${text}, "${names.join(' ')}", ${by.join(', ')})` : undefined;
}
