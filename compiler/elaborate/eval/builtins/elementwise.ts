import * as dims from '../../../dims/dim.ts';
import { andThen, type Emitted } from '../../../graphs/builder.ts';
import type { Value } from '../../../ir/graph.ts';
import type { BinaryName, UnaryName } from '../../../ir/names.ts';
import type { DType } from '../../../ir/types.ts';
import type { Val } from '../../context/elaborated.ts';
import { asNumber, dimVal, error, float } from '../../context/values.ts';
import { fail, guarded, noNames, showType } from '../../report/report.ts';
import { scalar, type WrittenWithSign } from '../arithmetic.ts';
import { type Builtin, type BuiltinCall, tensorsArg, valueArg, wanted } from './builtin.ts';

/** `floor` also rounds dims, and `not` is written `!`. */
type Named = Exclude<UnaryName, 'floor' | 'not'>;

const functions: Readonly<Record<Named, { readonly docs: string; readonly ofNumber?: (x: number) => number }>> = {
  neg: { docs: '-x', ofNumber: (x) => -x },
  abs: { docs: '|x|', ofNumber: Math.abs },
  exp: { docs: 'e^x', ofNumber: Math.exp },
  log: { docs: 'natural logarithm', ofNumber: Math.log },
  sqrt: { docs: 'square root', ofNumber: Math.sqrt },
  sin: { docs: 'sine', ofNumber: Math.sin },
  cos: { docs: 'cosine', ofNumber: Math.cos },
  tanh: { docs: 'hyperbolic tangent', ofNumber: Math.tanh },
  erf: { docs: 'error function' },
  sigmoid: { docs: '1/(1 + e^-x)' },
  softplus: { docs: 'log(1 + e^x), without overflow' },
  relu: { docs: 'max(x, 0)' },
};

const unary: Builtin[] = (Object.keys(functions) as Named[]).map((name) => ({
  name,
  params: ['x'],
  docs: `${functions[name].docs}, element by element.`,
  call(cx) {
    const value = valueArg(cx, 'x');
    const number = asNumber(value);
    const { ofNumber } = functions[name];
    if (number !== undefined && ofNumber) return float(ofNumber(number));
    if (value.kind !== 'tensor') {
      const lifted = cx.scope.graph && value.kind === 'dim' ? scalar(cx.scope, value, 'f32', cx.span) : undefined;
      if (lifted?.kind !== 'tensor') return wanted(cx, 'x', 'a tensor') ?? error;
      return guarded(cx.scope, cx.span, name, cx.texts, (build) => build.tryEmit(name, [lifted.value], {}));
    }
    return guarded(cx.scope, cx.span, name, cx.texts, (build) => build.tryEmit(name, [value.value], {}));
  },
}));

/** The other operators are written with a sign, also accept dims, or both. */
type NamedPair = Exclude<BinaryName, WrittenWithSign | 'floordiv' | 'max' | 'min'>;

interface PairFunction {
  readonly docs: string;
  readonly ofNumbers: (a: number, b: number) => number;
}
const pairFunctions: Readonly<Record<NamedPair, PairFunction>> = {};

const pairs: Builtin[] = (Object.entries(pairFunctions) as [BinaryName, PairFunction][]).map(
  ([name, { docs, ofNumbers }]) => ({
    name,
    params: ['a', 'b'],
    docs: `${docs}, element by element.`,
    call: (cx) => pairOf(cx, name, valueArg(cx, 'a'), valueArg(cx, 'b'), ofNumbers),
  }),
);

function extremum(name: 'max' | 'min'): Builtin {
  return {
    name,
    params: ['a', 'b?'],
    variadic: true,
    docs: `The ${name === 'max' ? 'larger' : 'smaller'} of two, element by element; of dims and numbers too, and of a list of ints.`,
    call(cx) {
      const values = cx.positional.map(({ value }) => value);
      const [only, second] = values;
      const [first, ...others] = only?.kind === 'list' && !second ? only.items : values;
      if (!first) return wanted(cx, 'a', 'something') ?? error;
      return others.reduce((a, b) => extremumOf(cx, name, a, b), first);
    },
  };
}

function extremumOf(cx: BuiltinCall, name: 'max' | 'min', a: Val, b: Val): Val {
  if (a.kind === 'error' || b.kind === 'error') return error;
  if (a.kind === 'dim' && b.kind === 'dim')
    return dimVal(name === 'max' ? dims.max(a.dim, b.dim) : dims.min(a.dim, b.dim));
  return pairOf(cx, name, a, b, name === 'max' ? Math.max : Math.min);
}

/** Applies a binary operator to two values, either of which may be a number. */
function pairOf(cx: BuiltinCall, name: BinaryName, a: Val, b: Val, ofNumbers: PairFunction['ofNumbers']): Val {
  if (a.kind === 'error' || b.kind === 'error') return error;
  const x = asNumber(a);
  const y = asNumber(b);
  if (x !== undefined && y !== undefined) return float(ofNumbers(x, y));
  const dtype = dtypeOf(a) ?? dtypeOf(b) ?? 'f32';
  const left = scalar(cx.scope, a, dtype, cx.span);
  const right = scalar(cx.scope, b, dtype, cx.span);
  if (left.kind !== 'tensor' || right.kind !== 'tensor') return error;
  return guarded(cx.scope, cx.span, name, cx.texts, (build) => build.tryEmit(name, [left.value, right.value], {}));
}

function dtypeOf(value: Val): DType | undefined {
  return value.kind === 'tensor' ? value.value.type.dtype : undefined;
}

const select: Builtin = {
  name: 'select',
  params: ['condition', 'a', 'b'],
  docs: '`a` where the condition holds, else `b`, element by element.',
  call(cx) {
    const condition = valueArg(cx, 'condition');
    if (condition.kind === 'bool') return valueArg(cx, condition.value ? 'a' : 'b');
    if (condition.kind !== 'tensor') return wanted(cx, 'condition', 'a bool tensor') ?? error;
    const a = valueArg(cx, 'a');
    const b = valueArg(cx, 'b');
    const isInt = (v: Val) => v.kind === 'dim';
    const dtype = dtypeOf(a) ?? dtypeOf(b) ?? (isInt(a) && isInt(b) ? 'i32' : 'f32');
    const left = scalar(cx.scope, a, dtype, cx.span);
    const right = scalar(cx.scope, b, dtype, cx.span);
    if (left.kind !== 'tensor' || right.kind !== 'tensor') return error;
    if (left.value.type.dtype !== right.value.type.dtype) {
      return fail(cx.scope, 'CROB2103', cx.span, {
        what: 'select',
        left: showType(left.value.type, cx.scope.facts),
        right: showType(right.value.type, cx.scope.facts),
      });
    }
    return guarded(cx.scope, cx.span, 'select', cx.texts, (build) =>
      build.tryEmit('select', [condition.value, left.value, right.value], {}),
    );
  },
};

const casts: Builtin[] = (['f32', 'i32', 'bool'] as const).map((dtype) => ({
  name: dtype,
  params: ['x'],
  docs: `Converts to ${dtype}${dtype === 'i32' ? ', towards zero' : ''}.`,
  call(cx) {
    const value = valueArg(cx, 'x');
    if (value.kind === 'tensor')
      return guarded(cx.scope, cx.span, dtype, cx.texts, (build) => build.tryEmit('cast', [value.value], { dtype }));
    if (!cx.scope.graph) return wanted(cx, 'x', 'a tensor') ?? error;
    return scalar(cx.scope, value, dtype, cx.span);
  },
}));

const stopGradient: Builtin = {
  name: 'stop_gradient',
  params: ['x'],
  docs: 'x, through which no gradient flows.',
  call(cx) {
    const x = valueArg(cx, 'x');
    return x.kind === 'tensor'
      ? guarded(cx.scope, cx.span, 'stop_gradient', cx.texts, (build) => build.tryEmit('stop_gradient', [x.value], {}))
      : (wanted(cx, 'x', 'a tensor') ?? error);
  },
};

const vector: Builtin = {
  name: 'vector',
  params: [],
  variadic: true,
  docs: 'Numbers and dims as an f32 tensor of rank 1: `vector(W, H)`.',
  call(cx) {
    const numbers = cx.positional.map((given) => asNumber(given.value));
    if (cx.scope.graph && numbers.length > 0 && numbers.every((n) => n !== undefined)) {
      const data = Float64Array.from(numbers);
      return guarded(cx.scope, cx.span, 'vector', noNames, (build) =>
        build.tryEmit('constant', [], { tensor: { dtype: 'f32', shape: [data.length], data } }),
      );
    }
    const parts: Value[] = [];
    for (const given of cx.positional) {
      const part = scalar(cx.scope, given.value, 'f32', given.span);
      if (part.kind !== 'tensor') return error;
      parts.push(part.value);
    }
    return guarded(cx.scope, cx.span, 'vector', noNames, (build) => {
      const items: Value[] = [];
      for (const part of parts) {
        const item = build.tryEmit('reshape', [part], { shape: [dims.one] });
        if ('fault' in item) return item;
        items.push(...item.values);
      }
      return build.tryEmit('concat', items, { axis: 0 });
    });
  },
};

export const sumOfList: Builtin = {
  name: 'add_all',
  params: ['xs'],
  docs: 'The sum of a list of tensors.',
  call(cx) {
    const xs = tensorsArg(cx, 'xs');
    if (!xs) return error;
    const [first, ...others] = xs;
    return guarded(cx.scope, cx.span, 'sum', cx.texts, (build) =>
      others.reduce<Emitted>((sum, x) => andThen(sum, (a) => build.tryEmit('add', [a, x], {})), { values: [first] }),
    );
  },
};

export const elementwise: readonly Builtin[] = [
  ...unary,
  ...pairs,
  extremum('max'),
  extremum('min'),
  select,
  ...casts,
  stopGradient,
  vector,
];
