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

/** Weights that nothing reads, with the place of the message about them. */
export interface ReportedWeights extends Place {
  /** Whether something read them before. */
  readonly wasRead: boolean;
  readonly groups: readonly WeightGroup[];
}

/** How weights are used without one line. */
export interface Trial {
  readonly span: Span;
  readonly without: WeightUse;
}

/** What a message about weights rests on. */
export interface ReportBasis {
  readonly use: WeightUse;
  /** Of the base: what that leaves unread is the base's. */
  readonly before: WeightUse | undefined;
  /** Asked for where there is something to tell. */
  readonly trials: () => readonly Trial[];
  /** `guilty` are the lines without which it is otherwise. */
  readonly placeOf: (declared: Declared, guilty: readonly Span[]) => Place;
}

/** The weights that nothing reads, those of one place together. */
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

/** A model without each of the lines that may be to blame, where it is then right. */
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

/** The line to blame, or the name of the model where there are several; else where the model's own parts declare the weights. */
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

/** Lines of which each would have to stay away. */
export function otherwise(guilty: readonly Span[]): readonly Note[] {
  return guilty.slice(0, 2).map((span): Note => ({ span, text: 'without this line it would be otherwise' }));
}

export interface Declared {
  /** Of a part, or of a weight. */
  readonly span: Span;
  /** Of the part of the model that it is in. */
  readonly part: Span;
}

/** The outermost part or weight at a path in checkpoints, or below it. */
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
