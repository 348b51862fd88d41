import { type Dim, one } from '../../dims/dim.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { sameDim, sameShape } from '../../ir/shapes.ts';
import type { Emission } from './emission.ts';
import { insertedOnes, known } from './reshape-target.ts';

/** One form of an operand for an operator that broadcasts. */
interface Form {
  readonly shape: readonly Dim[];
  use(): string;
}

/** The selected form of an operand. */
export interface Operand {
  readonly name: string;
  readonly shape: readonly Dim[];
}

export function namesOf(operands: readonly Operand[]): string[] {
  return operands.map(({ name }) => name);
}

/** Returns the shape that two of the operands broadcast to. */
export function shapeOfBoth({ facts }: Emission, a: Operand, b: Operand): readonly Dim[] {
  const [longer, shorter] = a.shape.length >= b.shape.length ? [a.shape, b.shape] : [b.shape, a.shape];
  const lead = longer.length - shorter.length;
  return longer.map((dim, axis) => (known(facts, dim) === 1 ? (shorter[axis - lead] ?? dim) : dim));
}

/**
 * Returns the operands of a broadcasting operator, each in the smallest form that still gives the result its shape: a
 * full tensor becomes a scalar, a broadcast is replaced by its input, and a reshape that only adds leading axes is left
 * out. `fixed` is the number of trailing axes that must stay unchanged (two for a matrix product).
 */
export function broadcastOperands(node: Node, emission: Emission, fixed = 0): Operand[] {
  const result = node.outputs[0].type.shape;
  const chosen: Form[] = node.inputs.map((value) => exact(value, emission));
  for (const [i, value] of node.inputs.entries())
    for (const form of forms(value, emission)) {
      const shapes = chosen.map((other, j) => (j === i ? form.shape : other.shape));
      if (keepsTrailing(emission, form.shape, value.type.shape, fixed) && gives(emission, shapes, result, fixed)) {
        chosen[i] = form;
        break;
      }
    }
  return chosen.map((form) => ({ name: form.use(), shape: form.shape }));
}

function exact(value: Value, emission: Emission): Form {
  return { shape: value.type.shape, use: () => emission.use(value) };
}

/** Returns the forms of a value from the smallest to the value itself. */
function forms(value: Value, emission: Emission): Form[] {
  const { node } = value;
  const own = exact(value, emission);
  if (emission.isStored(value)) return [own];
  switch (node.op) {
    case 'full': {
      const { value: number, dtype } = node.attributes;
      return [{ shape: [], use: () => emission.number(number, dtype) }, own];
    }
    case 'dim':
      return [dimForm(node.attributes.value, value, emission), own];
    case 'cast': {
      const from = node.inputs[0].node;
      return from.op === 'dim' ? [dimForm(from.attributes.value, value, emission), own] : [own];
    }
    case 'broadcast':
      return [...forms(node.inputs[0], emission), own];
    case 'reshape': {
      const from = node.inputs[0];
      const added = insertedOnes(emission.facts, from.type.shape, value.type.shape);
      const leading = added?.every((axis, i) => axis === i) ?? false;
      return leading ? [...forms(from, emission), own] : [own];
    }
    default:
      return [own];
  }
}

/** Returns the forms of a value that are smaller than its own, from the smallest on. */
export function smallerForms(value: Value, emission: Emission): readonly Form[] {
  return forms(value, emission).filter(({ shape }) => shape.length < value.type.shape.length || shape.length < 2);
}

/** A dim is computed as [1]: that is one axis more than it has, but saves a Squeeze. */
function dimForm(dim: Dim, value: Value, emission: Emission): Form {
  return { shape: [one], use: () => emission.dims.number(dim, value.type.dtype) };
}

function gives(
  emission: Emission,
  shapes: readonly (readonly Dim[])[],
  result: readonly Dim[],
  fixed: number,
): boolean {
  const { facts } = emission;
  if (Math.max(...shapes.map((shape) => shape.length)) !== result.length) return false;
  return result.every((dim, axis) => {
    const fromEnd = result.length - axis;
    if (fromEnd <= fixed || known(facts, dim) === 1) return true;
    return shapes.some((shape) => fromEnd <= shape.length && sameDim(facts, shape[shape.length - fromEnd]!, dim));
  });
}

function keepsTrailing(emission: Emission, form: readonly Dim[], whole: readonly Dim[], fixed: number): boolean {
  if (fixed === 0) return true;
  return form.length >= fixed && sameShape(emission.facts, form.slice(-fixed), whole.slice(-fixed));
}
