import { asNumber, one, type Size, sameShape } from './size.ts';
import type { BinaryName, CompareName, DType, Expr, Operation, Operations, Type, UnaryName } from './tree.ts';

/** Expressions in short. */
export const tensor = (dtype: DType, shape: readonly Size[]): Type => ({ dtype, shape });

export function expr<O extends Operation>(op: O, type: Type, args: readonly Expr[], at: Operations[O]): Expr {
  return { op, type, args, at } as Expr;
}

export const ref = (name: string, type: Type): Expr => expr('name', type, [], { name });
export const num = (value: number, dtype: DType = 'f32'): Expr => expr('number', tensor(dtype, []), [], { value });
export const full = (type: Type, value: number): Expr => expr('full', type, [], { value });
export const unary = (fn: UnaryName, x: Expr): Expr => expr('unary', x.type, [x], { fn });

function broadcastShape(a: readonly Size[], b: readonly Size[]): readonly Size[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [x, y] = [a[axis - rank + a.length], b[axis - rank + b.length]];
    return (x && asNumber(x) !== 1 ? x : y) ?? x ?? one;
  });
}

export function binary(fn: BinaryName, a: Expr, b: Expr): Expr {
  return expr('binary', tensor(a.type.dtype, broadcastShape(a.type.shape, b.type.shape)), [a, b], { fn });
}

export function compare(fn: CompareName, a: Expr, b: Expr): Expr {
  return expr('compare', tensor('bool', broadcastShape(a.type.shape, b.type.shape)), [a, b], { fn });
}

export const sameType = (a: Type, b: Type): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape);

/** Sum, mean or maximum over some axes, which go. */
export function reduced(how: 'sum' | 'mean' | 'amax', x: Expr, over: readonly number[]): Expr {
  const { shape, dtype } = x.type;
  if (over.length === 0) return x;
  const names = shape.map((_, i) => `n${i}`);
  const kept = names.filter((_, i) => !over.includes(i));
  const type = tensor(
    dtype,
    shape.filter((_, i) => !over.includes(i)),
  );
  return expr('pattern', type, [x], {
    how,
    left: [names.map((name) => [name])],
    right: kept.map((name) => [name]),
    sizes: names.map((name, i) => [name, shape[i] ?? one] as const),
    given: [],
  });
}
