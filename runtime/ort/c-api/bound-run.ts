import type { Feeds, HostTensor, PortType } from '../session.ts';
import { type Context, pointerFrom } from './context.ts';
import { Handle } from './handle.ts';
import { ArrayTensor, copyOf, type Tensor, VALUE } from './tensor.ts';

/** Tensors by the names of inputs and outputs. A tensor may be an output and an input, for updates in place. */
export interface Bound {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Outputs of which each run returns a new tensor. */
  readonly fetched?: readonly string[];
}

interface Ports {
  readonly inputs: readonly PortType[];
  readonly outputs: readonly PortType[];
}

/** A run was cancelled. What it has written until then stays. */
export class RunCancelled extends Error {}

/** Tensors bound to a session's inputs and outputs, for any number of runs, one after the other. */
export class BoundRun {
  readonly #context: Context;
  readonly #session: Handle;
  readonly #binding: Handle;
  readonly #options: Handle;
  readonly #bound: readonly Tensor[];
  readonly #outputs: number;
  readonly #fetched: readonly string[];
  /** Inputs to bind before each run, because binding copies an array to another device. */
  readonly #copied: readonly (readonly [name: string, tensor: Tensor])[];
  readonly #fed: readonly PortType[];
  /** The last run's feeds: the binding has their addresses until the next run. */
  #lastFed: readonly ArrayTensor[] = [];
  readonly #onRelease: () => void;
  #running: Promise<void> | undefined;
  #cancelled = false;

  constructor(
    context: Context,
    session: Handle,
    ports: Ports,
    { inputs, outputs, fetched = [] }: Bound,
    onRelease: () => void,
  ) {
    const { native, inHostMemory } = context;
    this.#context = context;
    this.#session = session;
    this.#onRelease = onRelease;
    for (const [name, tensor] of Object.entries(inputs)) expectFits(ports.inputs, name, tensor);
    for (const [name, tensor] of Object.entries(outputs)) expectFits(ports.outputs, name, tensor);
    for (const name of fetched)
      if (!ports.outputs.some((port) => port.name === name)) throw new Error(`bug in crobc: the model has no ${name}`);
    this.#outputs = Object.keys(outputs).length;
    this.#fetched = fetched;
    this.#fed = ports.inputs.filter(({ name }) => !Object.hasOwn(inputs, name));
    this.#bound = [...Object.values(inputs), ...Object.values(outputs)];
    const binding = pointerFrom((out) => native.call('CreateIoBinding', session.pointer, out));
    this.#binding = new Handle(native, { kind: 'a binding', by: 'ReleaseIoBinding', owner: session }, binding);
    const options = pointerFrom((out) => native.call('CreateRunOptions', out));
    this.#options = new Handle(native, { kind: 'run options', by: 'ReleaseRunOptions', owner: session }, options);
    const copied = Object.entries(inputs).filter(([, { memory }]) => memory === 'array' && !inHostMemory);
    this.#copied = copied;
    for (const [name, tensor] of Object.entries(inputs))
      if (inHostMemory || tensor.memory === 'device') native.call('BindInput', binding, name, tensor[VALUE]());
    for (const [name, tensor] of Object.entries(outputs)) native.call('BindOutput', binding, name, tensor[VALUE]());
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
    for (const tensor of this.#lastFed) tensor.release();
    this.#onRelease();
  }

  async #run(feeds: Feeds): Promise<void> {
    const { native, thread, hostMemory } = this.#context;
    // onnxruntime would read and write at the addresses of tensors that are gone.
    for (const tensor of this.#bound) tensor[VALUE]();
    this.#cancelled = false;
    native.call('RunOptionsUnsetTerminate', this.#options.pointer);
    // Anew, because the binding keeps the tensor of the last run, whose size may have been another.
    for (const name of this.#fetched)
      native.call('BindOutputToDevice', this.#binding.pointer, name, hostMemory.pointer);
    const fed = this.#feed(feeds);
    const before = this.#lastFed;
    this.#lastFed = fed.map(([, tensor]) => tensor);
    for (const [name, tensor] of [...this.#copied, ...fed]) await this.#bindInput(name, tensor);
    for (const tensor of before) tensor.release();
    try {
      await thread.call('RunWithBinding', this.#session.pointer, this.#options.pointer, this.#binding.pointer);
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

  #feed(feeds: Feeds): readonly (readonly [name: string, tensor: ArrayTensor])[] {
    for (const name of Object.keys(feeds))
      if (!this.#fed.some((port) => port.name === name)) throw new Error(`bug in crobc: no input ${name} is to be fed`);
    const hosts = this.#fed.map(({ name }): readonly [string, HostTensor] => {
      const host = feeds[name];
      if (host === undefined) throw new Error(`bug in crobc: nothing feeds the input ${name}`);
      expectFits(this.#fed, name, host);
      return [name, host];
    });
    return hosts.map(([name, host]) => [name, new ArrayTensor(this.#context, host)]);
  }

  /** In the memory of this process, binding only stores the address; to another device, it copies. */
  async #bindInput(name: string, tensor: Tensor): Promise<void> {
    const { native, thread, inHostMemory } = this.#context;
    const [binding, value] = [this.#binding.pointer, tensor[VALUE]()];
    if (inHostMemory) native.call('BindInput', binding, name, value);
    else await thread.call('BindInput', binding, name, value);
  }
}

function expectFits(
  ports: readonly PortType[],
  name: string,
  { dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] },
): void {
  const port = ports.find((one) => one.name === name);
  if (port === undefined) throw new Error(`bug in crobc: the model has no ${name}`);
  const given = `${dtype}[${shape.join(', ')}]`;
  const wanted = `${port.dtype}[${port.shape.join(', ')}]`;
  const fits =
    port.dtype === dtype &&
    port.shape.length === shape.length &&
    port.shape.every((size, axis) => typeof size === 'string' || size === shape[axis]);
  if (!fits) throw new Error(`bug in crobc: ${name} is ${wanted}, and gets ${given}`);
}
