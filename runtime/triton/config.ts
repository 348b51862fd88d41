import type { PortDType } from '../../compiler/ir/types.ts';
import type { BuildRecord, Port } from '../build/build-record.ts';
import { dimValue, type Sizes } from '../build/dim-text.ts';
import { UserError } from '../files/user-error.ts';
import { entry, type Message, Named, textFormat } from './pbtxt.ts';
import { type SizeRange, sizesAt } from './size-ranges.ts';

/** How a model is served by Triton. */
export interface TritonOptions {
  readonly record: BuildRecord;
  /** The dim whose axis Triton adds to every tensor; undefined if it must not join requests. */
  readonly batch: string | undefined;
  readonly maxBatch: number;
  /** The sizes of open dims. */
  readonly ranges: ReadonlyMap<string, SizeRange>;
  readonly tensorrt: boolean;
  /** Files in `warmup/` by input, for the inputs whose warm-up data are neither zero nor random. */
  readonly warmup: ReadonlyMap<string, string>;
}

const dataTypes = {
  f32: 'TYPE_FP32',
  f16: 'TYPE_FP16',
  i32: 'TYPE_INT32',
  i64: 'TYPE_INT64',
  u8: 'TYPE_UINT8',
  bool: 'TYPE_BOOL',
} as const satisfies Readonly<Record<PortDType, string>>;

/**
 * Returns `config.pbtxt`, a message ModelConfig of Triton's model_config.proto. Conditions that it cannot hold are in
 * comments. Throws a UserError for a tensor without an axis, which Triton does not take.
 */
export function tritonConfig(options: TritonOptions): string {
  const { record, batch, maxBatch, tensorrt } = options;
  const message: Message = {
    name: record.model,
    backend: 'onnxruntime',
    max_batch_size: batch === undefined ? 0 : maxBatch,
    input: record.inputs.map((port) => tensor(port, batch)),
    output: record.outputs.map((port) => tensor(port, batch)),
    ...(batch === undefined ? {} : { dynamic_batching: {} }),
    instance_group: [{ count: 1, kind: new Named(tensorrt ? 'KIND_GPU' : 'KIND_AUTO') }],
    ...(tensorrt
      ? { optimization: { execution_accelerators: { gpu_execution_accelerator: [accelerator(options)] } } }
      : {}),
    model_warmup: [warmup(options)],
  };
  return `${comments(record)}${textFormat(message)}`;
}

/** What Triton does not check. */
function comments({ model, guards }: BuildRecord): string {
  const lines = [
    `${model}, by crobc build --target triton. Fields: https://github.com/triton-inference-server/common, model_config.proto.`,
    ...(guards.length === 0
      ? []
      : ['Triton knows no conditions on sizes. Who asks must keep these, as client.py does:']),
    ...guards.map(({ condition }) => `  ${condition}`),
  ];
  return lines.map((line) => `# ${line}\n`).join('');
}

/** An input or an output; -1 is any size. A tensor of the batch alone is given an axis of its own. */
function tensor({ name, dtype, shape }: Port, batch: string | undefined): Message {
  if (shape.length === 0)
    throw new UserError(`Triton takes no tensor without an axis, as ${name}: give it one of size 1`);
  const own = batch === undefined ? shape : shape.slice(1);
  const about = { name, data_type: new Named(dataTypes[dtype]) };
  if (own.length === 0) return { ...about, dims: [1], reshape: { shape: [] } };
  return { ...about, dims: own.map((dim) => (/^\d+$/.test(dim) ? Number(dim) : -1)) };
}

/** Builds engines once, for the sizes between the ends of the ranges. */
function accelerator({ record, batch, maxBatch, ranges }: TritonOptions): Message {
  const at = (end: 'min' | 'usual' | 'max') => {
    const rows = { min: 1, usual: Math.ceil(maxBatch / 2), max: maxBatch };
    const sizes = new Map(sizesAt(ranges, end));
    if (batch !== undefined) sizes.set(batch, rows[end]);
    return record.inputs.map(({ name, shape }) => `${name}:${shape.map((dim) => sizeAt(dim, sizes)).join('x')}`).join();
  };
  const isOpen = ranges.size > 0 || batch !== undefined;
  const profile = isOpen
    ? [
        entry('trt_profile_min_shapes', at('min')),
        entry('trt_profile_opt_shapes', at('usual')),
        entry('trt_profile_max_shapes', at('max')),
      ]
    : // A graph of CUDA is recorded for one size.
      [entry('trt_cuda_graph_enable', '1')];
  return {
    name: 'tensorrt',
    parameters: [
      ...(record.dtype === 'f16' ? [entry('precision_mode', 'FP16')] : []),
      entry('trt_engine_cache_enable', '1'),
      entry('trt_engine_cache_path', `/tmp/${record.model}.engines`),
      ...profile,
    ],
  };
}

function sizeAt(dim: string, sizes: Sizes): number {
  const size = dimValue(dim, sizes);
  if (size === undefined) throw new Error(`bug in crobc: no range for ${dim}`);
  return size;
}

/** One run when the model is loaded, so that the first request need not wait for what is done once. */
function warmup({ record, batch, ranges, warmup: files }: TritonOptions): Message {
  const sizes = sizesAt(ranges, 'usual');
  return {
    name: 'one request',
    batch_size: 1,
    inputs: record.inputs.map((port) => {
      const { name, dtype, shape } = port;
      const own = batch === undefined ? shape : shape.slice(1);
      const file = files.get(name);
      return entry(name, {
        data_type: new Named(dataTypes[dtype]),
        dims: own.length === 0 ? [1] : own.map((dim) => sizeAt(dim, sizes)),
        ...(file === undefined
          ? dtype === 'f32'
            ? { random_data: true }
            : { zero_data: true }
          : { input_data_file: file }),
      });
    }),
  };
}
