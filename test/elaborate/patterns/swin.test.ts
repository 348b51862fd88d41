import { describe, expect, it } from 'vitest';
import { ceilDiv, constant, mul, negate, sub, variable, zero } from '../../../compiler/dims/dim.ts';
import { sliceAxis } from '../../../compiler/elaborate/patterns/axes.ts';
import { pad, rearrange, roll } from '../../../compiler/elaborate/patterns/index.ts';
import { compute, given, inputs, operators, shapeOf, value } from './naive.ts';

/** The walk of a shifted-window block over an image of any size, attention left out. */
describe('shifted windows over an image that is no multiple of the window', () => {
  const [window, shift] = [7, 3];
  const [H, W] = [variable('H'), variable('W')];
  const [M, N] = [ceilDiv(H, window), ceilDiv(W, window)];
  const by = constant(window);
  const moved = (step: number) =>
    new Map([
      ['h', constant(step)],
      ['w', constant(step)],
    ]);

  it('partitions and puts back every pixel', () => {
    const { cx, x } = inputs([['B', 'H', 'W', 2]]);
    const amounts = new Map([
      ['h', [zero, sub(mul(M, by), H)] as const],
      ['w', [zero, sub(mul(N, by), W)] as const],
    ]);
    const padded = value(pad(cx, x, 'b h w c', amounts, 0));
    const rolled = value(roll(cx, padded, 'b h w c', moved(-shift)));
    const windows = value(rearrange(cx, rolled, 'b (m p) (n q) c -> b (m n) (p q) c', given({ p: window, q: window })));
    expect(shapeOf(windows)).toBe('B, ceil(H/7)*ceil(W/7), 49, 2');
    const sizes = new Map([
      ['m', M],
      ['p', by],
    ]);
    const whole = value(rearrange(cx, windows, 'b (m n) (p q) c -> b (m p) (n q) c', sizes));
    expect(shapeOf(whole)).toBe('B, 7*ceil(H/7), 7*ceil(W/7), 2');
    const back = value(roll(cx, whole, 'b h w c', moved(shift)));
    const cropped = value(sliceAxis(cx, value(sliceAxis(cx, back, 1, zero, H)), 2, zero, W));
    expect(shapeOf(cropped)).toBe('B, H, W, 2');
    for (const at of [
      { B: 1, H: 5, W: 9 },
      { B: 2, H: 14, W: 1 },
    ]) {
      const { tensors, y } = compute(cx.build, [x], cropped, at);
      expect(y.data).toEqual([...tensors[0]!.data]);
    }
    expect(operators(cx.build).filter((op) => op === 'transpose')).toHaveLength(2);
  });

  it('moves an image up and left by a negative shift', () => {
    const { cx, x } = inputs([[1, 2, 3, 1]]);
    const y = value(roll(cx, x, 'b h w c', new Map([['h', negate(constant(1))]])));
    const { tensors, y: actual } = compute(cx.build, [x], y);
    const data = [...tensors[0]!.data];
    expect(actual.data).toEqual([...data.slice(3), ...data.slice(0, 3)]);
  });
});
