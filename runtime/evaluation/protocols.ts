import type { ProtocolName } from '../../compiler/elaborate/source/recipe-tables.ts';
import { resizeAligned, type Size, warpCubic } from './resample.ts';

export { type ProtocolName, protocolNames } from '../../compiler/elaborate/source/recipe-tables.ts';

/** The sizes at which prediction and truth can be compared: that of the model's input, or that of the image's mask. */
export const comparisonSizes = ['model', 'original'] as const;
export type ComparisonSize = (typeof comparisonSizes)[number];

/**
 * How published code turns logits into scores. The repositories differ in details that change results, so scores are
 * comparable only under the same protocol.
 */
export interface Protocol {
  readonly name: ProtocolName;
  /** A description in one line. */
  readonly docs: string;
  /** Supported sizes; the first is the default. */
  readonly sizes: readonly ComparisonSize[];
  /** Converts logits [height, width] to a mask of the size `to`; 1 is on. */
  foreground(logits: Float32Array, from: Size, to: Size): Uint8Array;
  /** IoU from two areas in pixels. */
  iou(intersection: number, union: number): number;
  /** Whether an IoU counts for Pr@threshold. */
  reaches(iou: number, threshold: number): boolean;
}

const same = (a: Size, b: Size): boolean => a[0] === b[0] && a[1] === b[1];

/** CRIS compares probabilities with 0.35 after warping them. */
const CRIS_THRESHOLD = 0.35;

export const protocols: { readonly [N in ProtocolName]: Protocol & { readonly name: N } } = {
  /** From test.py of yz93/LAVT-RIS and Lsan2401/RMSIN. */
  lavt: {
    name: 'lavt',
    docs: 'LAVT, RMSIN: argmax, truth resized to the model; an empty union counts as IoU 0; Pr@X with IoU ≥ X',
    sizes: ['model'],
    foreground: (logits) => Uint8Array.from(logits, (y) => (y > 0 ? 1 : 0)),
    iou: (intersection, union) => (union === 0 ? 0 : intersection / union),
    reaches: (iou, threshold) => iou >= threshold,
  },
  /**
   * From eval.py of lsa1997/CARIS with one channel (model/models/caris.py): sigmoid ≥ 0.5. An empty
   * union gives 0/0, which makes the mean NaN.
   */
  caris: {
    name: 'caris',
    docs: 'CARIS: sigmoid ≥ 0.5, truth resized to the model or as it is; an empty union gives no number; Pr@X with IoU ≥ X',
    sizes: ['model', 'original'],
    foreground: (logits, from, to) =>
      Uint8Array.from(same(from, to) ? logits : resizeAligned(logits, from, to), (y) => (y >= 0 ? 1 : 0)),
    iou: (intersection, union) => intersection / union,
    reaches: (iou, threshold) => iou >= threshold,
  },
  /** From engine/engine.py of DerrickWang005/CRIS.pytorch. */
  cris: {
    name: 'cris',
    docs: 'CRIS: sigmoid > 0.35 after cubic warping to the size of the truth; union + 1e-6; Pr@X with IoU > X',
    sizes: ['original'],
    foreground(logits, from, to) {
      const probability = Float64Array.from(logits, (y) => 1 / (1 + Math.exp(-y)));
      return Uint8Array.from(same(from, to) ? probability : warpCubic(probability, from, to), (p) =>
        p > CRIS_THRESHOLD ? 1 : 0,
      );
    },
    iou: (intersection, union) => intersection / (union + 1e-6),
    reaches: (iou, threshold) => iou > threshold,
  },
};
