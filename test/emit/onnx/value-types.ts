import { expect } from 'vitest';
import type { OnnxModel, ValueInfo } from '../../../compiler/emit/onnx/model.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import type { WeightSource } from '../../../runtime/weights/weights.ts';
import { runOnnx } from './session.ts';

/** Results of nodes for which the model has no type. */
export function untyped({ graph }: OnnxModel): string[] {
  const typed = new Set([...graph.values, ...graph.outputs].map(({ name }) => name));
  return graph.nodes.flatMap(({ outputs }) => outputs.filter((name) => !typed.has(name)));
}

/** Holds the type that the model has for each value to what the value is, in a run in which all of them are outputs. */
export async function expectValueTypes(
  model: OnnxModel,
  feeds: ReadonlyMap<string, TensorData>,
  weights?: WeightSource,
): Promise<void> {
  expect(untyped(model)).toEqual([]);
  const { graph } = model;
  const exposed = { ...model, graph: { ...graph, outputs: [...graph.outputs, ...graph.values], values: [] } };
  const results = await runOnnx(exposed, feeds, weights);
  const sizes = new Map<string, number>();
  for (const { name, shape } of graph.inputs)
    for (const [axis, size] of shape.entries())
      if (typeof size === 'string' && /^\w+$/.test(size)) sizes.set(size, feeds.get(name)!.shape[axis]!);
  const evaluate = sizesAt(sizes);
  const wrong = exposed.graph.outputs.flatMap(({ name, dtype, shape }) => {
    const found = results.get(name)!;
    const wanted = shape.map(evaluate);
    const isRight = found.dtype === dtype && found.shape.join() === wanted.join();
    return isRight ? [] : [`${name}: ${dtype}[${shape.join(', ')}] is ${found.dtype}[${found.shape.join(', ')}]`];
  });
  expect(wrong).toEqual([]);
}

/** The text of a dim is an expression of JavaScript. */
function sizesAt(at: ReadonlyMap<string, number>): (size: ValueInfo['shape'][number]) => number {
  const names = [...at.keys(), 'ceil', 'floor', 'min', 'max'];
  const known = new Map<string, number>();
  return (size) => {
    if (size === undefined) throw new Error('the size of a result is not written');
    if (typeof size === 'number') return size;
    let value = known.get(size);
    if (value === undefined) {
      const evaluate = new Function(...names, `return ${size.replaceAll('^', '**')};`);
      value = Number(evaluate(...at.values(), Math.ceil, Math.floor, Math.min, Math.max));
      known.set(size, value);
    }
    return value;
  };
}
