import * as ort from 'onnxruntime-node';
import type { OnnxModel } from '../../../compiler/emit/onnx/model.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import type { DType, TensorData } from '../../../compiler/ir/types.ts';
import { encodeOnnx } from '../../../runtime/onnx/onnx-file.ts';
import type { WeightSource } from '../../../runtime/weights/weights.ts';

const noWeights: WeightSource = {
  read(path) {
    throw new Error(`no weight ${path}`);
  },
};

export interface OnnxRun {
  /** Results by output name. */
  run(feeds: ReadonlyMap<string, TensorData>): Promise<Map<string, TensorData>>;
  release(): Promise<void>;
}

/** An emitted model in onnxruntime on the CPU. */
export async function openOnnx(
  model: OnnxModel,
  weights: WeightSource = noWeights,
  options: ort.InferenceSession.SessionOptions = { logSeverityLevel: 3 },
): Promise<OnnxRun> {
  const session = await ort.InferenceSession.create(await encodeOnnx(model, weights), options);
  return {
    async run(feeds) {
      const given = Object.fromEntries(session.inputNames.map((name) => [name, toOrt(feeds.get(name)!)]));
      const results = await session.run(given);
      return new Map(Object.entries(results).map(([name, result]) => [name, fromOrt(result)]));
    },
    release: () => session.release(),
  };
}

/** Runs an emitted model once. */
export async function runOnnx(
  model: OnnxModel,
  feeds: ReadonlyMap<string, TensorData>,
  weights: WeightSource = noWeights,
): Promise<Map<string, TensorData>> {
  const opened = await openOnnx(model, weights);
  const results = await opened.run(feeds);
  await opened.release();
  return results;
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
    case 'bf16':
      throw new Error('no test feeds half precision');
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
