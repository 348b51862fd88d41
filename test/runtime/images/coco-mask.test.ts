import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addPart, decompressed, type MaskPart, MaskPartFault } from '../../../runtime/images/coco-mask.ts';

interface Case {
  readonly height: number;
  readonly width: number;
  readonly polygon: readonly number[];
  readonly compressed: string;
  readonly runs: readonly number[];
  /** Rows of 0 and 1. */
  readonly mask: string;
}
const cases = JSON.parse(readFileSync('test/goldens/coco-masks.json', 'utf8')) as readonly Case[];

const drawn = (part: MaskPart, height: number, width: number): string => {
  const plane = new Uint8Array(height * width);
  addPart(plane, part, height, width);
  return plane.join('');
};

describe('as pycocotools', () => {
  test.each(cases.map((one, i) => [i, one] as const))(
    'case %i',
    (_, { height, width, polygon, compressed, runs, mask }) => {
      expect(decompressed(compressed)).toEqual(runs);
      expect(drawn({ kind: 'runs', counts: runs }, height, width)).toBe(mask);
      expect(drawn({ kind: 'compressed', counts: compressed }, height, width)).toBe(mask);
      expect(drawn({ kind: 'polygon', corners: polygon }, height, width)).toBe(mask);
    },
  );

  test('the masks are not all alike', () => {
    expect(cases.filter(({ mask }) => mask.includes('1')).length).toBeGreaterThan(60);
  });
});

test('parts are added', () => {
  const plane = new Uint8Array(6);
  addPart(plane, { kind: 'runs', counts: [0, 3, 3] }, 2, 3);
  addPart(plane, { kind: 'runs', counts: [2, 2, 2] }, 2, 3);
  // Down the columns: the first part has (0,0), (1,0), (0,1).
  expect([...plane]).toEqual([1, 2, 0, 1, 1, 0]);
});

describe('what is refused', () => {
  const refused = (part: MaskPart, height = 4, width = 4) => {
    expect(() => drawn(part, height, width)).toThrow(MaskPartFault);
    try {
      drawn(part, height, width);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  test('runs that do not fill the mask, or overrun it', () => {
    expect(refused({ kind: 'runs', counts: [3, 4] })).toBe('its runs have 7 pixels, and 4 × 4 are 16');
    expect(refused({ kind: 'runs', counts: [3, 1e12] })).toMatch(/^its runs have 1000000000003 pixels/);
    expect(refused({ kind: 'runs', counts: [-1, 17] })).toBe('a run of -1 pixels');
    expect(refused({ kind: 'compressed', counts: '1' })).toMatch(/have 1 pixels/);
  });

  test('damaged texts', () => {
    expect(refused({ kind: 'compressed', counts: '1 2' })).toBe('the character 2 of its runs is no part of a number');
    expect(refused({ kind: 'compressed', counts: '1é' })).toMatch(/character 2/);
    expect(refused({ kind: 'compressed', counts: 'PP' })).toBe('its runs end within a number');
    expect(refused({ kind: 'compressed', counts: `${'o'.repeat(40)}0` })).toMatch(/too long/);
    // The fourth number is a difference: -1 from 0.
    expect(refused({ kind: 'compressed', counts: '000O' })).toBe('a run of -1 pixels');
  });

  test('polygons without an inside, without numbers, and without an end', () => {
    expect(refused({ kind: 'polygon', corners: [1, 2, 3, 4] })).toMatch(/three corners are 6/);
    expect(refused({ kind: 'polygon', corners: [1, 2, 3, 4, 5, Number.NaN] })).toMatch(/no point/);
    expect(refused({ kind: 'polygon', corners: [1, 2, 1e12, 4, 5, 6] })).toMatch(/pixels long/);
  });
});
