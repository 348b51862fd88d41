import { asConstant } from '../../dims/dim.ts';
import type { NodeOf, Value } from '../../ir/graph.ts';
import { type Context, inMode } from '../context/context.ts';
import type { Call, Template, TemplateBody } from '../context/elaborated.ts';
import { bitOf, type Needs, type NeedsStore, needsOfBody, needsOfValues, readOfCall } from '../context/needs.ts';
import { childPath } from '../context/paths.ts';
import { elaborateModel, type ModelGraph } from './model.ts';

/** Which weights of a model are read, or are reached by gradients. */
export interface WeightUse {
  /** Paths of these weights; may omit weights of the other mode if that does not affect `unread`. */
  readonly read: ReadonlySet<string>;
  /** The sizes of all other weights, by path: called methods use them, but their results are unused. */
  readonly unread: ReadonlyMap<string, number>;
}

/**
 * Whether a call in the model has weights that it does not read in this mode. Another call of the module, or another
 * mode, may read them.
 */
export function mayLeaveUnread({ run }: Context, model: ModelGraph): boolean {
  return new Search(run.store.needs.values).model(model, outputsOf(model));
}

/** Returns the weights that the outputs depend on in training or inference. */
export function weightUse(context: Context, model: ModelGraph): WeightUse {
  const walk = new Walk(context.run.store.needs.values);
  walk.add(model, outputsOf(model));
  for (const training of [false, true]) {
    if (walk.unread().size === 0) break;
    if (training === context.training && context.evaluated.length === 0) continue;
    const form = elaborateModel(inMode(context, training), model.flat);
    if (form) walk.add(form, outputsOf(form));
  }
  return { read: walk.read, unread: walk.unread() };
}

/** Whether a call in the model has weights, other than buffers, that get no gradient from these values. */
export function mayLackGradient({ run }: Context, model: ModelGraph, ends: readonly Value[]): boolean {
  return new Search(run.store.needs.gradients).model(model, ends);
}

/** Returns the weights that get a gradient from these values, in this mode. */
export function gradientUse({ run }: Context, model: ModelGraph, ends: readonly Value[]): WeightUse {
  const walk = new Walk(run.store.needs.gradients);
  walk.add(model, ends);
  return { read: walk.read, unread: walk.unread() };
}

/** The bit of values that are read together. */
const whole = bitOf(0);

function outputsOf({ outputs }: ModelGraph): readonly Value[] {
  return outputs.map(({ value }) => value);
}

/** Whether a weight counts: buffers have no gradients. */
function counts({ flow }: NeedsStore, { attributes }: NodeOf<'weight'>): boolean {
  return flow === 'values' || attributes.role === 'param';
}

/** Searches for calls with weights that are not read, given the results that are read. */
class Search {
  readonly #known: NeedsStore;
  readonly #holds = new Map<Template, boolean>();
  readonly #leaves = new Map<Template, Map<number, boolean>>();

  constructor(known: NeedsStore) {
    this.#known = known;
  }

  model({ nodes, calls }: ModelGraph, ends: readonly Value[]): boolean {
    return this.#calls(calls, needsOfValues(this.#known, ends, { nodes, calls }), whole);
  }

  #calls(calls: readonly Call[], needs: Needs, read: number): boolean {
    for (let i = 0; i < calls.length; i++) {
      const { template } = calls[i]!;
      const below = readOfCall(needs, i, read);
      if (below === 0 ? this.#holdsWeights(template) : this.#template(template, below)) return true;
    }
    return false;
  }

  #template(template: Template, read: number): boolean {
    let known = this.#leaves.get(template);
    if (!known) {
      known = new Map();
      this.#leaves.set(template, known);
    }
    let leaves = known.get(read);
    if (leaves === undefined) {
      leaves = this.#body(template.body, read);
      known.set(read, leaves);
    }
    return leaves;
  }

  #body(body: TemplateBody, read: number): boolean {
    const needs = needsOfBody(this.#known, body);
    for (let i = 0; i < needs.weights.length; i++)
      if ((needs.weights[i]! & read) === 0 && counts(this.#known, body.weights[i]!)) return true;
    return this.#calls(body.calls, needs, read);
  }

  #holdsWeights(template: Template): boolean {
    let holds = this.#holds.get(template);
    if (holds === undefined) {
      const { weights, calls } = template.body;
      holds =
        weights.some((weight) => counts(this.#known, weight)) ||
        calls.some((call) => this.#holdsWeights(call.template));
      this.#holds.set(template, holds);
    }
    return holds;
  }
}

/** Visits all calls of a model, and those that its outputs depend on. */
class Walk {
  readonly #known: NeedsStore;
  readonly read = new Set<string>();
  readonly #sizes = new Map<string, number>();
  readonly #called = new Map<Template, Set<string>>();
  /** The results that are read, as bits, by template and path. */
  readonly #results = new Map<Template, Map<string, number>>();

  constructor(known: NeedsStore) {
    this.#known = known;
  }

  /** Adds a model (in one mode) of which the given values are read. */
  add({ nodes, calls }: ModelGraph, ends: readonly Value[]): void {
    this.#call(calls, '');
    this.#follow(calls, { needs: needsOfValues(this.#known, ends, { nodes, calls }), read: whole, path: '' });
  }

  unread(): ReadonlyMap<string, number> {
    return new Map([...this.#sizes].filter(([path]) => !this.read.has(path)));
  }

  #call(calls: readonly Call[], path: string): void {
    for (const call of calls) {
      const { template } = call;
      const place = placeOf(call, path);
      const places = this.#called.get(template) ?? new Set();
      if (places.has(place)) continue;
      this.#called.set(template, places.add(place));
      for (const weight of template.body.weights)
        if (counts(this.#known, weight)) this.#sizes.set(childPath(place, weight.attributes.path), sizeOf(weight));
      this.#call(template.body.calls, place);
    }
  }

  #follow(calls: readonly Call[], { needs, read, path }: Followed): void {
    for (const [i, call] of calls.entries()) {
      const below = readOfCall(needs, i, read);
      if (below !== 0) this.#read(call.template, placeOf(call, path), below);
    }
  }

  #read(template: Template, path: string, results: number): void {
    const places = this.#results.get(template) ?? new Map<string, number>();
    this.#results.set(template, places);
    const known = places.get(path) ?? 0;
    const read = results & ~known;
    if (read === 0) return;
    places.set(path, known | read);
    const needs = needsOfBody(this.#known, template.body);
    for (const [i, { attributes }] of template.body.weights.entries())
      if (((needs.weights[i] ?? 0) & read) !== 0) this.read.add(childPath(path, attributes.path));
    this.#follow(template.body.calls, { needs, read, path });
  }
}

/** A body at a path, with the results that are read. */
interface Followed {
  readonly needs: Needs;
  readonly read: number;
  readonly path: string;
}

function placeOf({ absolute, path: own }: Call, path: string): string {
  return absolute ? own : childPath(path, own);
}

/** The number of elements of a weight, whose dims are constants. */
function sizeOf({ outputs: [value] }: NodeOf<'weight'>): number {
  return (value?.type.shape ?? []).reduce((size, dim) => size * (asConstant(dim) ?? 1), 1);
}
