import type { PortDType } from '../../compiler/ir/types.ts';
import type { BuildRecord, Port } from '../build/build-record.ts';
import { dimValue, isDimName, type Sizes } from '../build/dim-text.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';
import { joined, rowsOf } from './joined-feeds.ts';
import type { ModelRun } from './model-thread.ts';

/** Whether the requests of several clients run as one batch; if they cannot, the reason. */
export type Batching = { readonly kind: 'rows' } | { readonly kind: 'single'; readonly reason: string | undefined };

/** The dim that is the first axis of every input and output; undefined if there is no such dim. */
export function batchDim({ inputs, outputs }: BuildRecord): string | undefined {
  const [first, ...others] = [...inputs, ...outputs].map(({ shape }) => shape[0]);
  return first !== undefined && isDimName(first) && others.every((dim) => dim === first) ? first : undefined;
}

/**
 * Decides whether rows of different requests may be joined. Shapes do not say whether a row depends on its neighbours, as
 * with a mean over the batch; so two rows are run together and alone, and the results are compared. `others` has the sizes
 * of other open dims at which they are run.
 */
export async function batchingOf(
  record: BuildRecord,
  run: (feeds: Feeds) => Promise<Pick<ModelRun, 'outputs'>>,
  others: Sizes = new Map(),
): Promise<Batching> {
  const dim = batchDim(record);
  if (dim === undefined) return single('not every input and output has the batch as its first axis');
  const sizes = new Map([...others, [dim, 1]]);
  const rows = [1, 2].map((seed) => drawnFeeds(record, sizes, seed));
  const [first, second] = rows;
  if (!first || !second) return single('sizes other than the batch are open');
  const alone = [await run(first), await run(second)];
  const together = await run(joined([first, second]));
  for (const [i, { outputs }] of alone.entries()) {
    const found = rowsOf(together.outputs, i, 1);
    for (const [name, tensor] of Object.entries(outputs))
      if (!isClose(tensor, found[name], record.dtype === 'f16' ? 2e-2 : 1e-3))
        return single(`a row of ${name} depends on the other rows`);
  }
  return { kind: 'rows' };
}

function single(reason: string): Batching {
  return { kind: 'single', reason };
}

/** Inputs of one row; undefined if a size is open. */
function drawnFeeds(record: BuildRecord, sizes: Sizes, seed: number): Feeds | undefined {
  // The generator of Lehmer, which suffices to tell two rows apart.
  let state = seed;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const feeds: Record<string, HostTensor> = {};
  for (const port of record.inputs) {
    const shape = port.shape.map((dim) => dimValue(dim, sizes));
    if (!shape.every((size) => size !== undefined)) return undefined;
    const rows = record.rowNumbers.filter(({ input }) => input === port.name).map((one) => dimValue(one.rows, sizes));
    const count = shape.reduce((product, size) => product * size, 1);
    feeds[port.name] = { dtype: port.dtype, shape, data: elements(port, count, Math.min(2, ...defined(rows)), random) };
  }
  return feeds;
}

function defined(values: readonly (number | undefined)[]): readonly number[] {
  return values.filter((value) => value !== undefined);
}

/** Floats of -1…1, whole numbers below `below`, and true everywhere. */
function elements({ dtype }: Port, count: number, below: number, random: () => number): HostTensor['data'] {
  const whole = () => Math.floor(random() * below);
  const made: Readonly<Record<PortDType, () => HostTensor['data']>> = {
    f32: () => Float32Array.from({ length: count }, () => 2 * random() - 1),
    // The bits of ±1.
    f16: () => Uint16Array.from({ length: count }, () => (random() < 0.5 ? 0x3c00 : 0xbc00)),
    i32: () => Int32Array.from({ length: count }, whole),
    i64: () => BigInt64Array.from({ length: count }, () => BigInt(whole())),
    u8: () => Uint8Array.from({ length: count }, whole),
    bool: () => new Uint8Array(count).fill(1),
  };
  return made[dtype]();
}

/** Whether the elements of float32 tensors differ by rounding alone. Others may turn by rounding, and say nothing. */
function isClose(a: HostTensor, b: HostTensor | undefined, tolerance: number): boolean {
  if (a.dtype !== 'f32' || !b) return true;
  let [largest, difference] = [0, 0];
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [Number(a.data[i]), Number(b.data[i])];
    // Not a number in both: nothing to compare.
    if (Number.isNaN(x) && Number.isNaN(y)) continue;
    largest = Math.max(largest, Math.abs(x));
    difference = Math.max(difference, Number.isNaN(x - y) ? Number.POSITIVE_INFINITY : Math.abs(x - y));
  }
  return difference <= tolerance * Math.max(largest, 1e-6);
}
