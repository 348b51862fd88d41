import type { ProtocolName } from '../../compiler/elaborate/source/recipe-tables.ts';
import { resizePlane } from '../images/resize.ts';
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
  /** A prediction with fewer pixels is cleared: the model then says that there is no target. */
  readonly leastPixels: number;
  /** IoU from two areas in pixels; `target` is whether the phrase describes something in the image. */
  iou(intersection: number, union: number, target: boolean): number;
  /** oIoU from the sums of all areas. */
  overall(intersections: number, unions: number): number;
  /** Whether an IoU counts for Pr@threshold. */
  reaches(iou: number, threshold: number): boolean;
  /** Whether Pr@X is a share of all samples, or only of those with a target. */
  readonly precisionOf: 'all' | 'targets';
}

/** What most protocols have in common. */
const usual = {
  leastPixels: 0,
  overall: (intersections: number, unions: number) => intersections / unions,
  precisionOf: 'all',
} as const;

const atLeast = (iou: number, threshold: number): boolean => iou >= threshold;

function same(a: Size, b: Size): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

/** CRIS compares probabilities with 0.35 after warping them. */
const CRIS_THRESHOLD = 0.35;
/** One point, as a fraction. */
const PRINTED_LOWER = 0.01;

export const protocols: { readonly [N in ProtocolName]: Protocol & { readonly name: N } } = {
  /** From test.py of yz93/LAVT-RIS and Lsan2401/RMSIN. */
  lavt: {
    ...usual,
    name: 'lavt',
    docs: 'LAVT, RMSIN: argmax, truth resized to the model; an empty union counts as IoU 0; Pr@X with IoU ≥ X',
    sizes: ['model', 'original'],
    foreground: argmaxAligned,
    iou: (intersection, union) => (union === 0 ? 0 : intersection / union),
    reaches: atLeast,
  },
  /**
   * From eval.py of lsa1997/CARIS with one channel (model/models/caris.py): sigmoid ≥ 0.5. An empty
   * union gives 0/0, which makes the mean NaN.
   */
  caris: {
    ...usual,
    name: 'caris',
    docs: 'CARIS: sigmoid ≥ 0.5, truth resized to the model or as it is; an empty union gives no number; Pr@X with IoU ≥ X',
    sizes: ['model', 'original'],
    foreground: (logits, from, to) =>
      Uint8Array.from(same(from, to) ? logits : resizeAligned(logits, from, to), (y) => (y >= 0 ? 1 : 0)),
    iou: (intersection, union) => intersection / union,
    reaches: atLeast,
  },
  /** From engine/engine.py of DerrickWang005/CRIS.pytorch. */
  cris: {
    ...usual,
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
  /**
   * From train.py of zhu-xlab/rrsis, whose `evaluate` prints the overall IoU minus one point; its other numbers are those
   * of LAVT.
   */
  rrsis: {
    ...usual,
    name: 'rrsis',
    docs: 'LGCE: as lavt, with an oIoU that is one point lower, as its code prints it',
    sizes: ['model', 'original'],
    foreground: argmaxAligned,
    iou: (intersection, union) => (union === 0 ? 0 : intersection / union),
    overall: (intersections, unions) => intersections / unions - PRINTED_LOWER,
    reaches: atLeast,
  },
  /**
   * From gres_model/evaluation of henghuiding/ReLA, for a model without an output for "no target": the GRES paper clears
   * predictions of fewer than 50 pixels.
   */
  gres: {
    name: 'gres',
    docs: 'GRES: argmax at the original size; fewer than 50 pixels are none; a phrase without a target has IoU 1 if nothing is predicted, else 0; Pr@X of phrases with a target',
    sizes: ['original', 'model'],
    leastPixels: 50,
    foreground: (logits, from, to) => Uint8Array.from(resizePlane(logits, from, to), (y) => (y > 0 ? 1 : 0)),
    iou: (intersection, union, target) => (union === 0 ? (target ? 0 : 1) : intersection / union),
    overall: usual.overall,
    reaches: atLeast,
    precisionOf: 'targets',
  },
};

/** Class 1 is the larger of two logits; at the original size, logits are resized first, with aligned corners. */
function argmaxAligned(logits: Float32Array, from: Size, to: Size): Uint8Array {
  return Uint8Array.from(same(from, to) ? logits : resizeAligned(logits, from, to), (y) => (y > 0 ? 1 : 0));
}
