// slow: runs all micro models in half precision

import { describe, expect, test } from 'vitest';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { staticShape } from '../../compiler/ir/shapes.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { HalfType, TensorData } from '../../compiler/ir/types.ts';
import { computesInF32 } from '../../compiler/ops/row.ts';
import { rowOf } from '../../compiler/ops/table.ts';
import { emulateHalf } from '../../compiler/passes/emulate-half.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { compileFrom } from '../../runtime/build/source-model.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { weightsOf } from '../../runtime/weights/graph-weights.ts';
import { initialWeights } from '../../runtime/weights/initialise.ts';
import { SafetensorsFile } from '../../runtime/weights/safetensors.ts';
import type { WeightSource } from '../../runtime/weights/weights.ts';
import { runOnnx } from '../emit/onnx/session.ts';
import { microModels } from '../micro-models.ts';

const epsilon: Readonly<Record<HalfType, number>> = { bf16: 2 ** -8, f16: 2 ** -11 };

/** The sizes that all of them allow. */
function graphOf(model: string, file: string): Graph {
  const dims = new Map(Object.entries({ B: 1, H: 128, W: 128, T: 20 }));
  return compileFrom(diskHost(), file, { model, dims, overrides: [] }).graph!;
}

function feedsOf({ inputs }: Graph): Map<string, TensorData> {
  const element = { bool: () => 1, i64: (i: number) => ((i * 37) % 50) + 1, f32: (i: number) => Math.sin(i * i) * 1.5 };
  return new Map(
    inputs.map(({ name, value: { type } }) => {
      const shape = staticShape(type);
      const of = element[type.dtype as keyof typeof element];
      const length = shape.reduce((n, extent) => n * extent, 1);
      return [
        name,
        tensor(
          type.dtype,
          shape,
          Float64Array.from({ length }, (_, i) => of(i)),
        ),
      ] as const;
    }),
  );
}

/** The root of the mean square of how far the logits in half precision are from those in f32, over that of the latter. */
async function errors(graph: Graph, weights: WeightSource, types: readonly HalfType[]): Promise<readonly number[]> {
  const feeds = feedsOf(graph);
  const logits = async (form: Graph) => {
    const [first] = (await runOnnx(emitOnnx(form, { producerVersion: '0' }), feeds, weights)).values();
    return Float64Array.from(first!.data as ArrayLike<number>);
  };
  const meanSquare = (values: Float64Array) => values.reduce((sum, v) => sum + v * v, 0) / values.length;
  const exact = await logits(runPipeline(graph));
  const found: number[] = [];
  for (const dtype of types) {
    const half = await logits(emulateHalf(runPipeline(graph, { dtype })));
    found.push(Math.sqrt(meanSquare(half.map((v, i) => v - exact[i]!)) / meanSquare(exact)));
  }
  return found;
}

describe.each(microModels)('%s', (model, file) => {
  const graph = graphOf(model, file);

  /**
   * Initial weights are less even than trained ones: logits then differ by 0.02 to 18 ε in bf16 for most seeds, once by 51,
   * and as many ε in f16. Another model than the same one, rounded, differs by 256 ε.
   */
  test('in bf16 is as far from f32 as rounding makes it', async () => {
    const [error] = await errors(graph, initialWeights(weightsOf(graph), 2), ['bf16']);
    expect(error).toBeGreaterThan(epsilon.bf16 / 256);
    expect(error).toBeLessThan(64 * epsilon.bf16);
  });

  test.each(['bf16', 'f16'] as const)(
    'in %s computes in f32 what needs it, and products in half precision',
    (dtype) => {
      const { nodes } = runPipeline(graph, { dtype });
      const products = new Set<string>();
      for (const node of nodes) {
        const row = rowOf(node);
        const floats = [...node.inputs, ...node.outputs]
          .map(({ type }) => type.dtype)
          .filter((type) => type !== 'bool' && type !== 'i32' && type !== 'i64' && type !== 'u8');
        const isPrecise = computesInF32(row) || (dtype === 'bf16' && row?.bf16 === 'f32');
        if (isPrecise) expect(new Set(floats), node.op).toEqual(new Set(floats.length === 0 ? [] : ['f32']));
        else if (row?.half === 'half') for (const type of floats) products.add(type);
      }
      expect(products).toContain(dtype);
    },
  );
});

/** Trained weights are even, so errors are those of a few roundings: 1.04 ε in bf16 and 1.19 ε in f16. */
test('the trained model in half precision is as far from f32 as a few roundings', async () => {
  const file = await SafetensorsFile.open('models/trained/CroBIM_micro.safetensors');
  const types = ['bf16', 'f16'] as const;
  const graph = graphOf('CroBIM_micro', 'models/crobim.crob');
  const found = await errors(graph, { read: (path) => file.float32(path) }, types);
  await file.close();
  for (const [i, type] of types.entries()) {
    expect(found[i], type).toBeGreaterThan(0.4 * epsilon[type]);
    expect(found[i], type).toBeLessThan(2.5 * epsilon[type]);
  }
});
