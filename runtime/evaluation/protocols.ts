import type { ProtocolName } from '../../compiler/elaborate/source/recipe-tables.ts';
import { resizeAligned, type Size, warpCubic } from './resample.ts';

export { type ProtocolName, protocolNames } from '../../compiler/elaborate/source/recipe-tables.ts';

/** Where prediction and truth are compared: at the size that the model takes, or at that of the image's mask. */
export const comparisonSizes = ['model', 'original'] as const;
export type ComparisonSize = (typeof comparisonSizes)[number];

/**
 * How published code turns logits into figures. The repositories differ in small things that move results, so that
 * figures compare only under one protocol.
 */
export interface Protocol {
  readonly name: ProtocolName;
  /** What it does, in a line. */
  readonly docs: string;
  /** The first is the default. */
  readonly sizes: readonly ComparisonSize[];
  /** Logits [height, width] → 1 where the mask is on, at the size `to`. */
  foreground(logits: Float32Array, from: Size, to: Size): Uint8Array;
  /** Of two areas in pixels. */
  iou(intersection: number, union: number): number;
  /** Whether a sample counts for Pr@threshold. */
  reaches(iou: number, threshold: number): boolean;
}

const same = (a: Size, b: Size): boolean => a[0] === b[0] && a[1] === b[1];

/** CRIS compares probabilities with 0.35, after they are warped. */
const CRIS_THRESHOLD = 0.35;

export const protocols: { readonly [N in ProtocolName]: Protocol & { readonly name: N } } = {
  /** yz93/LAVT-RIS and Lsan2401/RMSIN, test.py. */
  lavt: {
    name: 'lavt',
    docs: 'LAVT, RMSIN: argmax, truth resized to the model; an empty union counts as IoU 0; Pr@X with IoU ≥ X',
    sizes: ['model'],
    foreground: (logits) => Uint8Array.from(logits, (y) => (y > 0 ? 1 : 0)),
    iou: (intersection, union) => (union === 0 ? 0 : intersection / union),
    reaches: (iou, threshold) => iou >= threshold,
  },
  /**
   * lsa1997/CARIS, eval.py, with one channel (model/models/caris.py): sigmoid ≥ 0.5, and 0/0 where the union is empty,
   * which makes the mean no number.
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
  /** DerrickWang005/CRIS.pytorch, engine/engine.py. */
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
