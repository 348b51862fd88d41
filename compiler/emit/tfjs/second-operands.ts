import { sameSizes } from './axes.ts';
import type { Call, Temp } from './program.ts';

/**
 * The wasm back end of TensorFlow.js packs the second operand of a product of two matrices. It caches the packed matrix
 * until the operand's data are disposed of, and the data are its only cache key (`batch_mat_mul_impl.cc`, seen in
 * 4.22.0). A reshape shares its operand's data, so if the same data are used as [3, 2] and then as [2, 3], the second
 * product reads beyond the tensor, writes beyond the result and is wrong. So as long as data exist, they are multiplied
 * in only one shape; for every other shape, they are copied. wasm's `clone` copies. Back ends whose `clone` shares the
 * data pack nothing, so it costs nothing there.
 * For its other cached operators, wasm uses complete keys: the filter's data with all sizes for convolutions, and the
 * attributes for pooling, padding, softmax and arithmetic.
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
    // The caller may share the data of feeds with any other tensor.
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

/**
 * Returns tensors of the state that a product reads directly; whether other tensors share their data is checked at run
 * time.
 */
export function multipliedState(calls: readonly Call[]): Set<Temp> {
  return new Set(calls.flatMap((call) => secondOperand(call) ?? []).filter(({ owner }) => owner === 'state'));
}

/** Returns the operand that is packed, if any. Batches of matrices are multiplied in a plain loop. */
function secondOperand({ fn, args }: Call): Temp | undefined {
  const operand = fn === 'matMul' ? (args[1] as Temp) : undefined;
  return operand?.shape.length === 2 ? operand : undefined;
}

/** Returns a function that finds the tensor whose data a tensor shares. */
function rootsOf(calls: readonly Call[]): (temp: Temp) => Temp {
  const roots = new Map<Temp, Temp>();
  const root = (temp: Temp): Temp => roots.get(temp) ?? temp;
  for (const { fn, args, results } of calls) if (fn === 'reshape') roots.set(results[0]!, root(args[0] as Temp));
  return root;
}

/**
 * Returns the shapes in which data are known outside this function, where other programs and other calls multiply them.
 */
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
