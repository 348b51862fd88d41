import { newElements } from '../elements.ts';
import type { Feeds, HostTensor, PortType } from '../host-tensor.ts';
import { threadCall } from './call-thread.ts';
import { type Context, pointerFrom } from './context.ts';
import { Handle } from './handle.ts';
import {
  ArrayTensor,
  type Copy,
  copyCalls,
  copyOf,
  copyWithin,
  DeviceTensor,
  type Tensor,
  VALUE,
  whileHeld,
} from './tensor.ts';

/** Tensors by the names of inputs and outputs. A tensor may be an output and an input, for updates in place. */
export interface Bound {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Outputs of which each run returns a new tensor. */
  readonly fetched?: readonly string[];
  /**
   * Whether the first run is captured, and repeated by the others. Then nothing is fetched, and feeds have the same
   * shapes in each run.
   */
  readonly captured?: boolean;
}

export interface Ports {
  readonly inputs: readonly PortType[];
  readonly outputs: readonly PortType[];
  /** Names of those that are not on the device. */
  readonly onHost: ReadonlySet<string>;
}

/** A run was cancelled. What it has written until then stays. */
export class RunCancelled extends Error {}

/** Each captured run has a number of its own: onnxruntime would repeat another one with the addresses of its tensors. */
let lastGraph = 0;

/**
 * Tensors bound to a session's inputs and outputs, for any number of runs, one after the other. Where the device does
 * not use arrays of this process, each has a tensor on the device in its place, to or from which each run copies it.
 */
export class BoundRun {
  readonly #context: Context;
  readonly #session: Handle;
  readonly #binding: Handle;
  readonly #options: Handle;
  readonly #ports: Ports;
  readonly #bound: readonly Tensor[];
  readonly #outputs: number;
  readonly #fetched: readonly string[];
  readonly #fed: readonly PortType[];
  /** The copies of bound arrays before and after a run. */
  readonly #up: readonly Copy[];
  readonly #down: readonly Copy[];
  /** Tensors that are bound in the place of others. */
  readonly #stages: Tensor[] = [];
  readonly #fedStages = new Map<string, DeviceTensor>();
  /** The last run's feeds: the binding has their addresses until the next run. */
  #lastFed: readonly ArrayTensor[] = [];
  /** Outputs that overwrite inputs. */
  readonly #inPlace: readonly DeviceTensor[];
  #isCaptured: boolean;
  readonly #capturing: boolean;
  readonly #onRelease: () => void;
  #running: Promise<void> | undefined;
  #cancelled = false;

  constructor(
    context: Context,
    session: Handle,
    ports: Ports,
    { inputs, outputs, fetched = [], captured = false }: Bound,
    onRelease: () => void,
  ) {
    const { native } = context;
    this.#context = context;
    this.#session = session;
    this.#ports = ports;
    this.#onRelease = onRelease;
    for (const [name, tensor] of Object.entries(inputs)) expectFits(ports.inputs, name, tensor);
    for (const [name, tensor] of Object.entries(outputs)) expectFits(ports.outputs, name, tensor);
    for (const name of fetched)
      if (!ports.outputs.some((port) => port.name === name)) throw new Error(`bug in crobc: the model has no ${name}`);
    if (captured && fetched.length > 0) throw new Error('bug in crobc: a captured run fetches outputs');
    this.#outputs = Object.keys(outputs).length;
    this.#fetched = fetched;
    this.#fed = ports.inputs.filter(({ name }) => !Object.hasOwn(inputs, name));
    this.#bound = [...Object.values(inputs), ...Object.values(outputs)];
    const binding = pointerFrom((out) => native.call('CreateIoBinding', session.pointer, out));
    this.#binding = new Handle(native, { kind: 'a binding', by: 'ReleaseIoBinding', owner: session }, binding);
    const options = pointerFrom((out) => native.call('CreateRunOptions', out));
    this.#options = new Handle(native, { kind: 'run options', by: 'ReleaseRunOptions', owner: session }, options);
    this.#capturing = captured;
    this.#isCaptured = false;
    native.call('AddRunConfigEntry', options, 'gpu_graph_id', String(captured ? ++lastGraph : -1));
    const [up, down]: [Copy[], Copy[]] = [[], []];
    const readOnDevice: DeviceTensor[] = [];
    for (const [name, tensor] of Object.entries(inputs)) {
      const stage = this.#stageOf(name, tensor) ?? this.#onHost(name, tensor);
      if (stage) up.push({ from: tensor, to: stage });
      const used = stage ?? tensor;
      if (used instanceof DeviceTensor) readOnDevice.push(used);
      native.call('BindInput', binding, name, used[VALUE]());
    }
    for (const [name, tensor] of Object.entries(outputs)) {
      const stage = this.#stageOf(name, tensor);
      if (stage) down.push({ from: stage, to: tensor });
      native.call('BindOutput', binding, name, (stage ?? tensor)[VALUE]());
    }
    this.#up = up;
    this.#down = down;
    this.#inPlace = Object.values(outputs).filter(
      (tensor): tensor is DeviceTensor =>
        tensor instanceof DeviceTensor && readOnDevice.some((read) => read.overlaps(tensor)),
    );
  }

  /**
   * Runs once, with feeds for all inputs that are not bound, and returns the outputs in `fetched`. Throws a
   * NativeFailure, or RunCancelled. Until the run ends, the arrays of bound tensors and of feeds must not be transferred
   * to another thread.
   */
  async run(feeds: Feeds = {}): Promise<Readonly<Record<string, HostTensor>>> {
    if (this.#running) throw new Error('bug in crobc: a run is started while the last one goes on');
    this.#running = this.#run(feeds);
    this.#context.running.add(this);
    try {
      await this.#running;
      return this.#fetch();
    } finally {
      this.#running = undefined;
      this.#context.running.delete(this);
    }
  }

  /** Stops a run in progress, between two operators. */
  cancel(): void {
    if (!this.#running) return;
    this.#cancelled = true;
    this.#context.native.call('RunOptionsSetTerminate', this.#options.pointer);
  }

  /** Waits for a run in progress. */
  async release(): Promise<void> {
    await this.#running?.catch(() => undefined);
    this.#options.release();
    this.#binding.release();
    for (const tensor of [...this.#lastFed, ...this.#stages, ...this.#fedStages.values()]) tensor.release();
    this.#onRelease();
  }

  async #run(feeds: Feeds): Promise<void> {
    const { native, hostMemory, capture } = this.#context;
    // onnxruntime would read and write at the addresses of tensors that are gone.
    for (const tensor of this.#bound) tensor[VALUE]();
    this.#cancelled = false;
    native.call('RunOptionsUnsetTerminate', this.#options.pointer);
    // Anew, because the binding keeps the tensor of the last run, whose size may have been another.
    for (const name of this.#fetched)
      native.call('BindOutputToDevice', this.#binding.pointer, name, hostMemory.pointer);
    const up = [...this.#up, ...this.#feed(feeds)];
    const isFirst = this.#capturing && !this.#isCaptured;
    if (isFirst) await this.#capture(up, capture?.firstRuns ?? 1);
    if (!isFirst || this.#inPlace.length > 0) await this.#execute(isFirst ? [] : up, 1);
  }

  /**
   * The first run of one that is captured. It runs the model several times, so what it updates in place is put back, and
   * has to be updated by another run.
   */
  async #capture(up: readonly Copy[], times: number): Promise<void> {
    const before: { readonly tensor: DeviceTensor; readonly data: HostTensor['data'] }[] = [];
    for (const tensor of this.#inPlace) before.push({ tensor, data: await tensor.read() });
    try {
      await this.#execute(up, times);
    } finally {
      for (const { tensor, data } of before) await tensor.write(data);
    }
    this.#isCaptured = true;
  }

  async #execute(up: readonly Copy[], times: number): Promise<void> {
    const { thread, inHostMemory } = this.#context;
    const run = threadCall('RunWithBinding', this.#session.pointer, this.#options.pointer, this.#binding.pointer);
    const runs = Array.from({ length: times }, () => run);
    try {
      if (inHostMemory) {
        copyWithin(up);
        await thread.sequence(runs);
        copyWithin(this.#down);
      } else {
        await whileHeld([...up, ...this.#down], () =>
          thread.sequence([...copyCalls(this.#context, up), ...runs, ...copyCalls(this.#context, this.#down)]),
        );
      }
    } catch (error) {
      throw this.#cancelled ? new RunCancelled('the run was cancelled') : error;
    }
  }

  /** Copies of the outputs that the last run allocated. */
  #fetch(): Readonly<Record<string, HostTensor>> {
    const { native } = this.#context;
    if (this.#fetched.length === 0) return {};
    const allocator = pointerFrom((out) => native.call('GetAllocatorWithDefaultOptions', out));
    const [out, count] = [new BigUint64Array(1), new BigUint64Array(1)];
    native.call('GetBoundOutputValues', this.#binding.pointer, allocator, out, count);
    const values = native.pointersAt(out[0]!, Number(count[0]));
    native.call('AllocatorFree', allocator, out[0]!);
    try {
      const own = values.slice(this.#outputs);
      return Object.fromEntries(this.#fetched.map((name, i) => [name, copyOf(native, own[i]!, name)]));
    } finally {
      for (const value of values) native.release('ReleaseValue', value);
    }
  }

  /** Binds feeds, and returns the copies to make before the run. */
  #feed(feeds: Feeds): readonly Copy[] {
    const { native } = this.#context;
    for (const name of Object.keys(feeds))
      if (!this.#fed.some((port) => port.name === name)) throw new Error(`bug in crobc: no input ${name} is to be fed`);
    const hosts = this.#fed.map(({ name }): readonly [string, HostTensor] => {
      const host = feeds[name];
      if (host === undefined) throw new Error(`bug in crobc: nothing feeds the input ${name}`);
      expectFits(this.#fed, name, host);
      return [name, host];
    });
    const before = this.#lastFed;
    const fed = hosts.map(([name, host]) => [name, new ArrayTensor(this.#context, host)] as const);
    this.#lastFed = fed.map(([, tensor]) => tensor);
    const copies: Copy[] = [];
    for (const [name, tensor] of fed) {
      const stage = this.#fedStage(name, tensor);
      if (stage) copies.push({ from: tensor, to: stage });
      else native.call('BindInput', this.#binding.pointer, name, tensor[VALUE]());
    }
    for (const tensor of before) tensor.release();
    return copies;
  }

  #isStaged(name: string, { memory }: Tensor): boolean {
    return memory === 'array' && this.#context.staged && !this.#ports.onHost.has(name);
  }

  #stageOf(name: string, tensor: Tensor): DeviceTensor | undefined {
    if (!this.#isStaged(name, tensor)) return undefined;
    const stage = DeviceTensor.allocate(this.#context, tensor);
    this.#stages.push(stage);
    return stage;
  }

  /** The array for a tensor on the device that the model reads here: binding would copy its present elements alone. */
  #onHost(name: string, { memory, dtype, shape }: Tensor): ArrayTensor | undefined {
    if (memory === 'array' || !this.#ports.onHost.has(name)) return undefined;
    const array = new ArrayTensor(this.#context, { dtype, shape, data: newElements(dtype, shape) });
    this.#stages.push(array);
    return array;
  }

  /** The tensor on the device for a feed: the one of the last run, if the feed has the same shape. */
  #fedStage(name: string, tensor: ArrayTensor): DeviceTensor | undefined {
    if (!this.#isStaged(name, tensor)) return undefined;
    const known = this.#fedStages.get(name);
    if (known?.shape.join() === tensor.shape.join()) return known;
    if (known && this.#capturing) throw new Error(`bug in crobc: a captured run gets another shape of ${name}`);
    const stage = DeviceTensor.allocate(this.#context, tensor);
    this.#context.native.call('BindInput', this.#binding.pointer, name, stage[VALUE]());
    this.#fedStages.set(name, stage);
    known?.release();
    return stage;
  }
}

export function expectFits(
  ports: readonly PortType[],
  name: string,
  { dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] },
): void {
  const misfit = misfitOf(ports, name, { dtype, shape });
  if (misfit !== undefined) throw new Error(`bug in crobc: ${misfit}`);
}

/** Why a tensor is not one for a port. */
export function misfitOf(
  ports: readonly PortType[],
  name: string,
  { dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] },
): string | undefined {
  const port = ports.find((one) => one.name === name);
  if (port === undefined) return `the model has no ${name}`;
  const given = `${dtype}[${shape.join(', ')}]`;
  const wanted = `${port.dtype}[${port.shape.join(', ')}]`;
  const fits =
    port.dtype === dtype &&
    port.shape.length === shape.length &&
    port.shape.every((size, axis) => typeof size === 'string' || size === shape[axis]);
  return fits ? undefined : `${name} is ${wanted}, and gets ${given}`;
}
