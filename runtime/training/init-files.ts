import { dirname, resolve } from 'node:path';
import type { Selection } from '../../compiler/elaborate/models/selection.ts';
import { selects } from '../../compiler/elaborate/models/selection.ts';
import type { WeightPart } from '../../compiler/elaborate/models/weight-parts.ts';
import type { PlacedMap } from '../../compiler/elaborate/weights/weights-map-places.ts';
import type { TrainedWeight } from '../../compiler/training/compile-training.ts';
import type { Initialisation } from '../../compiler/training/recipe.ts';
import type { FileWeights } from '../weights/weights.ts';
import { openWeightsVia } from '../weights/weights-map.ts';

/** The effect of one `init` of a recipe. */
export interface InitReport {
  /** The pattern of the selected weights: `backbone.*`. */
  readonly init: string;
  readonly file: string;
  readonly via: string | null;
  /** Number of weights from the file. */
  readonly taken: number;
  /** Parts that `except` leaves unchanged. */
  readonly left: readonly string[];
  /** Weights that are interpolated from a tensor of another size. */
  readonly resized: readonly string[];
  /** Number of tensors that a rule of the map skips. */
  readonly skipped: number;
  /** Number of float64 tensors that are rounded to float32. */
  readonly narrowed: number;
  /** Number of tensors in the file that no weight uses, including those that are skipped. */
  readonly unused: number;
}

export interface InitReports {
  readonly inits: readonly InitReport[];
  /** Number of all weights of the model, including buffers; `drawn` holds those from no file, with their parts. */
  readonly weights: number;
  readonly drawn: { readonly count: number; readonly parts: readonly string[] };
}

/** An open file of an `init`, with the weights that it provides. */
export interface OpenInit {
  readonly file: FileWeights;
  readonly weights: readonly TrainedWeight[];
  readonly report: InitReport;
}

/** The weights of a model and its parts. */
export interface PartedWeights {
  readonly weights: readonly TrainedWeight[];
  readonly parts: readonly WeightPart[];
  /** Returns the maps to choose from if an `init` names none and its file has published names. */
  readonly knownMaps: (selection: Selection) => readonly PlacedMap[];
}

/**
 * Opens the file of an `init` and compares its tensors with the selected weights: names, shapes and dtypes. Throws a
 * UserError if they do not fit; if only some parts are missing, the message contains an `except` for them.
 */
export async function openInit(init: Initialisation, { weights, parts, knownMaps }: PartedWeights): Promise<OpenInit> {
  const { pattern, file, source, via, except } = init;
  const selected = weights.filter(({ path }) => selects(init, path));
  const isLeft = ({ path }: TrainedWeight) => except.some((one) => selects(one, path));
  const given = selected.filter((weight) => !isLeft(weight));
  const wanted = given.map((weight) => ({ ...weight, dtype: 'f32' as const }));
  // Relative to the file of the recipe; the source is that file's name with a line number.
  const path = resolve(dirname(source.replace(/:\d+$/, '')), file);
  const hint = (missing: readonly string[]): string | undefined => {
    if (missing.length === 0 || missing.length === given.length) return undefined;
    const without = new Set([...missing, ...selected.filter(isLeft).map((weight) => weight.path)]);
    const named = partsOf(selected, without, parts);
    const mapped = via ? ` via ${via.name}` : '';
    return `to leave these as they are, write: init ${pattern} from "${file}"${mapped} except ${named.join(', ')}`;
  };
  const opened = await openWeightsVia(path, wanted, { via, known: () => knownMaps(init), extra: 'allow' }, { hint });
  const left = new Set(selected.filter(isLeft).map((weight) => weight.path));
  const report: InitReport = {
    init: pattern,
    file: path,
    via: opened.map ?? null,
    taken: given.length,
    left: partsOf(selected, left, parts),
    resized: opened.resized.map(({ path, from, to }) => `${path} [${from.join(', ')}] to [${to.join(', ')}]`),
    skipped: opened.skipped,
    narrowed: opened.narrowed,
    unused: opened.unused,
  };
  return { file: opened, weights: given, report };
}

/** Returns the effects of all `init`s of a recipe from the headers of their files. Throws as `openInit` does. */
export async function initReports(
  inits: readonly Initialisation[],
  model: PartedWeights,
): Promise<InitReports | undefined> {
  if (inits.length === 0) return undefined;
  const reports: InitReport[] = [];
  const drawn = new Set(model.weights.map(({ path }) => path));
  for (const init of inits) {
    const { file, weights, report } = await openInit(init, model);
    await file.close();
    for (const { path } of weights) drawn.delete(path);
    reports.push(report);
  }
  const parts = partsOf(model.weights, drawn, model.parts);
  return { inits: reports, weights: model.weights.length, drawn: { count: drawn.size, parts } };
}

/** Maximum number of parts that a line names. */
const named = 8;

/** Formats the reports, one line each. */
export function shownInits({ inits, weights, drawn }: InitReports): string[] {
  const list = (parts: readonly string[]) =>
    parts.length > named ? `${parts.slice(0, named).join(', ')} and ${parts.length - named} more` : parts.join(', ');
  const lines = inits.map(({ init, file, via, taken, left, unused, resized, narrowed }) =>
    [
      `init ${init} from ${file}${via === null ? '' : ` via ${via}`}: ${counted(taken, 'weight')} taken`,
      ...(resized.length > 0 ? [`${counted(resized.length, 'weight')} resized: ${list(resized)}`] : []),
      ...(narrowed > 0 ? [`${counted(narrowed, 'tensor')} rounded from float64 to float32`] : []),
      ...(left.length > 0 ? [`left as they are: ${list(left)}`] : []),
      ...(unused > 0 ? [`${counted(unused, 'tensor')} of the file not used`] : []),
    ].join('; '),
  );
  const rest =
    drawn.count === 0
      ? 'none is drawn'
      : `${drawn.count} ${drawn.count === 1 ? 'is' : 'are'} drawn: ${list(drawn.parts)}`;
  return [...lines, `${weights - drawn.count} of ${weights} weights are from files, and ${rest}`];
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/**
 * Covers a set of weights by the largest parts that contain only weights of the
 * set; remaining weights are listed by path.
 */
function partsOf(
  weights: readonly { readonly path: string }[],
  some: ReadonlySet<string>,
  parts: readonly WeightPart[],
): readonly string[] {
  const open = new Set(some);
  const found: string[] = [];
  for (const { pattern, roots } of parts) {
    if (open.size === 0) break;
    const within = weights.filter(({ path }) => selects({ pattern, roots }, path));
    if (within.length === 0 || !within.every(({ path }) => open.has(path))) continue;
    for (const { path } of within) open.delete(path);
    found.push(pattern);
  }
  return [...found, ...open];
}
