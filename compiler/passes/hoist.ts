import { type Dim, one, product } from '../dims/dim.ts';
import type { Builder } from '../graphs/builder.ts';
import type { Node, NodeOf, SourceOp, Value } from '../ir/graph.ts';
import { identicalShapes } from '../ir/shapes.ts';
import { elements } from '../ops/cost.ts';
import { type AxisGroup, groupAxes, minimalPermutation } from './axes.ts';
import { isElementwise, isOne, producer } from './match.ts';
import { anyOf, finding, value, where } from './patterns/construct.ts';
import type { NodeAmong, Surroundings } from './patterns/pattern.ts';
import { composed } from './reshapes.ts';
import { type Rewrite, type Rule, rewrite, rule } from './rule.ts';
import { isLess } from './work.ts';

const x = value('x');

/** A reshape or transpose that looks for a partner upstream. */
type View =
  | { readonly kind: 'transpose'; readonly perm: readonly number[] }
  | { readonly kind: 'reshape'; readonly shape: readonly Dim[] };

/** How to make a view of a value without a node for it, and how many views that saves (or costs). */
interface Plan {
  readonly saves: number;
  make(build: Builder): Value;
}

const reach = 12;

/**
 * A view moves up through operators that do not mind, when that cancels another view: `transpose(gelu(transpose(x)))`.
 * What branches off on the way must not cost as many views as are saved.
 */
const cancelViews = rule('cancel-views', 'gradients', movedUp('transpose'), movedUp('reshape'));

function movedUp(op: View['kind']): Rewrite {
  const single = where(x, `another operator than ${op} is above`, ({ x }) => x.node.op !== op);
  return rewrite(
    where(
      finding(
        anyOf([op], single),
        'plan',
        'the operator above lets it through, and is read by nothing else',
        ({ x }, node, site) => through(x, viewOf(node), site, reach),
        'x',
      ),
      'more views cancel than branch off on the way',
      ({ plan }) => plan.saves + 1 > 0,
      'x',
    ),
    ({ plan }, { build }) => plan.make(build),
  );
}

function viewOf(node: NodeAmong<View['kind']>): View {
  return node.op === 'transpose'
    ? { kind: 'transpose', perm: node.attributes.perm }
    : { kind: 'reshape', shape: node.attributes.shape };
}

/** The view of a value, moved up as far as it pays; a node of its own at worst. */
function plan(value: Value, view: View, site: Surroundings, left: number): Plan {
  const inverse = cancelled(value, view, site);
  if (inverse !== undefined) return inverse;
  const moved = left > 0 ? through(value, view, site, left - 1) : undefined;
  if (moved !== undefined && moved.saves > -1) return moved;
  const free = isParameter(value, 3) || movesNothing(value, view, site);
  return { saves: free ? 0 : -1, make: (build) => apply(value, view, build) };
}

function apply(value: Value, view: View, build: Builder): Value {
  return view.kind === 'transpose' ? build.transpose(value, view.perm) : build.reshape(value, view.shape);
}

/** A partner that undoes the view, or that becomes one with it. */
function cancelled(value: Value, view: View, site: Surroundings): Plan | undefined {
  const once = site.uses(value) === 1 ? 1 : 0;
  if (view.kind === 'transpose') {
    const inner = producer(value, 'transpose');
    if (inner === undefined) return undefined;
    const perm = composed(inner.attributes.perm, view.perm);
    const x = inner.inputs[0]!;
    const nothing = minimalPermutation(site.facts, x.type.shape, perm).perm.every((from, to) => from === to);
    return { saves: nothing ? once : once - 1, make: (build) => build.transpose(x, perm) };
  }
  const inner = producer(value, 'reshape');
  if (inner === undefined) return undefined;
  const x = inner.inputs[0]!;
  const undone = identicalShapes(x.type.shape, view.shape);
  return { saves: undone ? once : once - 1, make: (build) => build.reshape(x, view.shape) };
}

/** The view of a node's result as the node of viewed operands. Only where nothing else reads the result. */
function through(value: Value, view: View, site: Surroundings, left: number): Plan | undefined {
  if (site.uses(value) > 1) return undefined;
  const { node } = value;
  switch (node.op) {
    case 'input':
    case 'weight':
      return undefined;
    case 'softmax':
    case 'log_softmax':
      return throughAxis(node, view, site, left);
    case 'layer_norm':
      return throughLayerNorm(node, view, site, left);
    case 'matmul':
      return view.kind === 'transpose'
        ? (swapMatmul(node, view.perm, site, left) ?? gatherColumns(node, view.perm, site, left))
        : reshapeRows(node, view.shape, site, left);
    default:
      return isElementwise(node) ? throughElementwise(node, view, site, left) : undefined;
  }
}

/** What stands in place of a node comes from where the node came from, not from where the view did. */
function madeFor({ origin }: Node, make: (build: Builder) => Value): (build: Builder) => Value {
  return (build) => {
    const outer = build.origin;
    build.origin = origin;
    const made = make(build);
    build.origin = outer;
    return made;
  };
}

function throughElementwise(
  node: Exclude<Node, { op: SourceOp }>,
  view: View,
  site: Surroundings,
  left: number,
): Plan | undefined {
  const whole = node.outputs[0].type.shape;
  if (!node.inputs.some((input) => identicalShapes(input.type.shape, whole))) return undefined;
  const plans: Plan[] = [];
  for (const input of node.inputs) {
    const own = planOperand(input, whole, view, site, left);
    if (own === undefined) return undefined;
    plans.push(own);
  }
  return {
    saves: plans.reduce((saves, { saves: more }) => saves + more, 0),
    make: madeFor(
      node,
      (build) =>
        build.emit(
          node.op,
          plans.map((each) => each.make(build)),
          node.attributes as never,
        )[0]!,
    ),
  };
}

/** The view of an operand that broadcasts to `whole`. */
function planOperand(
  input: Value,
  whole: readonly Dim[],
  view: View,
  site: Surroundings,
  left: number,
): Plan | undefined {
  const { shape } = input.type;
  const { facts } = site;
  if (shape.length === 0 && whole.length > 0) return { saves: 0, make: () => input };
  if (identicalShapes(shape, whole)) return plan(input, view, site, left);
  const aligned = [...whole.slice(shape.length).map(() => one), ...shape];
  const narrowed = view.kind === 'transpose' ? view : narrowReshape(whole, aligned, view.shape, site);
  if (narrowed === undefined) return undefined;
  const free = isParameter(input, 3);
  const make = (build: Builder) => trimmed(apply(build.reshape(input, aligned), narrowed, build), build);
  if (view.kind === 'reshape') return { saves: free ? 0 : -1, make };
  const { perm } = minimalPermutation(facts, aligned, view.perm);
  return { saves: free || perm.every((from, to) => from === to) ? 0 : -1, make };
}

/** Without axes of size 1 in front, which broadcasting puts back. */
function trimmed(value: Value, build: Builder): Value {
  const { shape } = value.type;
  const first = shape.findIndex((dim) => !isOne(build.facts, dim));
  return build.reshape(value, first < 0 ? [] : shape.slice(first));
}

/** What a reshape of the whole makes of an operand that has size 1 along some axes. */
function narrowReshape(
  whole: readonly Dim[],
  operand: readonly Dim[],
  shape: readonly Dim[],
  { facts }: Surroundings,
): View | undefined {
  const groups = groupAxes(facts, whole, shape);
  if (groups === undefined) return undefined;
  const sizes = shape.map((): Dim => one);
  for (const { before, after } of groups) {
    const repeated = before.filter((axis) => isOne(facts, operand[axis]!));
    if (repeated.length === before.length) continue;
    if (repeated.length > 0) return undefined;
    for (const axis of after) sizes[axis] = shape[axis]!;
  }
  return { kind: 'reshape', shape: sizes };
}

function throughAxis(
  node: NodeOf<'softmax'> | NodeOf<'log_softmax'>,
  view: View,
  site: Surroundings,
  left: number,
): Plan | undefined {
  const axis = keptAxis(node.inputs[0]!, node.attributes.axis, view, site);
  if (axis === undefined) return undefined;
  const x = plan(node.inputs[0]!, view, site, left);
  return { saves: x.saves, make: madeFor(node, (build) => build.emit(node.op, [x.make(build)], { axis })[0]!) };
}

function throughLayerNorm(node: NodeOf<'layer_norm'>, view: View, site: Surroundings, left: number): Plan | undefined {
  const [operand, scale, bias] = [node.inputs[0]!, node.inputs[1]!, node.inputs[2]!];
  const last = operand.type.shape.length - 1;
  const rank = view.kind === 'transpose' ? view.perm.length : view.shape.length;
  if (keptAxis(operand, last, view, site) !== rank - 1) return undefined;
  const x = plan(operand, view, site, left);
  const make = madeFor(node, (build) => build.layerNorm(x.make(build), scale, bias, node.attributes.eps));
  return { saves: x.saves, make };
}

/** Where the view puts an axis, if it leaves it whole. */
function keptAxis(operand: Value, axis: number, view: View, { facts }: Surroundings): number | undefined {
  if (view.kind === 'transpose') return view.perm.indexOf(axis);
  const groups = groupAxes(facts, operand.type.shape, view.shape);
  const group = groups?.find(({ before }) => before.includes(axis));
  return group && isKept(group) ? group.after[0] : undefined;
}

function isKept({ before, after }: AxisGroup): boolean {
  return before.length === 1 && after.length === 1;
}

/** (a·b)ᵀ = bᵀ·aᵀ. A product takes in a transpose of the last two axes of an operand, so that a new one there counts as none. */
function swapMatmul(
  node: NodeOf<'matmul'>,
  perm: readonly number[],
  site: Surroundings,
  left: number,
): Plan | undefined {
  if (!swapsLastTwo(perm)) return undefined;
  const swapped = (value: Value): Plan => {
    const found = plan(value, { kind: 'transpose', perm: swap(value.type.shape.length) }, site, left);
    return { ...found, saves: Math.max(0, found.saves) };
  };
  const [a, b] = [swapped(node.inputs[0]!), swapped(node.inputs[1]!)];
  return { saves: a.saves + b.saves, make: madeFor(node, (build) => build.matmul(b.make(build), a.make(build))) };
}

function swap(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
}

function swapsLastTwo(perm: readonly number[]): boolean {
  const wanted = swap(perm.length);
  return perm.length >= 2 && perm.every((axis, i) => axis === wanted[i]);
}

/**
 * Products of one matrix with many, whose columns the transpose puts side by side: one product with the columns of all. What
 * is rearranged then is an operand that is smaller than the product, which counts as half a view.
 */
function gatherColumns(
  node: NodeOf<'matmul'>,
  perm: readonly number[],
  site: Surroundings,
  left: number,
): Plan | undefined {
  const [result] = node.outputs;
  const { shape } = result.type;
  const [rows, columns] = [shape.length - 2, shape.length - 1];
  const many = perm[rows]!;
  const batch = [...shape.keys()].filter((axis) => axis !== many && axis < rows);
  if (many >= rows || ![...batch, rows, many, columns].every((axis, i) => axis === perm[i])) return undefined;
  const aligned = ({ type }: Value): Dim[] => [...shape.slice(type.shape.length).map(() => one), ...type.shape];
  const [a, b] = [node.inputs[0]!, node.inputs[1]!];
  const [ofA, ofB] = [aligned(a), aligned(b)];
  if (!isOne(site.facts, ofA[many]!) || isOne(site.facts, ofB[many]!) || b.type.shape.length < shape.length)
    return undefined;
  if (!isLess(elements(b.type), elements(result.type), site)) return undefined;
  const gathered = plan(b, { kind: 'transpose', perm }, site, left);
  return {
    saves: gathered.saves === -1 ? -0.5 : gathered.saves,
    make: madeFor(node, (build) => {
      const shapeOf = (of: readonly Dim[], ...last: Dim[]) => [...batch.map((axis) => of[axis]!), ...last];
      const matrix = build.reshape(a, shapeOf(ofA, ofA[rows]!, ofA[columns]!));
      const all = shapeOf(ofB, ofB[rows]!, product([ofB[many]!, ofB[columns]!]));
      const wide = build.matmul(matrix, build.reshape(gathered.make(build), all));
      return build.reshape(
        wide,
        perm.map((axis) => shape[axis]!),
      );
    }),
  };
}

/** Rows of x times one matrix: how the rows are grouped is all the same. */
function reshapeRows(
  node: NodeOf<'matmul'>,
  shape: readonly Dim[],
  site: Surroundings,
  left: number,
): Plan | undefined {
  const [x, matrix] = [node.inputs[0]!, node.inputs[1]!];
  if (matrix.type.shape.length !== 2 || shape.length < 2) return undefined;
  const last = node.outputs[0].type.shape.length - 1;
  if (keptAxis(node.outputs[0], last, { kind: 'reshape', shape }, site) !== shape.length - 1) return undefined;
  const rows = plan(x, { kind: 'reshape', shape: [...shape.slice(0, -1), x.type.shape.at(-1)!] }, site, left);
  return { saves: rows.saves, make: madeFor(node, (build) => build.matmul(rows.make(build), matrix)) };
}

/** Weights and constants, and views of them: they are rearranged when the program is built. */
function isParameter(value: Value, depth: number): boolean {
  switch (value.node.op) {
    case 'weight':
    case 'constant':
    case 'full':
      return true;
    case 'transpose':
    case 'reshape':
    case 'cast':
      return depth > 0 && isParameter(value.node.inputs[0]!, depth - 1);
    default:
      return false;
  }
}

function movesNothing(value: Value, view: View, { facts }: Surroundings): boolean {
  if (view.kind === 'reshape') return false;
  return minimalPermutation(facts, value.type.shape, view.perm).perm.every((from, to) => from === to);
}

export const hoistRules: readonly Rule[] = [cancelViews];
