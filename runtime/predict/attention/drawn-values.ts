import type { Compiled } from '../../../compiler/compile.ts';
import { asConstant, type Dim, variables } from '../../../compiler/dims/dim.ts';
import type { ExposableValue } from '../../../compiler/elaborate/models/inline.ts';
import type { ModelGraph } from '../../../compiler/elaborate/models/model.ts';
import { showType } from '../../../compiler/elaborate/report/report.ts';
import { valueMatcher } from '../../build/exposed-values.ts';
import { UserError } from '../../files/user-error.ts';
import { mapsOf } from './maps.ts';

/**
 * A value that can be drawn over the image. What it is follows from the name that its module gives it:
 *
 * | name | value |
 * | --- | --- |
 * | `attention` | `[B, …, rows, columns]`: one of the last two axes is pixels and the other words; the axes between are averaged |
 * | `deficit` | `[B, H, W]`: a map over the image |
 * | `pick` | `[B, K, cells]`: K regions of the `deficit` beside it, as rows of zeros with a single one |
 */
export type DrawnValue = {
  readonly path: string;
  /** Its type with the dims of the model. */
  readonly type: string;
  readonly span: ExposableValue['span'];
} & (
  | {
      readonly kind: 'attention';
      /** Which of the last two axes is pixels: `rows` if pixels attend to words. */
      readonly pixels: 'rows' | 'columns';
    }
  | { readonly kind: 'deficit' /** The path of its `pick`. */; readonly regions: string | undefined }
);

/** Returns the paths that a run must compute for these values. */
export function pathsOf(values: readonly DrawnValue[]): readonly string[] {
  return values.flatMap((value) =>
    value.kind === 'deficit' && value.regions !== undefined ? [value.path, value.regions] : [value.path],
  );
}

type Source = Pick<Compiled, 'namedValues'> & { readonly model: ModelGraph };

/**
 * Returns the values of a model that can be drawn, or those of them that the pattern selects. Throws a UserError if
 * there are none, with what there is.
 */
export function drawnValues({ namedValues, model }: Source, pattern: string | undefined): readonly DrawnValue[] {
  const { name } = model.flat;
  const values = namedValues({ open: true });
  const all = drawable(model, values);
  if (all.length === 0) {
    const others = values.filter(({ path }) => lastName(path) === 'attention').map(({ path }) => path);
    const has = others.length === 0 ? 'no value of these names' : `${listed(others)}, not between words and pixels`;
    throw new UserError(
      `${name} has no attention to draw: --attention draws values named attention, between words and pixels, and deficit, a map [B, H, W]; it has ${has} (--expose writes any value)`,
    );
  }
  if (pattern === undefined) return all;
  const matches = valueMatcher(pattern);
  const chosen = all.filter(({ path }) => matches({ path, resultOf: undefined }));
  if (chosen.length === 0)
    throw new UserError(`${name} has no attention ${pattern}; it has ${listed(all.map(({ path }) => path))}`);
  return chosen;
}

function drawable(model: ModelGraph, values: readonly ExposableValue[]): readonly DrawnValue[] {
  const sizes = sizesOf(model);
  if (!sizes) return [];
  const paths = new Set(values.map(({ path }) => path));
  return values.flatMap((value): DrawnValue[] => {
    const { path, span } = value;
    const { dtype, shape } = value.type;
    if (dtype !== 'f32') return [];
    const type = showType(value.type, model.facts);
    const [rows, columns] = shape.slice(-2).map((dim) => axisKind(dim, sizes));
    if (lastName(path) === 'attention' && shape.length >= 3) {
      if (rows === 'pixels' && columns === 'words') return [{ kind: 'attention', path, type, span, pixels: 'rows' }];
      if (rows === 'words' && columns === 'pixels') return [{ kind: 'attention', path, type, span, pixels: 'columns' }];
    }
    if (lastName(path) === 'deficit' && shape.length === 3) {
      const regions = `${path.slice(0, -'deficit'.length)}pick`;
      return [{ kind: 'deficit', path, type, span, regions: paths.has(regions) ? regions : undefined }];
    }
    return [];
  });
}

/** The last name of a path, without the number of a repeated one. */
function lastName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1).replace(/#\d+$/, '');
}

interface Sizes {
  readonly height: Dim;
  readonly width: Dim;
  readonly words: Dim | undefined;
}

function sizesOf({ inputs }: ModelGraph): Sizes | undefined {
  const shapeOf = (name: string) => inputs.find((input) => input.name === name)?.value.type.shape ?? [];
  const [, , height, width] = shapeOf('image');
  return height && width && { height, width, words: shapeOf('tokens')[1] };
}

/** Whether an axis is as long as some maps of the image, or as the words (with prompts after them). */
function axisKind(dim: Dim, { height, width, words }: Sizes): 'pixels' | 'words' | undefined {
  const names = variables(dim);
  const follows = (size: Dim) => [...variables(size)].some((name) => names.has(name));
  if (follows(height) || follows(width)) return 'pixels';
  if (words && follows(words)) return 'words';
  // The sizes of the model's inputs are numbers.
  const [n, h, w, t] = [dim, height, width, words].map((size) => size && asConstant(size));
  if (n === undefined) return undefined;
  if (h !== undefined && w !== undefined && mapsOf(n, [h, w])) return 'pixels';
  return t !== undefined && t <= n && n < 2 * t ? 'words' : undefined;
}

function listed(paths: readonly string[]): string {
  return [...new Set(paths.map((path) => path.replace(/\[\d+\]/g, '[*]')))].join(', ');
}
