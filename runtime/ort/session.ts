import type * as Ort from 'onnxruntime-node';
import type { DType } from '../../compiler/ir/types.ts';
import { byteSize } from '../files/byte-size.ts';
import { openFile } from '../files/open-file.ts';
import { installPeer } from '../files/package-root.ts';
import { UserError } from '../files/user-error.ts';
import { cudaAdvice } from './cuda-libraries.ts';
import { loadKoffi } from './load-koffi.ts';
import { hasNvidiaDriver } from './nvidia-driver.ts';
import { readyCuda } from './ready-cuda.ts';

export type Device = 'cpu' | 'cuda' | 'webgpu';
export const devices: readonly Device[] = ['cpu', 'cuda', 'webgpu'];

/** A tensor in the memory of this process, row-major: i64 as BigInt64Array, bool and u8 as Uint8Array, f16 as bits. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array | Uint16Array | BigInt64Array;
}

/** Tensors by input name. */
export type Feeds = Readonly<Record<string, HostTensor>>;

export interface PortType {
  readonly name: string;
  readonly dtype: DType;
  /** Sizes; a name for an open one. */
  readonly shape: readonly (number | string)[];
}

export interface SessionOptions {
  /**
   * auto (default): CUDA if it works, else the CPU. WebGPU must be requested,
   * because it depends too much on its driver.
   */
  readonly device?: Device | 'auto';
  /** Number of threads within an operator; default: the number of physical cores. */
  readonly threads?: number;
  /**
   * Whether the second run puts all tensors into one memory block, planned from the first run (default true). Slower
   * for training steps: nearly all their tensors live to the end, so the block is allocated in addition to the memory
   * of the first run.
   */
  readonly planMemory?: boolean;
  /** False for a model that runs once: onnxruntime then skips its optimisations, so it loads faster and runs slower. */
  readonly optimised?: boolean;
  /** Whether the graph computes in half precision. */
  readonly half?: boolean;
}

/**
 * Session options for half precision. On the CPU, onnxruntime 1.30 computes it in float32, and its layout transformer
 * crashes the process at some convolutions, for example one that is followed by a transpose and a mean.
 */
export const halfSettings = { optimization: { disable_specified_optimizers: 'NchwcTransformer' } };

/** onnxruntime failed during a run, for example at an index out of range. */
export class RunFailure extends UserError {}

/** What the user is told when a run of onnxruntime fails. */
export function runFailure(error: unknown): UserError {
  const asked = /Failed to allocate memory for requested buffer of size (\d+)/.exec(String(error))?.[1];
  if (asked)
    return new UserError(`not enough memory to run the model: a tensor of ${byteSize(Number(asked))} was too much`);
  const reason = firstLine(error);
  return new RunFailure(`the model cannot run with these inputs: ${indexFailure(reason) ?? reason}`);
}

/** An open model. Must be released, because it holds memory outside of JavaScript. */
export interface Session {
  readonly device: Device;
  /** With `auto`, why this device was chosen; undefined if the user chose it. */
  readonly note: string | undefined;
  readonly inputs: readonly PortType[];
  readonly outputs: readonly PortType[];
  /**
   * Runs once. Outputs named in `into` are written to those buffers (which may be an input's own, for updates in
   * place); for the others, new tensors are returned. Computes only the outputs in `wanted`; all by default.
   */
  run(
    feeds: Feeds,
    options?: { readonly wanted?: readonly string[]; readonly into?: Feeds },
  ): Promise<Readonly<Record<string, HostTensor>>>;
  /**
   * Binds buffers for many runs, so that a model with thousands of inputs and outputs creates no tensors per run. Each
   * run reads the current content of `feeds` and writes the outputs of `into`; no other outputs are computed.
   */
  prepare(bound: { readonly feeds: Feeds; readonly into: Feeds }): PreparedRun;
  release(): Promise<void>;
}

/** Runs once with the bound buffers and these feeds. */
export type PreparedRun = (feeds: Feeds) => Promise<void>;

/**
 * Maximum length of the command line in bytes. On Linux, onnxruntime 1.30 reads /proc/self/cmdline with a recursive
 * matcher when it creates a session, and overflows the stack somewhere between 25 and 32 kB.
 */
const longestCommandLine = 16_384;

/** Throws a UserError if onnxruntime would crash at the command line. */
export function expectShortCommandLine(): void {
  const length = Buffer.byteLength([process.execPath, ...process.execArgv, ...process.argv.slice(1)].join(' '));
  if (length > longestCommandLine) {
    const [given, most] = [length, longestCommandLine].map((n) => n.toLocaleString('en'));
    throw new UserError(`the command line has ${given} bytes, and onnxruntime works with ${most} at most: shorten it`);
  }
}

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
  cuda: () => {
    const koffi = loadKoffi();
    return cudaAdvice(readyCuda()?.search ?? { found: 'no provider' }, 'missing' in koffi ? koffi.missing : undefined);
  },
  webgpu: () => 'WebGPU needs a Vulkan driver on Linux (Mesa 25 or newer), Metal on macOS, or D3D12 on Windows',
};

/**
 * Opens an ONNX model from a path (with its data file beside it) or from bytes.
 * Throws a UserError of one line for an invalid model and for a device that is not available.
 */
export async function openSession(model: string | Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const { device = 'auto' } = options;
  // Checks the file first: onnxruntime opens it itself, and would block on a pipe.
  if (typeof model === 'string') await (await openFile(model, 'weights')).handle.close();
  const ort = await loadOnnxRuntime();
  const chosen = await chooseDevice(device);
  return open(ort, model, { ...options, ...chosen });
}

/**
 * Returns the device for a session. With `auto`, the note says that CUDA is used, or why it is not used although there
 * is an NVIDIA GPU; without such a GPU there is no note.
 */
export async function chooseDevice(
  device: Device | 'auto',
  hasGpu: () => boolean = hasNvidiaDriver,
): Promise<{ readonly device: Device; readonly note: string | undefined }> {
  if (device !== 'auto') return { device, note: undefined };
  const without = await missingProvider(await loadOnnxRuntime(), 'cuda');
  if (without === undefined) return { device: 'cuda', note: 'runs on CUDA' };
  const note = hasGpu()
    ? `runs on the CPU, though there is an NVIDIA GPU: ${without} ("crobc doctor" says what CUDA needs)`
    : undefined;
  return { device: 'cpu', note };
}

/** y = x + x for a float32 vector, opset 17. */
export const TINY_MODEL =
  'CAg6OgoOCgF4CgF4EgF5IgNBZGQSBHRpbnlaEAoBeBILCgkIARIFCgMSAU5iEAoBeRILCgkIARIFCgMSAU5CBAoAEBE=';

/** Runs a tiny model with a provider in this process; returns why it does not work, or undefined if it does. */
async function missingProvider(ort: typeof Ort, device: Device): Promise<string | undefined> {
  if (!ort.listSupportedBackends().some(({ name }) => name === device)) return 'not in this build of onnxruntime-node';
  try {
    const session = await ort.InferenceSession.create(
      Buffer.from(TINY_MODEL, 'base64'),
      sessionOptions({ device, threads: 1 }),
    );
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

async function open(
  ort: typeof Ort,
  model: string | Uint8Array,
  options: OpenOptions & { readonly note: string | undefined },
): Promise<Session> {
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
    inputs: session.inputMetadata.map((port) => portType(port, named)),
    outputs: session.outputMetadata.map((port) => portType(port, named)),
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

/** What the user is told when onnxruntime refuses a model. */
export function loadFailure(error: unknown, named: string): UserError {
  return new UserError(`cannot load ${named}: ${firstLine(error)}`);
}

const ortTypes = {
  f32: 'float32',
  f16: 'float16',
  i32: 'int32',
  i64: 'int64',
  u8: 'uint8',
  bool: 'bool',
} as const satisfies Readonly<Record<DType, Ort.Tensor.Type>>;

function dtypeOf(type: string, named: string): DType {
  for (const [dtype, name] of Object.entries(ortTypes)) if (name === type) return dtype as DType;
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

/** Shortens a native message, which has source locations, conditions and several lines, to what happened. */
export function nativeMessage(text: string): string {
  const [line = ''] = text.split('\n');
  return line
    .replace(/^\/\S+:\d+ .*?(was false\.|\[ONNXRuntimeError\] : \d+ : \w+ :) */, '')
    .trim()
    .slice(0, 300);
}

/**
 * Rewrites onnxruntime's message about an index out of range: it mentions negative indices, which crobc does not allow.
 */
function indexFailure(message: string): string | undefined {
  const found = /(?:out of data bounds, idx=|invalid indice found, indice = )(-?\d+)(?:.*,(\d+)\])?/.exec(message);
  if (!found) return undefined;
  const [, row = '', last] = found;
  const [, operator = '', name = ''] = /running (\w+) node\. Name:'([^']*)'/.exec(message) ?? [];
  const where = name === '' ? '' : ` in ${name}`;
  // ScatterElements numbers elements instead of rows.
  if (operator === 'ScatterElements') return `an index${where} is out of range`;
  const range = last === undefined ? 'out of range' : `must lie in 0..${last}`;
  // The graph has replaced negative row numbers before, so the number in the message is not the user's.
  return `an index${where} is ${Number(row) < 0 ? 'negative' : row}: ${range}`;
}

function firstLine(error: unknown): string {
  return nativeMessage(error instanceof Error ? error.message : String(error));
}
