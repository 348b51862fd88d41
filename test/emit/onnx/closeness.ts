import { expect } from 'vitest';
import type { TensorData } from '../../../compiler/ir/types.ts';

/** float32 arithmetic against float64, relative to the tensor's largest element. */
export function expectClose(name: string, actual: TensorData, expected: TensorData, tolerance = 1e-5): void {
  expect(actual.dtype, name).toBe(expected.dtype);
  expect(actual.shape, name).toEqual(expected.shape);
  const scale = Math.max(1, ...Array.from(expected.data, Math.abs).filter(Number.isFinite));
  for (const [i, want] of expected.data.entries()) {
    const got = actual.data[i]!;
    if (Object.is(got, want) || got === want) continue;
    expect(Math.abs(got - want), `${name}[${i}]: ${got} against ${want}`).toBeLessThan(tolerance * scale);
  }
}
