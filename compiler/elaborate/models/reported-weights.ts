import type { Span } from '../../../grammar/span.ts';
import type { ModelDecl } from '../../../grammar/tree.ts';
import type { Note } from '../../diagnostics/diagnostic.ts';
import type { Context } from '../context/context.ts';
import { childPath, isWithin as isBelow } from '../context/paths.ts';
import type { OwnPart } from '../context/store.ts';
import { ownParts, partsIn } from '../modules/own-parts.ts';
import type { ModelAt } from '../source/recipe-chain.ts';
import { isOverride, isWithin, type Line, mostTried } from './blame.ts';
import type { ModelGraph } from './model.ts';
import { ownWeights } from './placements.ts';
import { spanOf } from './reach.ts';
import type { WeightUse } from './unread-weights.ts';
import { gathered, type WeightGroup } from './weight-groups.ts';

export interface Place {
  readonly span: Span;
  readonly notes: readonly Note[];
}

/** Unread weights, with the location of the message about them. */
export interface ReportedWeights extends Place {
  /** Whether they are read in the base or without one of the guilty lines. */
  readonly wasRead: boolean;
  readonly groups: readonly WeightGroup[];
}

/** The use of weights without one line. */
export interface Trial {
  readonly span: Span;
  readonly without: WeightUse;
}

/** The data for messages about unread weights. */
export interface ReportBasis {
  readonly use: WeightUse;
  /** The use in the base: weights that the base leaves unread are not reported. */
  readonly before: WeightUse | undefined;
  /** Computed only if there is something to report. */
  readonly trials: () => readonly Trial[];
  /** Returns the location of a message; `guilty` are the lines without which the weights are read. */
  readonly placeOf: (declared: Declared, guilty: readonly Span[]) => Place;
}

/** Returns the unread weights, grouped by the location of their message. */
export function reportedWeights(context: Context, model: ModelGraph, basis: ReportBasis): readonly ReportedWeights[] {
  const { use, before, placeOf } = basis;
  const own = [...use.unread].filter(([path]) => !before?.unread.has(path));
  if (own.length === 0) return [];
  const trials = basis.trials();
  const found = new Map<string, ReportedWeights>();
  for (const group of gathered(own, use.read)) {
    const guilty = trials.filter(({ without }) => group.paths.some((path) => !without.unread.has(path)));
    const wasRead = [before, ...guilty.map(({ without }) => without)].some((one) => one?.read.has(group.paths[0]));
    const place = placeOf(
      declaredAt(context, model, group.root),
      guilty.map(({ span }) => span),
    );
    const key = `${place.span.file}:${place.span.start} ${wasRead}`;
    const known = found.get(key);
    found.set(key, known ? { ...known, groups: [...known.groups, group] } : { ...place, wasRead, groups: [group] });
  }
  return [...found.values()];
}

/** Returns the use of weights without each line that may be to blame, if the model is valid without it. */
export function trialsOf(
  { decl, file }: ModelAt,
  useOf: (without: ModelAt) => WeightUse | undefined,
): readonly Trial[] {
  const lines: readonly Line[] = decl.base ? [...decl.params, ...decl.members] : decl.members.filter(isOverride);
  return lines.slice(0, mostTried).flatMap((line) => {
    const params = decl.params.filter((one) => one !== line);
    const members = decl.members.filter((one) => one !== line);
    const without = useOf({ decl: { ...decl, params, members }, file });
    return without ? [{ span: line.span, without }] : [];
  });
}

/**
 * Returns the line to blame; the name of the model if there are several, or if the part is inherited; otherwise the
 * declaration of the weights in the model's own parts.
 */
export function placeInModel(decl: ModelDecl, declared: Declared, guilty: readonly Span[]): Place {
  const [line, second] = guilty;
  const here: Note = { span: declared.span, text: 'declared here' };
  if (line && !second) return { span: line, notes: [here] };
  if (second || !isWithin(declared.part, decl.span))
    return { span: decl.name.span, notes: [...otherwise(guilty), here] };
  if (declared.span === declared.part) return { span: declared.span, notes: [] };
  return declared.span.file.startsWith('std/')
    ? { span: declared.part, notes: [here] }
    : { span: declared.span, notes: [{ span: declared.part, text: `in this part of ${decl.name.name}` }] };
}

/** Notes at the first two of the lines without each of which the weights are read. */
export function otherwise(guilty: readonly Span[]): readonly Note[] {
  return guilty.slice(0, 2).map((span): Note => ({ span, text: 'without this line, an output would depend on it' }));
}

export interface Declared {
  /** The span of the declaration of a part or weight. */
  readonly span: Span;
  /** The span of the model's part that contains it. */
  readonly part: Span;
}

/** Returns the declaration of the outermost part or weight at or below a path in checkpoints. */
function declaredAt(context: Context, model: ModelGraph, root: string): Declared {
  const find = ({ instance, span }: OwnPart, path: string): Span | undefined => {
    if (isBelow(path, root)) return span;
    if (!isBelow(root, path)) return undefined;
    for (const part of ownParts(context, instance)) {
      const found = find(part, childPath(path, part.path));
      if (found) return found;
    }
    return ownWeights(context, instance).find((weight) => isBelow(childPath(path, weight.path), root))?.span;
  };
  for (const [name, value] of model.instances) {
    const span = spanOf(model, name);
    for (const part of partsIn(value, { name, span, owner: undefined })) {
      const found = find(part, part.instance.path);
      if (found) return { span: found, part: span };
    }
  }
  throw new Error(`bug in crobc: ${root} is declared nowhere in ${model.flat.name}`);
}
