import type { AxisTiles } from './tiles.ts';

/**
 * The logits of the rows of a scene that tiles are being added to. Tiles come row by row; rows that no further tile
 * covers are taken out.
 */
export class BlendedRows {
  readonly #width: number;
  readonly #columns: AxisTiles;
  readonly #rows: AxisTiles;
  readonly #logits: Float32Array;

  constructor(width: number, columns: AxisTiles, rows: AxisTiles) {
    this.#width = width;
    this.#columns = columns;
    this.#rows = rows;
    this.#logits = new Float32Array(width * rows.length);
  }

  static memory(width: number, rows: number): number {
    return 4 * width * rows;
  }

  /** Adds the logits [rows, columns] of a tile. */
  add(logits: Float32Array, row: number, column: number): void {
    const [down, along] = [this.#rows.weights[row]!, this.#columns.weights[column]!];
    const left = this.#columns.starts[column]!;
    const length = this.#columns.length;
    const wide = Math.min(length, this.#width - left);
    for (let y = 0; y < down.length; y++) {
      const to = y * this.#width + left;
      const from = y * length;
      for (let x = 0; x < wide; x++)
        this.#logits[to + x] = this.#logits[to + x]! + down[y]! * along[x]! * logits[from + x]!;
    }
  }

  /**
   * Takes out the rows that are complete after a row of tiles, which the next one does not cover; `most` is the number
   * of rows that the scene has left.
   */
  take(row: number, most: number): Float32Array {
    const next = this.#rows.starts[row + 1];
    const rows = next === undefined ? Math.min(most, this.#rows.length) : next - this.#rows.starts[row]!;
    const count = rows * this.#width;
    const taken = this.#logits.slice(0, count);
    this.#logits.copyWithin(0, count);
    this.#logits.fill(0, this.#logits.length - count);
    return taken;
  }

  /** The rows to which further tiles are added, after `take`; `restore` puts them back. */
  get rest(): Float32Array {
    return this.#logits;
  }

  restore(rest: Float32Array): void {
    this.#logits.set(rest);
  }
}
