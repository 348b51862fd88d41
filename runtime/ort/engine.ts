import type { Feeds, HostTensor } from './host-tensor.ts';
import type { Device } from './session-types.ts';

/** Where state is: in arrays of this process, or in memory that onnxruntime allocates on the device. */
export type Residence = 'arrays' | 'device';

/** A tensor of this process that models read and write again and again, and its copy on the device. */
export interface Resident {
  readonly host: HostTensor;
  /** Copies the elements to the device. On the CPU, which uses the array itself, this does nothing. */
  upload(): Promise<void>;
  /** Copies the elements back from the device. */
  download(): Promise<void>;
  /** A tensor in the memory of this one, from its element `from` on. `host` is in this tensor's array. */
  part(from: number, host: HostTensor): Resident;
}

export interface EngineSettings {
  /**
   * Whether CUDA may round the factors of products of f32 tensors to 10 bits of mantissa (TF32), which is faster
   * (default true). Other devices do not round.
   */
  readonly tf32?: boolean;
}

export interface EngineOptions {
  readonly threads: number | undefined;
  /** Whether the second run puts all tensors into one memory block, planned from the first run. */
  readonly planMemory: boolean;
  /**
   * Whether runs with the same shapes of feeds are captured as a CUDA graph, from the second one on, and repeated
   * without starting each kernel (default false). The model tells if they cannot be.
   */
  readonly captured?: boolean;
}

/** What stays bound from run to run. All other inputs are fed to each run. */
export interface EngineBound {
  /** Tensors on the device, by the names of inputs and of outputs. */
  readonly inputs: Readonly<Record<string, Resident>>;
  readonly outputs: Readonly<Record<string, Resident>>;
  /** Arrays that each run reads, and arrays that it writes. */
  readonly reads: Feeds;
  readonly writes: Feeds;
}

export interface EngineModel {
  readonly inputs: readonly string[];
  /** Why runs are not captured, if that was asked for. */
  readonly uncaptured: string | undefined;
  /** Throws a RunFailure. */
  bind(bound: EngineBound): (feeds: Feeds) => Promise<void>;
  /** Runs once with bound and fed inputs, and returns an output. Throws a RunFailure. */
  run(inputs: Readonly<Record<string, Resident>>, feeds: Feeds, output: string): Promise<HostTensor>;
  release(): Promise<void>;
}

/** A copy of all elements to a tensor of the same shape. */
export interface ResidentCopy {
  readonly from: Resident;
  readonly to: Resident;
}

/** Runs models of which some inputs and outputs stay where they are. */
export interface Engine {
  readonly device: Device;
  /** Why this device, or this way of using it, if the user did not choose it. */
  readonly note: string | undefined;
  /** Where models read and write resident tensors. */
  readonly residence: Residence;
  /** Makes a tensor resident, with the present elements of its array. */
  hold(host: HostTensor): Promise<Resident>;
  /** Copies tensors where models read and write them. Many copies take little longer to start than one. */
  copy(copies: readonly ResidentCopy[]): Promise<void>;
  /**
   * An array, with any elements, for what is fed, read or written at each run: copies from and to it are fastest. Its
   * buffer cannot be transferred to another thread. Throws a RunFailure if there is not enough memory.
   */
  array(type: Pick<HostTensor, 'dtype' | 'shape'>): HostTensor;
  /** Throws a UserError of one line for a model that cannot be opened. */
  open(model: Uint8Array, options: EngineOptions): Promise<EngineModel>;
  release(): Promise<void>;
}
