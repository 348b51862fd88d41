import * as ort from 'onnxruntime-node';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import type { DType, Graph, TensorData } from '../../../compiler/ir/graph.ts';
import { indexInputs } from '../../../compiler/ir/index-check.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { encodeOnnx } from '../../../runtime/onnx-file.ts';

export interface OnnxRun {
  run(feeds: ReadonlyMap<string, TensorData>): Promise<Map<string, TensorData>>;
  release(): Promise<void>;
}

/** A graph in onnxruntime on one thread. */
export async function openOnnx(graph: Graph, weights: (path: string) => Float32Array): Promise<OnnxRun> {
  const model = emitOnnx(graph, { producerVersion: 'fuzz', hostChecks: indexInputs(graph) });
  const bytes = await encodeOnnx(model, { read: async (path) => weights(path) });
  const session = await ort.InferenceSession.create(bytes, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  return {
    async run(feeds) {
      const given = Object.fromEntries(session.inputNames.map((name) => [name, toOrt(feeds.get(name)!)]));
      const results = await session.run(given);
      return new Map(Object.entries(results).map(([name, result]) => [name, fromOrt(result as ort.Tensor)]));
    },
    release: () => session.release(),
  };
}

function toOrt({ dtype, shape, data }: TensorData): ort.Tensor {
  switch (dtype) {
    case 'f32':
      return new ort.Tensor('float32', Float32Array.from(data), shape);
    case 'i32':
      return new ort.Tensor('int32', Int32Array.from(data), shape);
    case 'i64':
      return new ort.Tensor('int64', BigInt64Array.from([...data], BigInt), shape);
    case 'u8':
      return new ort.Tensor('uint8', Uint8Array.from(data), shape);
    case 'bool':
      return new ort.Tensor('bool', Uint8Array.from(data), shape);
    case 'f16':
      throw new Error('nothing feeds f16');
  }
}

const dtypes: Readonly<Record<string, DType>> = {
  float32: 'f32',
  int32: 'i32',
  int64: 'i64',
  uint8: 'u8',
  bool: 'bool',
};

function fromOrt({ type, dims, data }: ort.Tensor): TensorData {
  return tensor(dtypes[type]!, dims, Array.from(data as ArrayLike<number | bigint>, Number));
}
