import { isCount, isNumber, isObject, isText, listOf } from '../files/json.ts';
import { shownValue } from '../files/shown.ts';
import type { MaskPart } from '../images/coco-mask.ts';

/** Height and width in pixels. */
export type MaskSize = readonly [height: number, width: number];

/** Run lengths as COCO writes them: `{ "size": [height, width], "counts": … }`, plain or compressed. */
export interface SizedRuns {
  readonly part: MaskPart;
  readonly size: MaskSize;
}

/** Reads run lengths; what is wrong with them is returned as a phrase. */
export function readRuns(value: unknown): SizedRuns | string {
  if (!isObject(value)) return `${shownValue(value)} has no run lengths`;
  const size = readSize(value.size);
  if (typeof size === 'string') return size;
  const { counts } = value;
  if (isText(counts)) return { size, part: { kind: 'compressed', counts } };
  if (listOf(isCount)(counts)) return { size, part: { kind: 'runs', counts } };
  return `"counts" is ${shownValue(counts)}, neither a text nor a list of numbers of pixels`;
}

export function readSize(value: unknown): MaskSize | string {
  if (!listOf(isCount)(value) || value.length !== 2) return `"size" is ${shownValue(value)}, not [height, width]`;
  const [height = 0, width = 0] = value;
  return height > 0 && width > 0 ? [height, width] : `"size" is ${shownValue(value)}: there are no pixels`;
}

export function readPolygon(value: unknown): MaskPart | string {
  if (!listOf(isNumber)(value) || value.length < 6 || value.length % 2 !== 0)
    return `${shownValue(value)} is no polygon: x and y of three corners or more`;
  return { kind: 'polygon', corners: value };
}
