import { sameSizes } from './axes.ts';
import type { Call, Temp } from './program.ts';

/**
 * The wasm back end of TensorFlow.js packs the second operand of a product of two matrices, keeps what it packed until the
 * operand's data are disposed of, and finds it again by those data alone (`batch_mat_mul_impl.cc`, seen in 4.22.0). A
 * reshape shares its operand's data: the same data as [3, 2] and then as [2, 3] give wrong numbers the second time, from
 * beyond the tensor, and write beyond the result. So data are multiplied in one shape as long as they live, and in every
 * other shape as a copy. wasm's `clone` copies; where it shares data, nothing is packed, and it costs nothing.
 *
 * The other operators that wasm keeps, it finds by all that they were made for: those of convolutions by the filter's data
 * with every size, and those of pooling, padding, softmax and arithmetic by attributes.
 */
export function withOwnOperands(calls: readonly Call[], leaving: ReadonlySet<Temp>): Call[] {
  const lasting = lastingShapes(calls, leaving);
  const first = new Map<Temp, Temp>();
  const root = rootsOf(calls);
  return calls.flatMap((call) => {
    const operand = secondOperand(call);
    if (operand === undefined) return [call];
    const source = root(operand);
    const shapes = lasting.get(source);
    if (shapes === undefined && !first.has(source)) first.set(source, operand);
    // What is fed may share its data with anything that the caller has.
    const inOneShape =
      source.owner !== 'feeds' &&
      (shapes ?? [first.get(source)!.shape]).every((shape) => sameSizes(shape, operand.shape));
    if (inOneShape) return [call];
    const copy: Temp = { ...operand, owner: 'function', hint: 'copy' };
    const [a] = call.args;
    return [
      { results: [copy], fn: 'clone', args: [operand], path: call.path },
      { ...call, args: [a!, copy] },
    ];
  });
}

/** Tensors of the state that a product takes as they are: that no other shares their data is seen when it runs. */
export function multipliedState(calls: readonly Call[]): Set<Temp> {
  return new Set(calls.flatMap((call) => secondOperand(call) ?? []).filter(({ owner }) => owner === 'state'));
}

/** The operand that is packed. Batches of matrices are multiplied in a plain loop. */
function secondOperand({ fn, args }: Call): Temp | undefined {
  const operand = fn === 'matMul' ? (args[1] as Temp) : undefined;
  return operand?.shape.length === 2 ? operand : undefined;
}

/** Whose data a tensor has. */
function rootsOf(calls: readonly Call[]): (temp: Temp) => Temp {
  const roots = new Map<Temp, Temp>();
  const root = (temp: Temp): Temp => roots.get(temp) ?? temp;
  for (const { fn, args, results } of calls) if (fn === 'reshape') roots.set(results[0]!, root(args[0] as Temp));
  return root;
}

/** The shapes in which data are known outside this call, where other programs and other calls multiply them. */
function lastingShapes(calls: readonly Call[], leaving: ReadonlySet<Temp>): Map<Temp, (readonly number[])[]> {
  const root = rootsOf(calls);
  const shapes = new Map<Temp, (readonly number[])[]>();
  const add = (source: Temp, shape: readonly number[]): void => {
    shapes.set(source, [...(shapes.get(source) ?? []), shape]);
  };
  for (const temp of leaving) add(root(temp), temp.shape);
  for (const call of calls) {
    const operand = secondOperand(call);
    const source = operand && root(operand);
    if (source !== undefined && source.owner !== 'function') add(source, source.shape);
  }
  return shapes;
}
