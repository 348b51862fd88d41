import { UserError } from '../../files/user-error.ts';
import type { HostTensor } from '../../ort/session.ts';
import type { DrawnValue } from './drawn-values.ts';
import { combined, mapsOf, mean, type Plane, type Size } from './maps.ts';

/** A word of the phrase: its position among the tokens of the model, and its text. */
export interface Word {
  readonly position: number;
  readonly text: string;
}

/** A region in pixels of the model's input. The first differs most. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What a run gave for a value. */
export interface ReadValue {
  readonly value: DrawnValue;
  readonly shape: readonly number[];
  /** The maps that its pixels belong to, fine to coarse. */
  readonly maps: readonly Size[];
  /** For the phrase: the mean over its words; the map itself for a `deficit`. */
  readonly phrase: Plane;
  /** For each word; empty for a `deficit`. */
  readonly words: readonly Plane[];
  readonly regions: readonly Region[];
}

/** Reads a value of one image: its maps over the image, for the phrase and for each word. */
export function readValue(
  value: DrawnValue,
  values: ReadonlyMap<string, HostTensor>,
  words: readonly Word[],
  image: Size,
): ReadValue {
  const tensor = tensorAt(values, value.path);
  const { shape } = tensor;
  if (value.kind === 'deficit') {
    const size: Size = [shape[1]!, shape[2]!];
    const phrase = { size, data: tensor.data };
    const regions = value.regions === undefined ? [] : regionsIn(tensorAt(values, value.regions), image);
    return { value, shape, maps: [size], phrase, words: [], regions };
  }
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  const pixels = value.pixels === 'rows' ? rows : columns;
  const maps = mapsOf(pixels, image);
  if (!maps)
    throw new UserError(`${value.path} has ${pixels} pixels, which are no maps of an image of ${image.join(' × ')}`);
  if (words.length === 0)
    throw new UserError('--attention draws where the words look, and the model reads none of this phrase');
  // Shares of one word over all pixels add up to 1, and so do those of one pixel over all words.
  const kind = value.pixels === 'columns' ? 'share' : 'mean';
  const planes = words.map(({ position }) => {
    const at = new Float32Array(pixels);
    const heads = tensor.data.length / (rows * columns);
    for (let head = 0; head < heads; head++)
      for (let pixel = 0; pixel < pixels; pixel++) {
        const inside = value.pixels === 'rows' ? pixel * columns + position : position * columns + pixel;
        at[pixel]! += tensor.data[head * rows * columns + inside]! / heads;
      }
    return combined(at, maps, kind);
  });
  return { value, shape, maps, phrase: mean(planes), words: planes, regions: [] };
}

function tensorAt(values: ReadonlyMap<string, HostTensor>, path: string): HostTensor & { readonly data: Float32Array } {
  const tensor = values.get(path);
  if (!tensor || !(tensor.data instanceof Float32Array))
    throw new Error(`bug in crobc: the run gave no floats ${path}`);
  return { ...tensor, data: tensor.data };
}

/** The cells that the rows of a `pick` select, as regions of the image. */
function regionsIn({ shape, data }: HostTensor & { readonly data: Float32Array }, [height, width]: Size): Region[] {
  const [, count = 0, cells = 0] = shape;
  const grid = gridOf(cells, [height, width]);
  if (!grid) return [];
  const [rows, columns] = grid;
  return Array.from({ length: count }, (_, k) => {
    const cell = data.subarray(k * cells, (k + 1) * cells).indexOf(1);
    const [y, x] = [Math.floor(cell / columns), cell % columns];
    return {
      left: (x * width) / columns,
      top: (y * height) / rows,
      right: ((x + 1) * width) / columns,
      bottom: ((y + 1) * height) / rows,
    };
  });
}

/** The grid of square cells that an image of this size is divided into. */
function gridOf(cells: number, [height, width]: Size): Size | undefined {
  const side = Math.sqrt((height * width) / cells);
  const grid: Size = [height / side, width / side];
  return grid.every(Number.isInteger) ? grid : undefined;
}
