import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** The size of what make-fixtures.py writes. */
export const [width, height] = [37, 21] as const;

const factors = {
  uint8: 1,
  int8: -0.5,
  uint16: 211,
  int16: -97,
  uint32: 70_001,
  int32: -70_001,
  float32: 0.37,
  float64: 0.37,
} as const;

export type SampleType = keyof typeof factors;
export const sampleTypes = Object.keys(factors) as SampleType[];

/** The value of a band (from 0) of a fixture, as a 32-bit float. */
export function valueAt(type: SampleType, x: number, y: number, band: number): number {
  // The sum makes 0 of -0, which is what integers have.
  const value = (3 * x + 5 * y + 40 * band) * factors[type] + 0;
  switch (type) {
    case 'uint8':
      return value & 0xff;
    case 'int8':
      return (Math.trunc(value) << 24) >> 24;
    case 'uint16':
      return value & 0xffff;
    default:
      return Math.fround(value);
  }
}

/** Bundles of tests lie elsewhere; all run in the folder of the repository. */
const folder = resolve('test/runtime/images/tiff/fixtures');

export function fixture(name: string): string {
  return join(folder, `${name}.tif`);
}

export function fixtureBytes(name: string): Promise<Buffer> {
  return readFile(fixture(name));
}
