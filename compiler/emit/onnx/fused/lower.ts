import { constant, type Dim, mul, one, product, zero } from '../../../dims/dim.ts';
import type { Node, Value } from '../../../ir/graph.ts';
import { sameDim, sameShape } from '../../../ir/shapes.ts';
import type { Emission } from '../emission.ts';
import { sumWithParts } from '../middle-sums.ts';
import { float, int, ints } from '../model.ts';
import { padded } from '../pad-by-concat.ts';
import { known, reshapePlan } from '../reshape-target.ts';
import { reshaped } from '../reshaped.ts';
import type { Attention } from './attention.ts';
import { added, deformed } from './lower-sums.ts';
import type { SkipNorm } from './plan.ts';
import type { RowMove } from './row-moves.ts';

type Lowered = readonly (string | undefined)[];

/** Emits a node by one of the operators that its profile allows; undefined if its own lowering applies. */
export function lowerFused(node: Node, emission: Emission): Lowered | undefined {
  const { plan } = emission;
  const move = plan.moves.get(node);
  if (move !== undefined) return gatheredRows(node, move, emission);
  const attention = plan.attentions.get(node);
  if (attention !== undefined) return attended(node, attention, emission);
  const skip = plan.skips.get(node);
  if (skip !== undefined) return skipNorm(node, skip, emission);
  const sampled = plan.sampled.get(node);
  if (sampled !== undefined && node.op === 'sum') return deformed(node, sampled, emission);
  const parts = plan.parts.get(node);
  if (parts !== undefined && node.op === 'add') {
    sumWithParts(node, parts, emission);
    return [];
  }
  const operands = plan.additions.get(node);
  if (operands !== undefined) return added(node, operands, emission);
  if (node.op === 'layer_norm' && isNamed(node, emission)) return [];
  const gelu = plan.gelus.get(node);
  if (gelu !== undefined) return biasGelu(node, gelu, emission);
  return undefined;
}

function isNamed(node: Node, emission: Emission): boolean {
  const [value] = node.outputs;
  return emission.nameOf(value) !== undefined || emission.form(value) !== undefined;
}

/** Names a value by a result of another shape than its own. */
function nameAs(value: Value, name: string, shape: readonly Dim[], emission: Emission): void {
  if (sameShape(emission.facts, value.type.shape, shape)) emission.name(value, name);
  else emission.nameForm(value, { kind: 'reshaped', name, shape });
}

function gatheredRows(node: Node, move: RowMove, emission: Emission): Lowered {
  const { name, shape } = gathered(move.from, move.width, move, emission);
  nameAs(node.outputs[0], name, shape, emission);
  return [];
}

/**
 * Gathers rows of a value, which may be of another width than those that were found to move. The rows of each part are
 * gathered along the second axis; without a batch, they are one matrix, and get the shape `as` if it is given.
 */
function gathered(from: Value, width: number, move: RowMove, emission: Emission, as?: readonly [number, number]) {
  const { batch, rows, index } = move;
  const { dtype } = from.type;
  const row = constant(width);
  const parts = known(emission.facts, batch) === 1 ? [] : [batch];
  const hasZeros = index.includes(-1);
  let name = emission.shapes.as(from, [...parts, constant(rows), row]);
  if (hasZeros) {
    // Zeros are one more row.
    const low = [...parts, rows, row].map(() => zero);
    const high = low.map((_, axis) => (axis === parts.length ? one : zero));
    name = padded(emission, name, { dtype, shape: [...parts, constant(rows), row] }, { low, high, value: 0 });
  }
  const sizes = parts.length === 0 && as !== undefined ? as : [index.length];
  const at = emission.rowNumbers(hasZeros ? index.map((one) => (one < 0 ? rows : one)) : index, sizes);
  const shape = [...parts, ...sizes.map(constant), row];
  const axis = parts.length === 0 ? {} : { axis: int(1) };
  return { name: emission.node('Gather', [name, at], { dtype, shape }, axis), shape };
}

/** The sum is the fourth result. */
function skipNorm(node: Node, { x, skip, bias, norm, needsSum }: SkipNorm, emission: Emission): Lowered {
  const [sum] = node.outputs;
  const { shapes } = emission;
  // The operator takes two or three axes.
  const asRows = sum.type.shape.length > 3 || shapes.hasRows(x) || shapes.hasRows(skip);
  const shape = asRows ? shapes.rowShape(sum.type.shape) : sum.type.shape;
  const [, scale, shift] = norm.inputs;
  const inputs = [shapes.as(x, shape), shapes.as(skip, shape), emission.use(scale), emission.use(shift)];
  if (bias !== undefined) inputs.push(emission.use(bias));
  const type = { dtype: sum.type.dtype, shape };
  const types = needsSum ? [type, undefined, undefined, type] : [type];
  const attributes = { epsilon: float(norm.attributes.eps) };
  const names = emission.contrib('SkipLayerNormalization', inputs, types, attributes);
  nameAs(norm.outputs[0], names[0]!, shape, emission);
  if (needsSum) nameAs(sum, names[3]!, shape, emission);
  return [];
}

function biasGelu(node: Node, { x, bias }: { x: Value; bias: Value }, emission: Emission): Lowered {
  const [value] = node.outputs;
  const { dtype, shape } = value.type;
  const asRows = emission.shapes.hasRows(x);
  const type = { dtype, shape: asRows ? emission.shapes.rowShape(shape) : shape };
  const operand = asRows ? emission.shapes.rows(x) : emission.use(x);
  nameAs(value, emission.contrib('BiasGelu', [operand, emission.use(bias)], [type])[0]!, type.shape, emission);
  return [];
}

/**
 * The operator takes x [batch, length, channels], one matrix and one vector for queries, keys and values, and returns
 * [batch, length, heads·depth].
 */
function attended(node: Node, attention: Attention, emission: Emission): Lowered {
  const { projections, heads, scale, lead, length, width } = attention;
  const [{ x, weight, isTransposed, bias }] = projections as [(typeof projections)[0]];
  const batch = product(lead);
  const { dtype } = x.type;
  const channels = weight.type.shape[isTransposed ? 1 : 0]!;
  const together = mul(constant(3), width);
  const each = projections.length === 1 ? together : width;
  const joined = (names: readonly string[], shape: readonly Dim[], axis: number) =>
    names.length === 1 ? names[0]! : emission.node('Concat', names, { dtype, shape }, { axis: int(axis) });
  const matrices = projections.map((one) => {
    const name = emission.use(one.weight);
    const type = { dtype, shape: [channels, each] };
    return one.isTransposed ? emission.node('Transpose', [name], type, { perm: ints([1, 0]) }) : name;
  });
  const weights = joined(matrices, [channels, together], 1);
  const vectors = projections.map((one) => one.bias && emission.shapes.as(one.bias, [each]));
  const biases = bias === undefined ? '' : joined(vectors as string[], [together], 0);
  const inputs = [windows(attention, [batch, length, channels], emission), weights, biases];
  const added = scoreBias(attention, emission);
  if (added !== undefined) inputs.push('', '', added);
  const type = { dtype, shape: [batch, length, width] };
  const attributes = { num_heads: int(heads), scale: float(scale) };
  nameAs(node.outputs[0], emission.contrib('Attention', inputs, [type], attributes)[0]!, type.shape, emission);
  return [];
}

/** Returns what attention is of, as [batch, length, channels]. Rows that are to be gathered are gathered in this shape. */
function windows({ projections }: Attention, shape: readonly [Dim, Dim, Dim], emission: Emission): string {
  const { facts, plan, shapes } = emission;
  const [{ x, moved }] = projections as [(typeof projections)[0]];
  const { dtype } = x.type;
  const channels = known(facts, shape[2]);
  const sizes = [known(facts, shape[0]), known(facts, shape[1])] as const;
  const as = sizes.every((size) => size !== undefined) ? (sizes as readonly [number, number]) : undefined;
  const move = moved ?? plan.moves.get(x.node);
  if (move === undefined || channels === undefined || (moved === undefined && isNamed(x.node, emission)))
    return shapes.as(x, shape);
  const rows = gathered(moved === undefined ? move.from : x, channels, move, emission, as);
  if (moved === undefined) nameAs(x, rows.name, rows.shape, emission);
  return reshaped(emission, rows.name, { dtype, shape: rows.shape }, shape);
}

/** Returns what is added to scores, as [1 or batch, 1 or heads, length, length]; undefined if nothing is. */
function scoreBias({ biases, lead, scores }: Attention, emission: Emission): string | undefined {
  const { facts, shapes } = emission;
  const [only, ...more] = biases;
  if (only === undefined) return undefined;
  const { dtype } = only.type;
  const isOne = (dim: Dim) => known(facts, dim) === 1;
  const aligned = ({ type: { shape } }: Value) => [...scores.slice(shape.length).map(() => one), ...shape];
  const axes = scores.length;
  const shape = scores.map((_, axis) => biases.map((bias) => aligned(bias)[axis]!).find((dim) => !isOne(dim)) ?? one);
  const hasLead = shape.slice(0, axes - 3).some((dim) => !isOne(dim));
  const wanted = scores.map((dim, axis) => {
    if (axis === axes - 3) return shape[axis]!;
    return axis < axes - 3 && !hasLead ? one : dim;
  });
  const four = [hasLead ? product(lead) : one, ...wanted.slice(-3)];
  const once = (op: string, inputs: readonly string[], to: readonly Dim[]) =>
    emission.shared(op, inputs, { dtype, shape: to }, {}, 'bias/');
  const isWhole = wanted.every((dim, axis) => sameDim(facts, dim, shape[axis]!));
  if (more.length === 0 && isWhole) return shapes.as(only, four);
  let name = emission.use(only);
  for (const bias of more) name = once('Add', [name, emission.use(bias)], shape);
  if (!isWhole) {
    const target = wanted.map((dim, axis) => (sameDim(facts, dim, shape[axis]!) ? one : dim));
    name = once('Expand', [name, emission.dims.vector(target)], wanted);
  }
  if (sameShape(facts, wanted, four)) return name;
  const plan = reshapePlan(facts, wanted, four);
  const to = plan.op === 'Reshape' ? emission.dims.vector(plan.target) : emission.i64(plan.axes);
  return once(plan.op, [name, to], four);
}
