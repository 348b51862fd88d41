import type * as Ort from 'onnxruntime-node';
import type { PortDType } from '../../compiler/ir/types.ts';
import { installPeer } from '../files/package-root.ts';
import { UserError } from '../files/user-error.ts';
import { newElements } from './elements.ts';
import { firstLine, loadFailure, runFailure } from './failures.ts';
import { halfSettings } from './half-settings.ts';
import type { Feeds, HostTensor, PortType } from './host-tensor.ts';
import { cudaAdviceHere, readyCuda } from './ready-cuda.ts';
import type { Device, Session, SessionOptions } from './session-types.ts';
import { expectShortCommandLine } from './short-command-line.ts';
import { CONVOLUTION_MODEL, CONVOLUTION_SHAPE, TINY_MODEL } from './tiny-model.ts';

/** Loads onnxruntime-node on first use. Throws a UserError if its native part does not load, or would crash. */
export async function loadOnnxRuntime(): Promise<typeof Ort> {
  expectShortCommandLine();
  // Before onnxruntime-node, whose library would otherwise be the one without the provider.
  readyCuda();
  try {
    const ort = await import('onnxruntime-node');
    // crobc's own message about a missing provider is clearer than the native log.
    ort.env.logLevel = 'fatal';
    return ort;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND')
      throw new UserError(`onnxruntime-node is not installed, which runs models: ${installAdvice()}`);
    throw new UserError(
      `onnxruntime-node does not load on this machine (${process.platform} ${process.arch}, Node ${process.versions.node}): ` +
        `${firstLine(error)}. It has binaries for Linux with glibc, macOS on arm64, and Windows; there, ${installAdvice()}`,
    );
  }
}

/**
 * onnxruntime-node is an optional peer dependency: its install script downloads CUDA's provider, and
 * if that fails, npm installs nothing at all.
 */
function installAdvice(): string {
  return `"${installPeer('onnxruntime-node')}" installs it`;
}

/** How to make a provider available. */
export const providerAdvice: Readonly<Record<Device, () => string>> = {
  cpu: installAdvice,
  cuda: cudaAdviceHere,
  webgpu: () => 'WebGPU needs a Vulkan driver on Linux (Mesa 25 or newer), Metal on macOS, or D3D12 on Windows',
};

/**
 * Opens a tiny model with a provider in this process, and on CUDA runs a convolution, for which cuDNN is looked for only
 * then; returns why that does not work, or undefined if it does.
 */
export async function missingProvider(ort: typeof Ort, device: Device): Promise<string | undefined> {
  if (!ort.listSupportedBackends().some(({ name }) => name === device)) return 'not in this build of onnxruntime-node';
  const open = (model: string) =>
    ort.InferenceSession.create(Buffer.from(model, 'base64'), sessionOptions({ device, threads: 1 }));
  try {
    const session = await open(device === 'cuda' ? CONVOLUTION_MODEL : TINY_MODEL);
    if (device === 'cuda') {
      const x = newElements('f32', CONVOLUTION_SHAPE) as Float32Array;
      await session.run({ x: new ort.Tensor('float32', x, CONVOLUTION_SHAPE) });
    }
    await session.release();
    return undefined;
  } catch (error) {
    return firstLine(error);
  }
}

interface OpenOptions extends SessionOptions {
  readonly device: Device;
}

function sessionOptions(options: OpenOptions): Ort.InferenceSession.SessionOptions {
  const { device, threads, planMemory = true, optimised = true, half = false } = options;
  return {
    executionProviders: [device],
    logSeverityLevel: 4,
    enableMemPattern: planMemory,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(optimised ? {} : { graphOptimizationLevel: 'disabled' }),
    ...(half ? { extra: halfSettings } : {}),
  };
}

/** Opens a model with onnxruntime-node. Throws a UserError. */
export async function openNodeSession(
  model: string | Uint8Array,
  options: OpenOptions & { readonly note: string | undefined },
): Promise<Session> {
  const ort = await loadOnnxRuntime();
  const { device, note } = options;
  const named = typeof model === 'string' ? model : 'the model';
  let session: Ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(model as string, sessionOptions(options));
  } catch (error) {
    // Distinguishes a device that does not work from an invalid model by running a tiny model on the device.
    const missing = device === 'cpu' ? undefined : await missingProvider(ort, device);
    if (missing !== undefined) {
      throw new UserError(`the device ${device} is not available: ${missing}; ${providerAdvice[device]()}`);
    }
    throw loadFailure(error, named);
  }
  const execute = async (feeds: Ort.InferenceSession.OnnxValueMapType, fetches: Ort.InferenceSession.FetchesType) => {
    try {
      return await session.run(feeds, fetches);
    } catch (error) {
      throw runFailure(error);
    }
  };
  return {
    device,
    note,
    // onnxruntime-node passes no settings to the provider of CUDA.
    tf32: device === 'cuda',
    inputs: session.inputMetadata.map((port) => portType(port, named)),
    outputs: session.outputMetadata.map((port) => portType(port, named)),
    arrays: undefined,
    async run(feeds, { wanted, into = {} } = {}) {
      const tensors = toOrtAll(ort, feeds);
      const fetches: Record<string, Ort.Tensor | null> = {};
      for (const name of wanted ?? session.outputNames) {
        const target = into[name];
        fetches[name] = target === undefined ? null : toOrt(ort, target);
      }
      const results = await execute(tensors, fetches);
      return Object.fromEntries(
        Object.entries(results).map(([name, value]) => [name, fromOrt(value as Ort.Tensor, named)]),
      );
    },
    prepare({ feeds, into }) {
      const bound = toOrtAll(ort, feeds);
      const fetches = toOrtAll(ort, into);
      return async (more) => {
        await execute({ ...bound, ...toOrtAll(ort, more) }, fetches);
      };
    },
    release: () => session.release(),
  };
}

const ortTypes = {
  f32: 'float32',
  f16: 'float16',
  i32: 'int32',
  i64: 'int64',
  u8: 'uint8',
  bool: 'bool',
} as const satisfies Readonly<Record<PortDType, Ort.Tensor.Type>>;

function dtypeOf(type: string, named: string): PortDType {
  for (const [dtype, name] of Object.entries(ortTypes)) if (name === type) return dtype as PortDType;
  throw new UserError(`${named} has a tensor of type ${type}, which crobc does not use`);
}

function portType(metadata: Ort.InferenceSession.ValueMetadata, named: string): PortType {
  if (!metadata.isTensor) throw new UserError(`the model's ${metadata.name} is not a tensor`);
  return { name: metadata.name, dtype: dtypeOf(metadata.type, named), shape: metadata.shape };
}

function toOrt(ort: typeof Ort, { dtype, shape, data }: HostTensor): Ort.Tensor {
  const tensor = new ort.Tensor(ortTypes[dtype], data as Float32Array, shape) as Ort.Tensor;
  // With Float16Array (Node 24), the constructor converts the bits to one, which the native part of onnxruntime-node
  // 1.30 reads as empty. It accepts the bits on all platforms.
  if (dtype === 'f16') Object.defineProperty(tensor, 'data', { value: data });
  return tensor;
}

function toOrtAll(ort: typeof Ort, tensors: Feeds): Record<string, Ort.Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, toOrt(ort, tensor)]));
}

function fromOrt(tensor: Ort.Tensor, named: string): HostTensor {
  const dtype = dtypeOf(tensor.type, named);
  const data = tensor.data as HostTensor['data'];
  // With Float16Array, onnxruntime returns one; its bits are the same.
  const bits = dtype === 'f16' ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data;
  return { dtype, shape: tensor.dims, data: bits };
}
