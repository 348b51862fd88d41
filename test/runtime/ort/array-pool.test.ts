import { expect, test } from 'vitest';
import { ArrayPool, newArray } from '../../../runtime/ort/array-pool.ts';
import type { HostTensor } from '../../../runtime/ort/session.ts';

const pair = { dtype: 'f32', shape: [2] } as const;

test('an array is used again once it is given back, for a tensor of its type and shape', () => {
  const made: HostTensor[] = [];
  const pool = new ArrayPool((type) => {
    const one = newArray(type);
    made.push(one);
    return one;
  });
  const [a, b] = [pool.take(pair), pool.take(pair)];
  expect(b.data).not.toBe(a.data);
  pool.giveBack([a]);
  expect(pool.take({ ...pair, dtype: 'i32' }).data).toEqual(new Int32Array(2));
  expect(pool.take({ ...pair, shape: [1, 2] }).data).not.toBe(a.data);
  expect(pool.take(pair)).toBe(a);
  expect(pool.take(pair).data).not.toBe(b.data);
  expect(made).toHaveLength(5);
});

test('an array cannot be given back twice, or to another pool', () => {
  const pool = new ArrayPool(newArray);
  const one = pool.take(pair);
  expect(() => new ArrayPool(newArray).giveBack([one])).toThrow('bug in crobc: an array is given back');
  pool.giveBack([one]);
  expect(() => pool.giveBack([one])).toThrow('bug in crobc: an array is given back');
  expect(pool.take(pair)).toBe(one);
  expect(pool.take(pair)).not.toBe(one);
});

test('a closed pool keeps no array', () => {
  const pool = new ArrayPool(newArray);
  const [a, b] = [pool.take(pair), pool.take(pair)];
  pool.giveBack([a]);
  pool.close();
  pool.giveBack([b]);
  expect([a, b]).not.toContain(pool.take(pair));
});
