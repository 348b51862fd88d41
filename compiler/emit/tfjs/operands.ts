import type { Node, Value } from '../../ir/graph.ts';
import { aligned, broadcastSizes, runsOf, sameSizes } from './axes.ts';
import type { Emission } from './emission.ts';
import { type Argument, isTemp, type Temp } from './program.ts';

/** One form of an operand; a number has no axes. */
interface Form {
  readonly shape: readonly number[];
  use(): Argument;
}

/** The largest number of axes for which operators broadcast correctly and fast on every back end. */
const mostAxes = 4;

/**
 * Returns the operands of a broadcasting operator, each as small as still gives the result its shape: a number for a
 * full tensor, the input of a broadcast. At least one operand is a tensor. Above four axes, neighbours that broadcast
 * alike are merged; `shape` is the shape that the operator then returns.
 */
export function broadcastOperands(node: Node, emission: Emission): { operands: Argument[]; shape: readonly number[] } {
  const result = emission.shape(node.outputs[0]);
  const exact = (value: Value): Form => ({ shape: emission.shape(value), use: () => emission.use(value) });
  const chosen = node.inputs.map(exact);
  for (const [i, value] of node.inputs.entries())
    for (const form of smallerForms(value, emission)) {
      const shapes = chosen.map((other, j) => (j === i ? form.shape : other.shape));
      if (!sameSizes(broadcastSizes(shapes), result)) continue;
      chosen[i] = form;
      break;
    }
  const used = chosen.map((form) => form.use());
  const [first] = node.inputs;
  if (first !== undefined && !used.some(isTemp)) used[0] = emission.use(first);
  const temps = used.filter(isTemp);
  if (result.length <= mostAxes) return { operands: used, shape: result };
  const runs = joined(temps, result);
  // With so many different ways of broadcasting, merging does not suffice: the operands are repeated first, and all
  // axes are merged.
  const whole = runs.length > mostAxes;
  const shape = whole ? [result.reduce((a, b) => a * b, 1)] : runs.map((run) => run.size);
  const operands = used.map((operand) => {
    if (!isTemp(operand)) return operand;
    if (whole) return emission.reshape(emission.expand(operand, result), shape);
    const own = aligned(operand.shape, result.length);
    return emission.reshape(
      operand,
      runs.map(({ axes, size }) => (own[axes[0]!] === 1 ? 1 : size)),
    );
  });
  return { operands, shape };
}

function joined(temps: readonly Temp[], result: readonly number[]) {
  const shapes = temps.map((temp) => aligned(temp.shape, result.length));
  return runsOf(result, (axis) => shapes.map((shape) => (shape[axis] === 1 ? '1' : 'n')).join(''));
}

/** Returns the forms from the smallest on, without the value itself. */
function smallerForms(value: Value, emission: Emission): Form[] {
  const { node } = value;
  switch (node.op) {
    case 'full': {
      const { value: number, dtype } = node.attributes;
      // TensorFlow.js converts a number to a float32.
      return [{ shape: [], use: () => emission.number(number, dtype) }];
    }
    case 'broadcast': {
      const from = node.inputs[0];
      return [...smallerForms(from, emission), { shape: emission.shape(from), use: () => emission.use(from) }];
    }
    default:
      return [];
  }
}
