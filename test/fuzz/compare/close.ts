import { allowance, type Lanes } from './lanes.ts';

/** What runtimes make of float32, relative to a result. */
export const float32 = 4e-6;

interface Numbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Why a result is not what it has to be, within `off` and a part in `parts`; undefined where it is. */
export function difference(
  name: string,
  got: Numbers | undefined,
  want: Numbers,
  off: number,
  part: number,
): string | undefined {
  if (!got) return `${name} is missing`;
  if (got.shape.join() !== want.shape.join()) return `${name} is [${got.shape}], must be [${want.shape}]`;
  // Nothing is known of the numbers, not even whether they are any.
  if (off === Number.POSITIVE_INFINITY) return undefined;
  for (let i = 0; i < want.data.length; i++) {
    const [x, y] = [got.data[i]!, want.data[i]!];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    if (!(Math.abs(x - y) <= off + part * Math.abs(y)))
      return `${name}[${i}] of [${want.shape}] is ${x}, must be ${y} to ${off + part * Math.abs(y)}`;
  }
  return undefined;
}

/** All results against others, with what rounding allows for each. */
export function differences(
  got: ReadonlyMap<string, Numbers>,
  want: ReadonlyMap<string, Numbers>,
  off: (name: string) => number,
  part: number,
): string | undefined {
  for (const [name, wanted] of want) {
    const found = difference(name, got.get(name), wanted, off(name), part);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** How far a float32 result may be off. */
export function allowed({ spread, unclear }: Lanes): (name: string) => number {
  return (name) => (unclear === undefined ? allowance * (spread.get(name) ?? 0) + 1e-37 : Number.POSITIVE_INFINITY);
}
