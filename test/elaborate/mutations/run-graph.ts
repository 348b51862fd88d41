import { evaluate } from '../../../compiler/dims/dim.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import type { TensorData, TensorType } from '../../../compiler/ir/types.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { initialWeights } from '../../../runtime/weights/initialise.ts';
import { runOnnx } from '../../emit/onnx/session.ts';

/** Sizes at which a CroBIM runs, none of them like another. */
const sizes: Readonly<Record<string, number>> = { B: 2, H: 64, W: 96, T: 7 };
/** More numbers than this are not drawn: the shapes are held all the same, by what the build says. */
const fewWeights = 4e6;

/** Builds a graph and, where it is small, runs it; what is not as its types say, or undefined. */
export async function runsAsPromised(graph: Graph): Promise<string | undefined> {
  const size = (name: string) => sizes[name] ?? 5;
  const shapeOf = ({ shape }: TensorType) => shape.map((dim) => evaluate(dim, size));
  try {
    const emitted = emitOnnx(runPipeline(graph), { producerVersion: '0', place: () => '' });
    const weights = weightsOf(graph);
    const count = weights.reduce((sum, { shape }) => sum + shape.reduce((n, d) => n * d, 1), 0);
    const isKept = graph.guards.every(({ left, right, relation, remainder }) => {
      const [a, b] = [evaluate(left, size), evaluate(right, size)];
      if (relation === '%') return a % b === (remainder ?? 0);
      return relation === '==' ? a === b : relation === '<=' ? a <= b : a < b;
    });
    if (count > fewWeights || !isKept) return undefined;
    const feeds = new Map(graph.inputs.map(({ name, value: { type } }) => [name, ones(type, shapeOf(type))]));
    const results = await runOnnx(emitted, feeds, initialWeights(weights, 1));
    for (const { name, value } of graph.outputs) {
      const result = results.get(name);
      const wanted = shapeOf(value.type).join();
      if (result?.shape.join() !== wanted) return `${name} is [${result?.shape.join()}], where [${wanted}] is promised`;
    }
    return undefined;
  } catch (error) {
    return (error as Error).stack ?? String(error);
  }
}

function ones({ dtype }: TensorType, shape: readonly number[]): TensorData {
  const count = shape.reduce((n, d) => n * d, 1);
  return tensor(
    dtype,
    shape,
    Array.from({ length: count }, (_, i) => (dtype === 'f32' ? (i % 7) / 7 : 1)),
  );
}
