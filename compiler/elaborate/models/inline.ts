import type { Span } from '../../../grammar/span.ts';
import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import { Facts } from '../../dims/facts.ts';
import { Builder } from '../../graphs/builder.ts';
import { finish } from '../../graphs/rebuild.ts';
import { mapDims } from '../../ir/attributes.ts';
import type { Graph, GraphOutput, Guard, Node, Value, WeightAttributes } from '../../ir/graph.ts';
import type { TensorType } from '../../ir/types.ts';
import { mapped, pairs } from '../../lists.ts';
import type { Call, TemplateBody, Update } from '../context/elaborated.ts';
import { childPath, childSource, type Place } from '../context/paths.ts';
import { flatten, namedTensors } from '../context/template.ts';
import { substituteClause } from '../eval/signature.ts';
import type { ModelGraph } from './model.ts';

/**
 * Expands all calls of a model to a flat graph, with the dims that `--set` binds. Nodes that no output needs are
 * dropped.
 */
export function inlineModel(model: ModelGraph, bound: ReadonlyMap<string, Dim>): Graph {
  return inlined(model, bound, model.outputs);
}

/** Like `inlineModel`, with the named values at `paths` as further outputs. Throws if there is none of that path. */
export function inlineExposing(model: ModelGraph, bound: ReadonlyMap<string, Dim>, paths: readonly string[]): Graph {
  return inlined(model, bound, model.outputs, paths);
}

/** Returns what the sources of a model name, with the types at the sizes that `--set` binds. */
export function namedValues(model: ModelGraph, bound: ReadonlyMap<string, Dim>): readonly ExposableValue[] {
  const { named } = expandModel(model, bound, { naming: true });
  return named.map(({ path, resultOf, value, span }) => ({ path, resultOf, type: value.type, span }));
}

/** Like `inlineModel`, with the outputs that only losses use, as computed in inference. */
export function inlineWithLossOutputs(model: ModelGraph, bound: ReadonlyMap<string, Dim>): Graph {
  return inlined(model, bound, [...model.outputs, ...model.lossOutputs]);
}

function inlined(
  model: ModelGraph,
  bound: ReadonlyMap<string, Dim>,
  given: ModelGraph['outputs'],
  exposed: readonly string[] = [],
): Graph {
  const { build, values, named } = expandModel(model, bound, { naming: exposed.length > 0 });
  const found = new Map(named.map((one) => [one.path, one.value]));
  const outputs: GraphOutput[] = [
    ...given.map((o) => ({ name: o.name, value: placed(values, o.value), docs: o.docs })),
    ...exposed.map((path) => {
      const value = found.get(path);
      if (!value) throw new Error(`bug in crobc: ${model.flat.name} has no value ${path} to expose`);
      return { name: path, value, docs: 'An intermediate value.' };
    }),
  ];
  const inputs = model.inputs.map((i) => ({ name: i.name, value: placed(values, i.value), docs: i.docs }));
  const parts = {
    name: model.flat.name,
    docs: model.flat.docs.join('\n'),
    inputs,
    outputs,
    facts: build.facts,
    // Guards without remaining variables were checked with the bound sizes.
    guards: model.guards
      .map((g) => bindGuard(g, bound))
      .filter((g) => dims.variables(g.left).size + dims.variables(g.right).size > 0),
  };
  return finish(parts, build.nodes);
}

/** The expanded body of a model. */
export interface Expanded {
  readonly build: Builder;
  /** The new value for each value of the body and of its continuation. */
  readonly values: ReadonlyMap<Value, Value>;
  /** Weights and buffers by path. */
  readonly weights: ReadonlyMap<string, Value>;
  /** The final values of updated buffers, by path. No gradient flows through them. */
  readonly buffers: ReadonlyMap<string, Value>;
  /** What `let`s, assignments and parts name, by unique paths; empty unless requested. */
  readonly named: readonly PlacedName[];
}

/** A named value of the whole model: `mid.layer[2].read_words.attention`. */
export interface PlacedName {
  readonly path: string;
  /** For a result of a part: the path of the part, which is that of the value unless there are several. */
  readonly resultOf: string | undefined;
  readonly value: Value;
  readonly span: Span;
}

/** A named value as listed for users. */
export interface ExposableValue {
  readonly path: string;
  /** The part whose result it is: `lgfa.stage[0]` for `lgfa.stage[0].map`. */
  readonly resultOf: string | undefined;
  readonly type: TensorType;
  /** The place in the source that names it. */
  readonly span: Span;
}

interface ExpandOptions {
  readonly continuation?: Continuation;
  /** Whether to collect the names of values. */
  readonly naming?: boolean;
}

/**
 * A body that continues a model's, such as the losses of a recipe; `given` maps its placeholders to the model's
 * values.
 */
export interface Continuation {
  readonly nodes: readonly Node[];
  readonly calls: readonly Call[];
  readonly given: ReadonlyMap<Value, Value>;
}

export function expandModel(
  model: ModelGraph,
  bound: ReadonlyMap<string, Dim>,
  { continuation, naming = false }: ExpandOptions = {},
): Expanded {
  let facts = Facts.none;
  for (const clause of model.facts.clauses) facts = facts.assume(substituteClause(clause, bound));
  const build = new Builder(facts);
  const names = naming ? new PlacedNames(model) : undefined;
  const inliner = new Inliner(build, names);
  const values = inliner.expand(model, { path: '', source: '' }, bound, new Map());
  if (continuation) {
    for (const [placeholder, value] of continuation.given) values.set(placeholder, placed(values, value));
    inliner.expand({ ...continuation, updates: [], named: [] }, { path: '', source: '' }, bound, values);
  }
  const outputs = new Set(model.outputs.map(({ value }) => placed(values, value)));
  const named = (names?.all ?? []).filter(({ value }) => isExposable(value) && !outputs.has(value));
  return { build, values, weights: inliner.weights, buffers: inliner.buffers, named };
}

function bindGuard(guard: Guard, bound: ReadonlyMap<string, Dim>): Guard {
  return { ...guard, left: dims.substitute(guard.left, bound), right: dims.substitute(guard.right, bound) };
}

/** Returns the new value for a value of a body. Nodes and calls are sorted so that their inputs come first. */
function placed(values: ReadonlyMap<Value, Value>, value: Value): Value {
  const found = values.get(value);
  if (!found) throw new Error(`bug in crobc: a value of ${value.node.op} is read before it is made`);
  return found;
}

/** Whether a value is computed: callers have the model's inputs and outputs already, and weights are in files. */
function isExposable({ node }: Value): boolean {
  return node.op !== 'input' && node.op !== 'weight';
}

/** The names of a model's values. One that occurs again, in a loop for instance, is followed by its number: `x#2`. */
class PlacedNames {
  readonly all: PlacedName[] = [];
  readonly #values = new Map<string, Value[]>();
  /** The names of inputs and outputs, which are not given twice. */
  readonly #ports: ReadonlySet<string>;

  constructor({ inputs, outputs }: Pick<ModelGraph, 'inputs' | 'outputs'>) {
    this.#ports = new Set([...inputs, ...outputs].map(({ name }) => name));
  }

  add(name: string, value: Value, span: Span, resultOf?: string): void {
    const held = this.#values.get(name) ?? [];
    this.#values.set(name, held);
    if (held.includes(value)) return;
    held.push(value);
    const n = held.length + (this.#ports.has(name) ? 1 : 0);
    this.all.push({ path: n === 1 ? name : `${name}#${n}`, resultOf, value, span });
  }
}

class Inliner {
  readonly #build: Builder;
  readonly #names: PlacedNames | undefined;
  /** By full path, so that an instance which is used twice has them once. */
  readonly weights = new Map<string, Value>();
  /** The current values of updated buffers, by full path. */
  readonly buffers = new Map<string, Value>();
  /** The number of times each random draw has been placed: a module that is applied twice draws twice. */
  readonly #draws = new Map<string, number>();

  constructor(build: Builder, names: PlacedNames | undefined) {
    this.#build = build;
    this.#names = names;
  }

  /** Copies nodes and expands calls in order; returns the new value for each value. */
  expand(
    { nodes, calls, updates, named }: Pick<TemplateBody, 'nodes' | 'calls' | 'updates' | 'named'>,
    { path, source }: Place,
    by: ReadonlyMap<string, Dim>,
    map: Map<Value, Value>,
  ): Map<Value, Value> {
    const cache = new Map<string, Dim>();
    const bind = (d: Dim): Dim => {
      let bound = cache.get(d.key);
      if (!bound) {
        bound = by.size === 0 ? d : dims.substitute(d, by);
        cache.set(d.key, bound);
      }
      return bound;
    };
    let nextCall = 0;
    let nextUpdate = 0;
    const comeTo = (position: number): void => {
      for (;;) {
        const call = calls[nextCall];
        const update = updates[nextUpdate];
        if (update && update.at <= position && update.at <= (call?.at ?? update.at)) {
          this.#update(update, path, map);
          nextUpdate++;
        } else if (call && call.at <= position) {
          this.#call(call, { path, source }, bind, map);
          nextCall++;
        } else return;
      }
    };
    for (const [i, node] of nodes.entries()) {
      comeTo(i);
      if (map.has(node.outputs[0])) continue;
      this.#node(node, path, bind, map);
    }
    comeTo(nodes.length);
    if (this.#names)
      for (const { name, value, span } of named) this.#names.add(childSource(source, name), placed(map, value), span);
    return map;
  }

  #node(node: Node, path: string, bind: (d: Dim) => Dim, map: Map<Value, Value>): void {
    const build = this.#build;
    build.origin = { ...node.origin, path };
    if (node.op === 'weight') {
      const attributes: WeightAttributes = { ...node.attributes, path: childPath(path, node.attributes.path) };
      let weight = this.weights.get(attributes.path);
      if (!weight) {
        weight = build.weight(attributes, node.outputs[0].type);
        this.weights.set(attributes.path, weight);
      }
      map.set(node.outputs[0], this.buffers.get(attributes.path) ?? weight);
      return;
    }
    const inputs = node.inputs.map((input) => placed(map, input));
    const types = mapped(node.outputs, ({ type }): TensorType => ({ dtype: type.dtype, shape: type.shape.map(bind) }));
    const attributes =
      node.op === 'uniform'
        ? {
            ...node.attributes,
            shape: node.attributes.shape.map(bind),
            key: this.#drawKey(childPath(path, node.attributes.key)),
          }
        : mapDims(node.op, node.attributes, bind);
    const made = build.append(node.op, inputs, attributes as never, types);
    for (const [output, value] of pairs(node.outputs, made)) map.set(output, value);
  }

  #update(update: Update, path: string, map: ReadonlyMap<Value, Value>): void {
    this.buffers.set(childPath(path, update.path), this.#build.stopGradient(placed(map, update.value)));
  }

  #drawKey(place: string): string {
    const application = this.#draws.get(place) ?? 0;
    this.#draws.set(place, application + 1);
    return `${place}.${application}`;
  }

  #call(call: Call, { path, source }: Place, bind: (d: Dim) => Dim, map: Map<Value, Value>): void {
    const { template } = call;
    if (!template.body) throw new Error(`bug in crobc: ${template.label} is called before it is elaborated`);
    const inside = new Map<Value, Value>();
    for (const [placeholder, arg] of pairs(template.body.placeholders, call.args))
      inside.set(placeholder, placed(map, arg));
    const by = new Map<string, Dim>();
    for (const [name, dim] of call.dims) by.set(name, bind(dim));
    const below = call.absolute ? call.path : childPath(path, call.path);
    const { names } = call;
    const named = names.absolute ? names.source : childSource(source, names.source);
    this.expand(template.body, { path: below, source: named }, by, inside);
    if (this.#names && names.results)
      for (const { name, value } of namedTensors(template.body.result, named))
        this.#names.add(name, placed(inside, value), template.span, named);
    const results = flatten(template.body.result);
    for (const [outside, result] of pairs(call.results, results)) map.set(outside, placed(inside, result));
  }
}
