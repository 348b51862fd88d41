import type { RgbImage } from '../../images/image.ts';
import type { EncodedText } from '../../text/tokenizer.ts';
import type { Predictor } from '../predictor.ts';

/** What the model predicts where it sees the whole scene at once, at its own size. */
export class GlobalLogits {
  readonly #logits: Float32Array;
  readonly #size: readonly [height: number, width: number];
  readonly #scene: { readonly width: number; readonly height: number };

  private constructor(
    logits: Float32Array,
    size: readonly [number, number],
    scene: { readonly width: number; readonly height: number },
  ) {
    this.#logits = logits;
    this.#size = size;
    this.#scene = scene;
  }

  /** `small` is the whole scene at a low resolution. */
  static async of(
    predictor: Predictor,
    phrase: EncodedText | undefined,
    small: RgbImage,
    scene: { readonly width: number; readonly height: number },
  ): Promise<GlobalLogits> {
    const { logits, size } = await predictor.run(small, phrase);
    return new GlobalLogits(logits, size, scene);
  }

  /** Replaces logits of rows from `top` by the mean of them and the global ones, which are interpolated bilinearly. */
  addTo(logits: Float32Array, top: number): void {
    const [height, width] = this.#size;
    const columns = Array.from({ length: this.#scene.width }, (_, x) => place(x, this.#scene.width, width));
    for (let y = 0; y * this.#scene.width < logits.length; y++) {
      const row = place(top + y, this.#scene.height, height);
      for (const [x, column] of columns.entries()) {
        const at = (r: number, c: number) => this.#logits[r * width + c]!;
        const upper = at(row.low, column.low) * (1 - column.part) + at(row.low, column.high) * column.part;
        const lower = at(row.high, column.low) * (1 - column.part) + at(row.high, column.high) * column.part;
        const i = y * this.#scene.width + x;
        logits[i] = (logits[i]! + upper * (1 - row.part) + lower * row.part) / 2;
      }
    }
  }
}

/** Where a pixel of an axis lies between two of a shorter one, as in `resizePlane`. */
function place(index: number, from: number, to: number) {
  const at = Math.max(0, ((index + 0.5) * to) / from - 0.5);
  const low = Math.min(to - 1, Math.floor(at));
  return { low, high: Math.min(to - 1, low + 1), part: at - low };
}
