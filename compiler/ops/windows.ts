import { add, constant, type Dim, floorDiv, mul, one, sub } from '../dims/dim.ts';
import { at, type Obligations } from './typing.ts';

export const windowNumbers = 'stride, dilation and kernel are whole numbers, at least 1; pad is at least 0.';
export const windowFits = 'The window, dilated, fits into the padded height and width.';

/** A sliding window over the last two axes of a [B, C, H, W] input. */
export interface Window {
  readonly kernel: readonly [Dim, Dim];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pad: readonly [number, number, number, number];
}

/**
 * Returns the number of window positions along height and width: floor((H + pads - dilation·(h-1) - 1) / stride) + 1.
 */
export function proveWindows(
  prove: Obligations,
  shape: readonly Dim[],
  { kernel, stride, dilation, pad }: Window,
  input: number | undefined,
): [Dim, Dim] {
  const whole = (lo: number, numbers: readonly number[]) => numbers.every((n) => Number.isInteger(n) && n >= lo);
  prove.holds(whole(1, [...stride, ...dilation]) && whole(0, pad), windowNumbers);
  for (const size of kernel) prove.positive(size, windowNumbers);
  const along = (i: 0 | 1): Dim => {
    const padded = add(at(shape, 2 + i), constant(pad[i] + pad[2 + i]!));
    const extent = add(mul(constant(dilation[i]), sub(kernel[i], one)), one);
    prove.atMost(extent, padded, windowFits, input === undefined ? undefined : [{ input, axis: 2 + i }]);
    return add(floorDiv(sub(padded, extent), stride[i]), one);
  };
  return [along(0), along(1)];
}
