import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import { normalFill, normalProbability, normalQuantile } from '../../../runtime/tensors/normal-quantile.ts';
import { philoxFill } from '../../../runtime/tensors/philox.ts';
import { initialWeight, initialWeights } from '../../../runtime/weights/initialise.ts';

describe('Philox4x32-10', () => {
  // kat_vectors of Random123, the authors' own library.
  test('counter and key of zeros', () => {
    const out = new Uint32Array(4);
    philoxFill(out, { key: [0, 0], stream: [0, 0] });
    expect([...out]).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  });

  test('blocks do not depend on where a fill starts, also across 2^32', () => {
    const key = { key: [1, 0xffffffff], stream: [0xfffffffe, 7] } as const;
    const first = 2 ** 32 - 3;
    const whole = new Uint32Array(24);
    philoxFill(whole, key, first);
    for (let block = 0; block < 6; block++) {
      const one = new Uint32Array(4);
      philoxFill(one, key, first + block);
      expect([...one]).toEqual([...whole.subarray(block * 4, block * 4 + 4)]);
    }
  });

  test('agrees with the definition in 64-bit integers', () => {
    const reference = (counter: bigint[], key: bigint[]): number[] => {
      const word = 0xffffffffn;
      let [c0, c1, c2, c3] = counter as [bigint, bigint, bigint, bigint];
      let [k0, k1] = key as [bigint, bigint];
      for (let round = 0; round < 10; round++) {
        const p = 0xd2511f53n * c0;
        const q = 0xcd9e8d57n * c2;
        [c0, c1, c2, c3] = [(q >> 32n) ^ c1 ^ k0, q & word, (p >> 32n) ^ c3 ^ k1, p & word];
        k0 = (k0 + 0x9e3779b9n) & word;
        k1 = (k1 + 0xbb67ae85n) & word;
      }
      return [c0, c1, c2, c3].map(Number);
    };
    const ones = 0xffffffffn;
    expect(reference([ones, ones, ones, ones], [ones, ones])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    expect(reference([0x243f6a88n, 0x85a308d3n, 0x13198a2en, 0x03707344n], [0xa4093822n, 0x299f31d0n])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
    const out = new Uint32Array(4);
    for (let i = 0; i < 200; i++) {
      const [a, b, c, d, e] = [1, 2, 3, 4, 5].map((k) => Math.imul(i * 7 + k, 0x9e3779b1) >>> 0) as [
        number,
        number,
        number,
        number,
        number,
      ];
      philoxFill(out, { key: [a, b], stream: [c, d] }, e);
      expect([...out]).toEqual(reference([BigInt(e), 0n, BigInt(c), BigInt(d)], [BigInt(a), BigInt(b)]));
    }
  });
});

describe('the normal quantile', () => {
  test('known values', () => {
    // mpmath: sqrt(2) * erfinv(2p - 1).
    expect(normalQuantile(0.5)).toBe(0);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
    expect(normalQuantile(0.05)).toBeCloseTo(-1.6448536269514722, 14);
    expect(normalQuantile(1e-10)).toBeCloseTo(-6.361340902404056, 13);
    expect(normalQuantile(1e-30)).toBeCloseTo(-11.464025, 5);
    expect(normalProbability(1.959963984540054)).toBeCloseTo(0.975, 14);
    expect(normalProbability(-3)).toBeCloseTo(0.0013498980316300946, 15);
  });

  test('the table follows it from the middle to the far tail, on both sides', () => {
    for (let bit = 0; bit < 31; bit++) {
      for (const part of [0, 0.001, 0.3, 0.5, 0.77, 0.999]) {
        const tail = Math.max(1, Math.floor(2 ** bit * (1 + part)));
        const out = new Float32Array(2);
        normalFill(out, Uint32Array.of(tail, tail + 2 ** 31), 1, 0);
        const z = normalQuantile((tail + 0.5) / 2 ** 32);
        expect(Math.abs(out[0]! + z)).toBeLessThan(1e-6);
        expect(out[1]).toBe(-out[0]!);
      }
    }
  });
});

function draw(name: string, args: Record<string, number>, shape: number[], path = 'w', seed = 3): Float32Array {
  return initialWeight({ path, shape, init: { name, args } }, seed);
}

function moments(values: Float32Array): { mean: number; std: number; low: number; high: number } {
  let [sum, squares, low, high] = [0, 0, Infinity, -Infinity];
  for (const x of values) {
    sum += x;
    squares += x * x;
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  const mean = sum / values.length;
  return { mean, std: Math.sqrt(squares / values.length - mean * mean), low, high };
}

describe('initial weights', () => {
  test('constants', () => {
    expect([...draw('zeros', {}, [3])]).toEqual([0, 0, 0]);
    expect([...draw('ones', {}, [2])]).toEqual([1, 1]);
    expect([...draw('constant', { value: 0.25 }, [2])]).toEqual([0.25, 0.25]);
  });

  test('moments and bounds of each draw', () => {
    const many = [300_000];
    const normal = moments(draw('normal', { std: 2, mean: 1 }, many));
    expect(normal.mean).toBeCloseTo(1, 1.5);
    expect(normal.std).toBeCloseTo(2, 1.5);
    const bert = moments(draw('trunc_normal', { std: 0.02 }, many));
    expect(bert.std).toBeCloseTo(0.02, 3.5);
    // Variance of a standard normal cut at ±2: 1 - 4φ(2)/(2Φ(2) - 1) = 0.7737.
    const cut = moments(draw('trunc_normal', { std: 1 }, many));
    expect(cut.std).toBeCloseTo(Math.sqrt(0.77374), 2);
    expect(cut.low).toBeGreaterThanOrEqual(-2);
    expect(cut.high).toBeLessThanOrEqual(2);
    expect(cut.high).toBeGreaterThan(1.99);
    // Far from the mean the density falls like an exponential: mean of N(0, 1) within [8, 9] is 8.1213.
    for (const sign of [1, -1]) {
      const far = moments(draw('trunc_normal', { std: 1, a: sign > 0 ? 8 : -9, b: sign > 0 ? 9 : -8 }, many));
      expect(far.mean * sign).toBeCloseTo(8.1212, 2.5);
      expect(Math.min(far.low * sign, far.high * sign)).toBeGreaterThanOrEqual(8);
    }
    const flat = moments(draw('uniform', { low: -1, high: 3 }, many));
    expect(flat.mean).toBeCloseTo(1, 1.5);
    expect(flat.std).toBeCloseTo(4 / Math.sqrt(12), 2);
    expect(flat.low).toBeGreaterThanOrEqual(-1);
    expect(flat.high).toBeLessThanOrEqual(3);
  });

  test('fans as PyTorch counts them: [out, in, kernel…]', () => {
    const xavier = moments(draw('xavier_uniform', { gain: 2 }, [64, 32, 3, 3]));
    expect(xavier.high).toBeCloseTo(2 * Math.sqrt(6 / ((64 + 32) * 9)), 3);
    const kaiming = moments(draw('kaiming_uniform', { a: Math.sqrt(5) }, [64, 32, 3, 3]));
    expect(kaiming.high).toBeCloseTo(1 / Math.sqrt(32 * 9), 3);
    expect(kaiming.low).toBeCloseTo(-1 / Math.sqrt(32 * 9), 3);
  });

  test('the ring of Deformable DETR', () => {
    // heads = 8, levels = 1, points = 2, from its `_reset_parameters`, rounded to integers: exact there up to float32.
    const ring = [...draw('ring', { heads: 8, levels: 1, points: 2 }, [32])];
    const directions = [
      [1, 0],
      [1, 1],
      [0, 1],
      [-1, 1],
      [-1, 0],
      [-1, -1],
      [0, -1],
      [1, -1],
    ];
    expect(ring.map((x) => x + 0)).toEqual(directions.flatMap(([x, y]) => [x!, y!, 2 * x!, 2 * y!]));
    for (const heads of [1, 3, 5, 12, 16]) {
      const got = draw('ring', { heads, levels: 2, points: 1 }, [heads * 4]);
      for (let head = 0; head < heads; head++) {
        const theta = (head * 2 * Math.PI) / heads;
        const most = Math.max(Math.abs(Math.cos(theta)), Math.abs(Math.sin(theta)));
        expect(got[head * 4 + 2]).toBeCloseTo(Math.cos(theta) / most, 6);
        expect(got[head * 4 + 3]).toBeCloseTo(Math.sin(theta) / most, 6);
      }
    }
  });

  test('depend on seed and path alone, whatever else is drawn', () => {
    const init = { name: 'normal', args: { std: 1 } };
    const weights = ['a', 'b'].map((path) => ({ path, shape: [40_000], init }));
    const source = initialWeights(weights, 3);
    const b = source.read('b') as Float32Array;
    expect(b).toEqual(draw('normal', { std: 1 }, [40_000], 'b'));
    expect(b).not.toEqual(source.read('a'));
    expect(b).not.toEqual(draw('normal', { std: 1 }, [40_000], 'b', 4));
    // A longer weight begins with the shorter one: chunks leave no trace.
    expect(draw('normal', { std: 1 }, [20_001], 'b')).toEqual(b.subarray(0, 20_001));
  });

  test('the same words on every machine', () => {
    expect([...draw('normal', { std: 1 }, [4], 'golden', 0)].map((x) => x.toFixed(6))).toMatchInlineSnapshot(`
      [
        "0.331370",
        "0.136422",
        "-0.716684",
        "1.380631",
      ]
    `);
    expect([...draw('trunc_normal', { std: 1 }, [4], 'golden', 0)].map((x) => x.toFixed(6))).toMatchInlineSnapshot(`
      [
        "-0.315768",
        "-0.130179",
        "0.600792",
        "-1.266662",
      ]
    `);
    expect([...draw('uniform', {}, [4], 'golden', 0)].map((x) => x.toFixed(6))).toMatchInlineSnapshot(`
      [
        "0.370182",
        "0.445744",
        "0.736785",
        "0.083696",
      ]
    `);
  });

  test('arguments that do not fit are one line', () => {
    expect(() => draw('xavier_uniform', {}, [4])).toThrow(UserError);
    expect(() => draw('xavier_uniform', {}, [4])).toThrow(
      'weight w: xavier_uniform: fan in and fan out need a weight of rank 2',
    );
    expect(() => draw('ring', { heads: 8, levels: 4, points: 4 }, [8])).toThrow(
      'heads*levels*points*2 is 256, and the weight has 8',
    );
    expect(() => draw('normal', { std: -1 }, [8])).toThrow('std must not be negative');
    expect(() => draw('trunc_normal', { std: 1, a: 2, b: 2 }, [8])).toThrow('a must be below b');
    expect(() => draw('uniform', { low: 2, high: 1 }, [8])).toThrow('low must not be above high');
  });
});
