import { dirname, resolve } from 'node:path';
import { selects } from '../../compiler/elaborate/models/selection.ts';
import type { WeightPart } from '../../compiler/elaborate/models/weight-parts.ts';
import type { TrainedWeight } from '../../compiler/training/compile-training.ts';
import type { Initialisation } from '../../compiler/training/recipe.ts';
import { type FileWeights, openWeights } from '../weights/weights.ts';
import { openMappedWeights } from '../weights/weights-map.ts';

/** What one `init` of a recipe did, or would do. */
export interface InitReport {
  /** The path that it selects: `backbone.*`. */
  readonly init: string;
  readonly file: string;
  readonly via: string | null;
  /** Weights that the file gives. */
  readonly taken: number;
  /** Weights that `except` leaves as they are, by parts. */
  readonly left: readonly string[];
  /** Tensors of the file that no weight is made of. */
  readonly unused: number;
}

export interface InitReports {
  readonly inits: readonly InitReport[];
  /** All weights of the model, buffers among them, and those that no file gives: their parts. */
  readonly weights: number;
  readonly drawn: { readonly count: number; readonly parts: readonly string[] };
}

/** The file of an `init`, open, with the weights that it gives. */
export interface OpenInit {
  readonly file: FileWeights;
  readonly weights: readonly TrainedWeight[];
  readonly report: InitReport;
}

/** Weights of a model with the parts that they belong to. */
export interface PartedWeights {
  readonly weights: readonly TrainedWeight[];
  readonly parts: readonly WeightPart[];
}

/**
 * Opens the file of an `init` and holds its tensors against the weights that it is to give: names, shapes and dtypes.
 * Throws a UserError where they do not fit; where only some parts are missing, it has the `except` that leaves them out.
 */
export async function openInit(init: Initialisation, { weights, parts }: PartedWeights): Promise<OpenInit> {
  const { pattern, file, source, via, except } = init;
  const selected = weights.filter(({ path }) => selects(init, path));
  const isLeft = ({ path }: TrainedWeight) => except.some((one) => selects(one, path));
  const given = selected.filter((weight) => !isLeft(weight));
  const wanted = given.map((weight) => ({ ...weight, dtype: 'f32' as const }));
  // Relative to the file that has the recipe; its line stands after the name.
  const path = resolve(dirname(source.replace(/:\d+$/, '')), file);
  const hint = (missing: readonly string[]): string | undefined => {
    if (missing.length === 0 || missing.length === given.length) return undefined;
    const without = new Set([...missing, ...selected.filter(isLeft).map((weight) => weight.path)]);
    const named = partsOf(selected, without, parts);
    const mapped = via ? ` via ${via.name}` : '';
    return `to leave these as they are, write: init ${pattern} from "${file}"${mapped} except ${named.join(', ')}`;
  };
  const opened = via
    ? await openMappedWeights(path, wanted, via, { hint })
    : await openWeights(path, wanted, { extra: 'allow', hint });
  const left = new Set(selected.filter(isLeft).map((weight) => weight.path));
  const report: InitReport = {
    init: pattern,
    file: path,
    via: via?.name ?? null,
    taken: given.length,
    left: partsOf(selected, left, parts),
    unused: opened.unused,
  };
  return { file: opened, weights: given, report };
}

/** What all `init`s of a recipe come to, from the headers of their files. Throws as `openInit` does. */
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

/** Most parts that a line names. */
const named = 8;

/** The same for a reader, a line each. */
export function shownInits({ inits, weights, drawn }: InitReports): string[] {
  const list = (parts: readonly string[]) =>
    parts.length > named ? `${parts.slice(0, named).join(', ')} and ${parts.length - named} more` : parts.join(', ');
  const lines = inits.map(({ init, file, via, taken, left, unused }) =>
    [
      `init ${init} from ${file}${via === null ? '' : ` via ${via}`}: ${counted(taken, 'weight')} taken`,
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

/** The parts, as large as they can be, that have all of some weights and no other; a weight that is in none by itself. */
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
