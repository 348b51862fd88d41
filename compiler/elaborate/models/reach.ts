import { nearest } from '../../../grammar/nearest.ts';
import type { Span } from '../../../grammar/span.ts';
import { type Context, inMode } from '../context/context.ts';
import type { Call, Template } from '../context/elaborated.ts';
import { type NeedsStore, needsOfBody, needsOfValues } from '../context/needs.ts';
import { childPath } from '../context/paths.ts';
import type { OwnPart } from '../context/store.ts';
import { ownParts, partsIn } from '../modules/own-parts.ts';
import { fail } from '../report/report.ts';
import { elaborateModel, type ModelGraph } from './model.ts';

/** Adds the paths of all modules whose methods the outputs of a model depend on, through all calls. */
function addReached(known: NeedsStore, { outputs, nodes, calls }: ModelGraph, reached: Set<string>): void {
  const visited = new Map<Template, Set<string>>();
  const walk = (inner: readonly Call[], path: string): void => {
    for (const { absolute, path: own, template } of inner) {
      const place = absolute ? own : childPath(path, own);
      const places = visited.get(template) ?? new Set();
      if (places.has(place)) continue;
      visited.set(template, places.add(place));
      reached.add(place);
      walk(needsOfBody(known, template.body).wholeCalls, place);
    }
  };
  const values = outputs.map(({ value }) => value);
  walk(needsOfValues(known, values, { nodes, calls }).wholeCalls, '');
}

/** A part that no output depends on in any mode of the model. */
interface Unreached {
  /** Its path in source: `net.blocks[1].norm`. */
  readonly source: string;
  readonly span: Span;
  /** The part of the model that contains it; the part itself if it is one of the model's own. */
  readonly top: string;
}

/** Whether every part without parts of its own is reached; all parts around them then are as well. */
function isAllReached(context: Context, model: ModelGraph, reached: ReadonlySet<string>): boolean {
  const visit = (part: OwnPart, path: string): boolean => {
    const parts = ownParts(context, part.instance);
    return parts.length === 0 ? reached.has(path) : parts.every((one) => visit(one, childPath(path, one.path)));
  };
  return [...model.instances].every(([name, value]) =>
    partsIn(value, { name, span: spanOf(model, name), owner: undefined }).every((part) =>
      visit(part, part.instance.path),
    ),
  );
}

/** Returns the outermost parts without any reached module. */
function unreachedParts(context: Context, model: ModelGraph, reached: ReadonlySet<string>): readonly Unreached[] {
  const found: Unreached[] = [];
  /** Whether the part or anything in it is reached; if so, unreached parts in it are added to `found`. */
  const visit = (part: OwnPart, path: string, source: string, top: string): boolean => {
    const before = found.length;
    const parts = ownParts(context, part.instance);
    const unused = parts.filter((one) => !visit(one, childPath(path, one.path), `${source}.${one.step}`, top));
    if (!reached.has(path) && unused.length === parts.length) {
      found.length = before;
      return false;
    }
    for (const { step, span } of wholeLists(unused, parts)) found.push({ source: `${source}.${step}`, span, top });
    return true;
  };
  for (const [name, value] of model.instances) {
    const parts = partsIn(value, { name, span: spanOf(model, name), owner: undefined });
    const unused = parts.filter((part) => !visit(part, part.instance.path, part.step, name));
    for (const { step, span } of wholeLists(unused, parts)) found.push({ source: step, span, top: name });
  }
  return found;
}

/** Replaces the items of a list by the list itself if all of them are included. */
function wholeLists(some: readonly OwnPart[], all: readonly OwnPart[]): readonly Pick<OwnPart, 'step' | 'span'>[] {
  const ofName = (parts: readonly OwnPart[], name: string) => parts.filter((one) => one.name === name);
  return [...new Set(some.map(({ name }) => name))].flatMap((name) => {
    const items = ofName(some, name);
    const isWhole = items.length === ofName(all, name).length;
    return isWhole ? [{ step: name, span: items[0]!.span }] : items;
  });
}

/** The span of the last declaration or value of a part of the model. */
export function spanOf({ flat }: ModelGraph, name: string): Span {
  return (
    flat.fields.get(name)?.decl.path.span ?? flat.values.get(name)?.decl.span ?? flat.params.get(name)!.decl.name.span
  );
}

/** Adds parts that are used only in training or only in inference. */
function addReachedInOtherForms(context: Context, { flat }: ModelGraph, reached: Set<string>): void {
  for (const training of [false, true]) {
    if (training === context.training && context.evaluated.length === 0) continue;
    const form = elaborateModel(inMode(context, training), flat);
    if (form) addReached(context.run.store.needs.values, form, reached);
  }
}

/** Reports parts that no output depends on: only the outermost ones, and those of one declaration together. */
export function checkReached(context: Context, model: ModelGraph): void {
  const reached = new Set<string>();
  addReached(context.run.store.needs.values, model, reached);
  if (isAllReached(context, model, reached)) return;
  addReachedInOtherForms(context, model, reached);
  const byPlace = new Map<string, Unreached[]>();
  for (const part of unreachedParts(context, model, reached)) {
    const place = `${part.span.file}:${part.span.start}`;
    byPlace.set(place, [...(byPlace.get(place) ?? []), part]);
  }
  for (const [first, ...others] of byPlace.values()) {
    const { source, span, top } = first!;
    const own = spanOf(model, top);
    const isInside = own !== span;
    fail(
      { context },
      'CROB2304',
      span,
      { path: source },
      {
        notes: isInside ? [{ span: own, text: `in this part of ${model.flat.name}` }] : [],
        details: others.length > 0 ? [nor(others)] : [],
        help: isInside ? inside(source, span) : takeOut(model, top),
      },
    );
  }
}

/** The maximum number of names listed. */
const named = 3;

function nor(others: readonly Unreached[]): string {
  const names = others.slice(0, named).map(({ source }) => source);
  const more = others.length > named ? ` and ${others.length - named} more` : '';
  return `nor on ${names.join(', ')}${more}`;
}

function inside(source: string, { file }: Span): string {
  if (file.startsWith('std/')) return 'use it, or put a module in its place that has only what is used';
  const name = source.slice(source.lastIndexOf('.') + 1);
  if (name.endsWith(']')) return 'use it, or leave it out of the list';
  return `use it, or make it only where it is used: \`${name} = … if …\``;
}

function takeOut({ flat }: ModelGraph, name: string): string {
  const others = [...flat.params.keys(), ...flat.fields.keys()].filter((other) => other !== name);
  const meant = nearest(name, others);
  const without = flat.decl.base ? `take it out: \`without ${name}\`` : 'leave it out';
  return meant ? `did you mean \`${meant}\`? Otherwise ${without}` : `use it, or ${without}`;
}
