import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ProtocolName, protocolNames, protocols } from '../../../runtime/evaluation/protocols.ts';
import { resizeAligned, warpCubic } from '../../../runtime/evaluation/resample.ts';
import { overlap, type SampleResult, scoresBy, scoresOf } from '../../../runtime/evaluation/scores.ts';
import { holds } from '../../property.ts';

const sample = (category?: string) => ({
  image: 'i.png',
  mask: { kind: 'file', path: 'm.png', above: 0 } as const,
  phrase: 'it',
  file: 'f.txt',
  line: 1,
  ...(category === undefined ? {} : { category }),
});

const results = (name: ProtocolName, areas: readonly (readonly [number, number])[]): SampleResult[] =>
  areas.map(([intersection, union]) => ({
    sample: sample(),
    iou: protocols[name].iou(intersection, union, true),
    intersection,
    union,
    predicted: union,
  }));

describe('by hand', () => {
  // IoU 1/2, 6/10, 9/10, 0, and an empty union.
  const areas = [
    [1, 2],
    [6, 10],
    [9, 10],
    [0, 5],
    [0, 0],
  ] as const;

  test('lavt: an empty union is 0 and counts; thresholds are reached from above and at', () => {
    const scores = scoresOf(results('lavt', areas), protocols.lavt);
    expect(scores).toEqual({
      samples: 5,
      oIoU: 16 / 27,
      mIoU: (0.5 + 0.6 + 0.9) / 5,
      precision: { '0.5': 3 / 5, '0.6': 2 / 5, '0.7': 1 / 5, '0.8': 1 / 5, '0.9': 1 / 5 },
    });
  });

  test('caris: an empty union is no number, and so is the mean; it reaches nothing', () => {
    const scores = scoresOf(results('caris', areas), protocols.caris);
    expect(scores.mIoU).toBeNaN();
    expect(scores.oIoU).toBe(16 / 27);
    expect(scores.precision['0.5']).toBe(3 / 5);
    expect(scoresOf(results('caris', areas.slice(0, 4)), protocols.caris).mIoU).toBe(2 / 4);
  });

  test('cris: strictly above, with a little in the divisor', () => {
    const scores = scoresOf(results('cris', areas), protocols.cris);
    // 1/2, 6/10 and 9/10 are just below their thresholds.
    expect(scores.precision).toEqual({ '0.5': 2 / 5, '0.6': 1 / 5, '0.7': 1 / 5, '0.8': 1 / 5, '0.9': 0 });
    expect(scores.mIoU).toBeCloseTo(2 / 5, 6);
    expect(scores.mIoU).toBeLessThan(2 / 5);
    expect(protocols.cris.iou(0, 0, true)).toBe(0);
    expect(protocols.cris.reaches(0.5, 0.5)).toBe(false);
  });

  test('what a logit must be', () => {
    const logits = Float32Array.of(-1, -0.62, -0.61, -0, 0, 0.5);
    const at = (name: ProtocolName) => [...protocols[name].foreground(logits, [2, 3], [2, 3])];
    expect(at('lavt')).toEqual([0, 0, 0, 0, 0, 1]);
    expect(at('caris')).toEqual([0, 0, 0, 1, 1, 1]);
    // sigmoid(-0.61904) = 0.35
    expect(at('cris')).toEqual([0, 0, 1, 1, 1, 1]);
  });

  test('groups, the largest first, whatever their names', () => {
    const of = (category: string | undefined, intersection: number): SampleResult => ({
      sample: sample(category),
      iou: intersection / 4,
      predicted: 4,
      intersection,
      union: 4,
    });
    const all = [of('ship', 4), of('__proto__', 1), of('ship', 2), of(undefined, 3), of('court', 0)];
    const groups = scoresBy(all, protocols.lavt, ({ category }) => category);
    expect(Object.keys(groups)).toEqual(['ship', '__proto__', 'court']);
    expect(groups.ship).toMatchObject({ samples: 2, oIoU: 6 / 8, mIoU: 0.75 });
    expect(Object.entries(groups)[1]?.[1]).toMatchObject({ samples: 1, mIoU: 0.25 });
    expect(groups.court).toMatchObject({ samples: 1, oIoU: 0 });
  });
});

test('masks are compared pixel by pixel', () => {
  holds(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 200 }), (pairs) => {
      const plane = (k: 0 | 1) => Uint8Array.from(pairs, (pair) => (pair[k] ? 1 : 0));
      const both = new Set(pairs.flatMap(([a, b], i) => (a && b ? [i] : [])));
      const either = new Set(pairs.flatMap(([a, b], i) => (a || b ? [i] : [])));
      expect(overlap(plane(0), plane(1))).toMatchObject({ intersection: both.size, union: either.size });
    }),
    { seed: 7 },
  );
  expect(() => overlap(new Uint8Array(3), new Uint8Array(4))).toThrow('bug in crobc');
});

test('figures are those of a slow count in whole numbers', () => {
  const area = fc.nat({ max: 50 }).chain((union) => fc.tuple(fc.nat({ max: union }), fc.constant(union)));
  holds(
    fc.property(fc.constantFrom(...protocolNames), fc.array(area, { minLength: 1, maxLength: 40 }), (name, areas) => {
      const scores = scoresOf(results(name, areas), protocols[name]);
      // Thresholds as tenths: 10 I ≥ k U needs no division. CRIS's 1e-6 turns every tie into less.
      for (let k = 5; k <= 9; k++) {
        const reached = areas.filter(([i, u]) => (name === 'cris' ? 10 * i > k * u : u > 0 && 10 * i >= k * u)).length;
        expect(scores.precision[`0.${k}` as '0.5']).toBe(reached / areas.length);
      }
      const [i, u] = areas.reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
      expect(scores.oIoU).toBe(name === 'rrsis' ? i / u - 0.01 : i / u);
      const means = areas.map(([i, u]) => (u === 0 ? (name === 'caris' ? Number.NaN : 0) : i / u));
      const mean = means.reduce((a, b) => a + b, 0) / means.length;
      if (Number.isNaN(mean)) expect(scores.mIoU).toBeNaN();
      else expect(Math.abs(scores.mIoU - mean)).toBeLessThan(1e-5);
    }),
    { seed: 11 },
  );
});

describe('resizing', () => {
  const plane = Float32Array.from({ length: 5 * 7 }, (_, i) => Math.sin(i * i));

  test('bilinear with corners aligned', () => {
    // By hand: from 2 to 3 samples, the middle one is the mean.
    expect([...resizeAligned(Float32Array.of(0, 2, 4, 6), [2, 2], [3, 3])]).toEqual([0, 1, 2, 2, 3, 4, 4, 5, 6]);
    expect([...resizeAligned(Float32Array.of(3, 9), [1, 2], [2, 1])]).toEqual([3, 3]);
    const same = resizeAligned(plane, [5, 7], [5, 7]);
    expect([...same]).toEqual([...plane]);
    // torch.nn.functional.interpolate(plane, (4, 9), mode='bilinear', align_corners=True), rows 1 and 2.
    const torch = [-0.322658, 0.146825, -0.224838, -0.65135, -0.346417, 0.311787, 0.148485, -0.346907, -0.684973];
    const own = resizeAligned(plane, [5, 7], [4, 9]);
    for (const [i, v] of torch.entries()) expect(own[9 + i]).toBeCloseTo(v, 5);
  });

  test('cubic, as OpenCV warps', () => {
    expect([...warpCubic(plane, [5, 7], [5, 7])]).toEqual([...plane]);
    // cv2.warpAffine(plane, getAffineTransform, (6, 9), INTER_CUBIC, borderValue=0), OpenCV 4.8: rows 0, 1, 4 and 8.
    const rows: Readonly<Record<number, readonly number[]>> = {
      0: [0.0, 0.6801, -0.51233, 0.15711, -0.12837, -0.95731],
      1: [-0.74038, 1.04714, -0.76465, 0.36766, -0.01832, -0.85495],
      4: [1.1795, -1.01925, -0.45996, -0.29959, 0.04666, -0.60979],
      8: [-0.75987, -0.38758, 0.47387, -0.26466, 0.491, 0.01851],
    };
    const own = warpCubic(plane, [5, 7], [9, 6]);
    for (const [row, values] of Object.entries(rows)) {
      for (const [x, v] of values.entries()) expect(own[Number(row) * 6 + x]).toBeCloseTo(v, 4);
    }
  });
});
