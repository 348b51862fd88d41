import { asConstant, type Dim, one, zero } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import { Builder } from '../graphs/builder.ts';
import type { Node, NodeOf, Value } from '../ir/graph.ts';
import { sameDim } from '../ir/shapes.ts';
import { groupAxes } from './axes.ts';
import { contracted, type Factor, Indices, indicesOf, regrouped } from './indices.ts';
import { isOne } from './match.ts';
import { finding, operators, value, where } from './patterns/construct.ts';
import type { Surroundings } from './patterns/pattern.ts';
import { type Rule, rewrite, rule } from './rule.ts';
import { replayed, type Trial } from './trial.ts';
import { isLess, work } from './work.ts';

const { matmul } = operators;
const [x, y] = [value('x'), value('y')];

const linear: ReadonlySet<Node['op']> = new Set(['matmul', 'transpose', 'reshape', 'add', 'slice', 'concat']);

/**
 * A product with a vector, of what was summed, sliced, joined, rearranged or multiplied by matrices along other axes, where it
 * costs less to multiply first: what goes through those operators is then one number wide.
 */
const productBeforeSum = rule(
  'product-before-sum',
  'gradients',
  rewrite(
    finding(
      where(
        matmul(x, y),
        'an operand is a vector, and the other is made by linear operators',
        ({ x, y }) => (isRow(x) && linear.has(y.node.op)) || (isColumn(y) && linear.has(x.node.op)),
      ),
      'cheaper',
      'multiplying first costs less',
      (_, node, site) => multipliedFirst(node, site),
    ),
    ({ cheaper }, { build }) => replayed(build, cheaper),
  ),
);

function isRow({ type }: Value): boolean {
  return asConstant(type.shape.at(-2) ?? zero) === 1;
}

function isColumn({ type }: Value): boolean {
  return asConstant(type.shape.at(-1) ?? zero) === 1;
}

/** A value that a vector is to be multiplied with, along `axis`. */
interface Along {
  readonly value: Value;
  readonly axis: number;
  /** The value's axes for the other axes of the vector; undefined for those that it lacks. */
  readonly batch: readonly (number | undefined)[];
}

function multipliedFirst(node: NodeOf<'matmul'>, site: Surroundings): Trial | undefined {
  const [a, b] = node.inputs as [Value, Value];
  const row = isRow(a) && linear.has(b.node.op);
  const [vector, value] = row ? [a, b] : [b, a];
  const sizes = vector.type.shape;
  const rank = value.type.shape.length;
  const axis = row ? rank - 2 : rank - 1;
  const others = [...sizes.keys()].slice(0, -2).filter((i) => !isOne(site.facts, sizes[i]!));
  const batch = others.map((i) => i + rank - sizes.length);
  const isCovered = batch.every((at, i) => at >= 0 && sameDim(site.facts, value.type.shape[at]!, sizes[others[i]!]!));
  if (!isCovered || isOne(site.facts, value.type.shape[axis]!)) return undefined;
  const reached = reach({ value, axis, batch }, site);
  if (![...reached.gone].some(({ op }) => op === 'matmul')) return undefined;
  const build = new Builder(site.facts);
  build.origin = node.origin;
  const shape = [...others.map((i) => sizes[i]!), value.type.shape[axis]!];
  const product = new NarrowProduct(build, build.reshape(vector, shape), reached).of(value);
  const result = product && build.reshape(product, node.outputs[0].type.shape);
  if (result === undefined || !isLess(work(build.nodes, site), work([node, ...reached.gone], site), site))
    return undefined;
  return { nodes: build.nodes, value: result };
}

/** What lies between a product with a vector and the values that are multiplied with it instead. */
interface Reach {
  readonly along: ReadonlyMap<Value, Along>;
  /** Operators that are made anew, one number wide, and that nothing else needs. */
  readonly gone: ReadonlySet<Node>;
}

function reach(root: Along, site: Surroundings): Reach {
  const along = new Map<Value, Along>([[root.value, root]]);
  const reads = new Map<Value, number>([[root.value, 1]]);
  const gone = new Set<Node>();
  const waiting = [root.value];
  while (waiting.length > 0) {
    // The last one that was made first: all that reads it has been looked at by then.
    waiting.sort((a, b) => a.node.id - b.node.id);
    const next = waiting.pop()!;
    if (reads.get(next) !== site.uses(next)) continue;
    const operands = operandsAlong(next.node, along.get(next)!, site.facts);
    if (operands === undefined || operands.some((one) => !agrees(along.get(one.value), one))) continue;
    gone.add(next.node);
    for (const one of operands) {
      if (!along.has(one.value)) waiting.push(one.value);
      along.set(one.value, one);
      reads.set(one.value, (reads.get(one.value) ?? 0) + 1);
    }
  }
  return { along, gone };
}

function agrees(known: Along | undefined, other: Along): boolean {
  return known === undefined || (known.axis === other.axis && known.batch.every((at, i) => at === other.batch[i]));
}

/** The operands of a node that are multiplied instead of its result; undefined where they cannot be. */
function operandsAlong(node: Node, { axis, batch }: Along, facts: Facts): readonly Along[] | undefined {
  const known = batch.flatMap((at) => at ?? []);
  if (known.length < batch.length) return undefined;
  const [value] = node.inputs as [Value];
  const { shape } = node.outputs[0].type;
  const moved = (to: (axis: number) => number | undefined): readonly Along[] | undefined => {
    const [first, ...others] = [axis, ...known].map(to);
    return first === undefined || others.includes(undefined) ? undefined : [{ value, axis: first, batch: others }];
  };
  /** An operand that is broadcast to the result. */
  const aligned = (part: Value): Along => {
    const lacking = shape.length - part.type.shape.length;
    const place = (at: number) =>
      at >= lacking && !isOne(facts, part.type.shape[at - lacking]!) ? at - lacking : undefined;
    return { value: part, axis: place(axis) ?? -1, batch: known.map(place) };
  };
  switch (node.op) {
    case 'transpose':
      return moved((at) => node.attributes.perm[at]);
    case 'reshape': {
      const groups = groupAxes(facts, value.type.shape, shape);
      return moved((at) => {
        const group = groups?.find(({ after }) => after.includes(at));
        return group?.before.length === 1 && group.after.length === 1 ? group.before[0] : undefined;
      });
    }
    case 'add': {
      const parts = node.inputs.map(aligned);
      return parts.every((part) => part.axis >= 0) ? parts : undefined;
    }
    case 'slice': {
      const isWhole = (at: number) => sameDim(facts, value.type.shape[at]!, shape[at]!);
      return [axis, ...known].every(isWhole) ? [{ value, axis, batch }] : undefined;
    }
    case 'concat':
      return [axis, ...known].includes(node.attributes.axis)
        ? undefined
        : node.inputs.map((part) => ({ value: part, axis, batch }));
    case 'matmul': {
      const narrow = narrowOperand(node, axis, facts);
      if (narrow === undefined || known.some((at) => at >= shape.length - 2)) return undefined;
      return [aligned(node.inputs[narrow]!)];
    }
    default:
      return undefined;
  }
}

/** Returns the operand of a product of matrices that alone has this axis of the result: both may be the same value. */
function narrowOperand({ inputs, outputs: [result] }: NodeOf<'matmul'>, axis: number, facts: Facts): 0 | 1 | undefined {
  const fromEnd = axis - result.type.shape.length;
  const has = ({ type }: Value): boolean => {
    const size = type.shape.at(fromEnd);
    return size !== undefined && !isOne(facts, size);
  };
  const [first, second] = [fromEnd !== -1 && has(inputs[0]!), fromEnd !== -2 && has(inputs[1]!)];
  if (first === second) return undefined;
  return first ? 0 : 1;
}

/** Makes the product of a vector with what is reached. */
class NarrowProduct {
  readonly #build: Builder;
  readonly #indices: Indices;
  readonly #vector: Factor;
  readonly #reach: Reach;
  readonly #made = new Map<Value, Value>();

  constructor(build: Builder, vector: Value, reached: Reach) {
    this.#build = build;
    this.#indices = new Indices(build.facts);
    this.#vector = { value: vector, axes: this.#indices.of(vector.type.shape) };
    this.#reach = reached;
  }

  /** A value times the vector: of its shape, with size 1 along the axis. */
  of(value: Value): Value | undefined {
    const known = this.#made.get(value);
    if (known !== undefined) return known;
    const along = this.#reach.along.get(value)!;
    const made = this.#reach.gone.has(value.node)
      ? this.#anew(value.node, along)
      : this.#product(along, narrowed(value.type.shape, along.axis), along.batch);
    if (made !== undefined) this.#made.set(value, made);
    return made;
  }

  /** The operator of narrower operands. */
  #anew(node: Node, { axis, batch }: Along): Value | undefined {
    const build = this.#build;
    const { shape } = node.outputs[0].type;
    const parts: Value[] = [];
    const narrow = node.op === 'matmul' ? narrowOperand(node, axis, build.facts) : undefined;
    for (const [i, input] of node.inputs.entries()) {
      // Of a product of matrices, one operand stays.
      const part = narrow === undefined || narrow === i ? this.#part(input, shape, batch) : input;
      if (part === undefined) return undefined;
      parts.push(part);
    }
    const [first] = parts as [Value];
    switch (node.op) {
      case 'transpose':
        return build.transpose(first, node.attributes.perm);
      case 'reshape':
        return build.reshape(first, narrowed(shape, axis));
      case 'slice': {
        const { start, stop, step } = node.attributes;
        return build.slice(first, start, narrowed(stop, axis), step);
      }
      case 'concat':
        return build.concat(parts, node.attributes.axis);
      case 'add':
        return build.add(first, parts[1]!);
      case 'matmul':
        return build.matmul(first, parts[1]!);
      default:
        return undefined;
    }
  }

  /** An operand times the vector; where it lacks axes of the vector, with these at their places in the result. */
  #part(value: Value, result: readonly Dim[], batch: Along['batch']): Value | undefined {
    const along = this.#reach.along.get(value)!;
    if (!along.batch.includes(undefined)) return this.of(value);
    const lacking = result.length - value.type.shape.length;
    const shape = result.map((size, at) => {
      if (batch.includes(at)) return size;
      return at < lacking || at - lacking === along.axis ? one : value.type.shape[at - lacking]!;
    });
    return this.#product(along, shape, batch, lacking);
  }

  /** The product itself, in a shape that holds it. `places` are the vector's axes in that shape. */
  #product({ value, axis, batch }: Along, shape: readonly Dim[], places: readonly (number | undefined)[], lacking = 0) {
    const own = indicesOf(this.#vector);
    const fresh = this.#indices.of(value.type.shape);
    const axes = fresh.map((indices, at) => {
      if (at === axis) return own.slice(-1);
      const place = batch.indexOf(at);
      return place < 0 ? indices : own.slice(place, place + 1);
    });
    const order = shape.flatMap((_, at) => {
      const place = places.indexOf(at);
      if (place >= 0) return own.slice(place, place + 1);
      return at < lacking || at - lacking === axis ? [] : axes[at - lacking]!;
    });
    const product = contracted(this.#build, { value, axes }, this.#vector, new Set(order), order);
    return product && regrouped(this.#build, product, order, shape);
  }
}

function narrowed(shape: readonly Dim[], axis: number): Dim[] {
  return shape.map((size, at) => (at === axis ? one : size));
}

/** Products with vectors, as early as it pays. */
export const productRules: readonly Rule[] = [productBeforeSum];
