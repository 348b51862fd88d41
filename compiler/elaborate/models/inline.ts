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
import { childPath } from '../context/paths.ts';
import { flatten } from '../context/template.ts';
import { substituteClause } from '../eval/signature.ts';
import type { ModelGraph } from './model.ts';

/**
 * Expands all calls of a model to a flat graph, with the dims that `--set` binds. Nodes that no output needs are
 * dropped.
 */
export function inlineModel(model: ModelGraph, bound: ReadonlyMap<string, Dim>): Graph {
  return inlined(model, bound, model.outputs);
}

/** Like `inlineModel`, with the outputs that only losses use, as computed in inference. */
export function inlineWithLossOutputs(model: ModelGraph, bound: ReadonlyMap<string, Dim>): Graph {
  return inlined(model, bound, [...model.outputs, ...model.lossOutputs]);
}

function inlined(model: ModelGraph, bound: ReadonlyMap<string, Dim>, given: ModelGraph['outputs']): Graph {
  const { build, values } = expandModel(model, bound);
  const outputs: GraphOutput[] = given.map((o) => ({
    name: o.name,
    value: placed(values, o.value),
    docs: o.docs,
  }));
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

export function expandModel(model: ModelGraph, bound: ReadonlyMap<string, Dim>, continuation?: Continuation): Expanded {
  let facts = Facts.none;
  for (const clause of model.facts.clauses) facts = facts.assume(substituteClause(clause, bound));
  const build = new Builder(facts);
  const inliner = new Inliner(build);
  const values = inliner.expand(model, '', bound, new Map());
  if (continuation) {
    for (const [placeholder, value] of continuation.given) values.set(placeholder, placed(values, value));
    inliner.expand({ ...continuation, updates: [] }, '', bound, values);
  }
  return { build, values, weights: inliner.weights, buffers: inliner.buffers };
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

class Inliner {
  readonly #build: Builder;
  /** By full path, so that an instance which is used twice has them once. */
  readonly weights = new Map<string, Value>();
  /** The current values of updated buffers, by full path. */
  readonly buffers = new Map<string, Value>();
  /** The number of times each random draw has been placed: a module that is applied twice draws twice. */
  readonly #draws = new Map<string, number>();

  constructor(build: Builder) {
    this.#build = build;
  }

  /** Copies nodes and expands calls in order; returns the new value for each value. */
  expand(
    { nodes, calls, updates }: Pick<TemplateBody, 'nodes' | 'calls' | 'updates'>,
    path: string,
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
          this.#call(call, path, bind, map);
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

  #call(call: Call, path: string, bind: (d: Dim) => Dim, map: Map<Value, Value>): void {
    const { template } = call;
    if (!template.body) throw new Error(`bug in crobc: ${template.label} is called before it is elaborated`);
    const inside = new Map<Value, Value>();
    for (const [placeholder, arg] of pairs(template.body.placeholders, call.args))
      inside.set(placeholder, placed(map, arg));
    const by = new Map<string, Dim>();
    for (const [name, dim] of call.dims) by.set(name, bind(dim));
    const below = call.absolute ? call.path : childPath(path, call.path);
    this.expand(template.body, below, by, inside);
    const results = flatten(template.body.result);
    for (const [outside, result] of pairs(call.results, results)) map.set(outside, placed(inside, result));
  }
}
