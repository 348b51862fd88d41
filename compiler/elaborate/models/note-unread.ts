import type { Span } from '../../../grammar/span.ts';
import type { ModelDecl } from '../../../grammar/tree.ts';
import { diagnostic, type Note } from '../../diagnostics/diagnostic.ts';
import { type Context, fork } from '../context/context.ts';
import { childPath, isWithin as isBelow } from '../context/paths.ts';
import type { OwnPart } from '../context/store.ts';
import { ownParts, partsIn } from '../modules/own-parts.ts';
import type { ModelAt } from '../source/recipe-chain.ts';
import { attemptForm } from './attempt.ts';
import { baseOf, isOverride, isWithin, type Line, mostTried } from './blame.ts';
import type { ModelGraph } from './model.ts';
import { ownWeights } from './placements.ts';
import { spanOf } from './reach.ts';
import { mayLeaveUnread, type WeightUse, weightUse } from './unread-weights.ts';

/**
 * A note for weights that methods read and no output depends on, which are then no part of the graph: at the one line of a
 * variant without which it is otherwise, or else at the name of the variant. Of a model that extends none they are told where
 * they are declared, unless an override is to blame. What the base leaves unread is the base's.
 */
export function noteUnread(context: Context, at: ModelAt, model: ModelGraph): void {
  if (!mayLeaveUnread(context, model)) return;
  const use = weightUse(context, model);
  if (use.unread.size === 0) return;
  const base = baseOf(at);
  const inBase = base && useOf(context, base);
  const own = [...use.unread].filter(([path]) => !inBase?.unread.has(path));
  if (own.length === 0) return;
  const trials = usesWithout(context, at);
  const told = new Map<string, Told>();
  for (const group of gathered(own, use.read)) {
    const guilty = trials.filter(({ without }) => group.paths.some((path) => !without.unread.has(path)));
    const wasRead = [inBase, ...guilty.map(({ without }) => without)].some((one) => one?.read.has(group.paths[0]));
    const declared = declaredAt(context, model, group.root);
    const place = placeOf(
      at.decl,
      declared,
      guilty.map(({ line }) => line),
    );
    const key = `${place.span.file}:${place.span.start} ${wasRead}`;
    const known = told.get(key);
    if (known) known.groups.push(group);
    else told.set(key, { ...place, wasRead, groups: [group] });
  }
  for (const { span, notes, wasRead, groups } of told.values()) {
    const size = groups.reduce((sum, one) => sum + one.size, 0);
    const args = { weights: listed(groups), longer: wasRead ? ' any longer' : '', count: counted(size) };
    context.report(diagnostic('CROB2317', span, args, { notes }));
  }
}

interface Place {
  readonly span: Span;
  readonly notes: readonly Note[];
}

interface Told extends Place {
  readonly wasRead: boolean;
  readonly groups: Group[];
}

/** The line to blame, or the name of the model where there are several; else where the model's own parts declare the weights. */
function placeOf(decl: ModelDecl, declared: Declared, guilty: readonly Line[]): Place {
  const [line, second] = guilty;
  const here: Note = { span: declared.span, text: 'declared here' };
  if (line && !second) return { span: line.span, notes: [here] };
  if (second || !isWithin(declared.part, decl.span)) {
    const lines = guilty
      .slice(0, 2)
      .map(({ span }): Note => ({ span, text: 'without this line it would be otherwise' }));
    return { span: decl.name.span, notes: [...lines, here] };
  }
  if (declared.span === declared.part) return { span: declared.span, notes: [] };
  return declared.span.file.startsWith('std/')
    ? { span: declared.part, notes: [here] }
    : { span: declared.span, notes: [{ span: declared.part, text: `in this part of ${decl.name.name}` }] };
}

/** How a model that is right reads its weights. */
function useOf(context: Context, at: ModelAt): WeightUse | undefined {
  const inner = fork(context);
  const { model, faults } = attemptForm(inner, at);
  return model && faults.size === 0 ? weightUse(inner, model) : undefined;
}

/** The same without each of the lines that may be to blame, as far as it is then right. */
function usesWithout(context: Context, { decl, file }: ModelAt): readonly { line: Line; without: WeightUse }[] {
  const lines: readonly Line[] = decl.base ? [...decl.params, ...decl.members] : decl.members.filter(isOverride);
  return lines.slice(0, mostTried).flatMap((line) => {
    const params = decl.params.filter((one) => one !== line);
    const members = decl.members.filter((one) => one !== line);
    const without = useOf(context, { decl: { ...decl, params, members }, file });
    return without ? [{ line, without }] : [];
  });
}

interface Declared {
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

/** A part of which nothing is read, or a single weight. */
interface Group {
  /** In checkpoints. */
  readonly root: string;
  readonly paths: readonly [string, ...string[]];
  readonly size: number;
}

/** Below the shortest paths with nothing beside that is read. */
function gathered(unread: readonly (readonly [string, number])[], read: ReadonlySet<string>): readonly Group[] {
  const holdsRead = new Set<string>();
  for (const path of read) for (const root of rootsOf(path)) holdsRead.add(root);
  const groups = new Map<string, Group>();
  for (const [path, size] of unread) {
    const root = rootsOf(path).find((one) => !holdsRead.has(one)) ?? path;
    const known = groups.get(root);
    groups.set(root, {
      root,
      paths: known ? [...known.paths, path] : [path],
      size: size + (known?.size ?? 0),
    });
  }
  return [...groups.values()];
}

/** `a`, `a.b` and `a.b.c` of `a.b.c`. */
function rootsOf(path: string): readonly string[] {
  const steps = path.split('.');
  return steps.map((_, i) => steps.slice(0, i + 1).join('.'));
}

/** As many names as can be read. */
const named = 3;

function listed(groups: readonly Group[]): string {
  const names = groups.map(({ root }) => `\`${root}\``);
  const [last = '', ...others] = names.slice(0, named).reverse();
  if (names.length > named) return `${names.slice(0, named).join(', ')} and ${names.length - named} more`;
  return others.length === 0 ? last : `${others.reverse().join(', ')} and ${last}`;
}

function counted(size: number): string {
  return `${size.toLocaleString('en')} ${size === 1 ? 'weight' : 'weights'}`;
}
