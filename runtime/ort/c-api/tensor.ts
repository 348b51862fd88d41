import type { PortDType } from '../../../compiler/ir/types.ts';
import { newElements } from '../elements.ts';
import type { HostTensor } from '../host-tensor.ts';
import { type ThreadCall, threadCall } from './call-thread.ts';
import { type Context, pointerFrom } from './context.ts';
import { elementNumber, elementSize, elementsOf, holdsElements } from './element-types.ts';
import { Handle } from './handle.ts';
import type { Native } from './native.ts';
import { typeAndSizes } from './ports.ts';

/** The key of what only this folder may ask a tensor for: the address of its OrtValue. */
export const VALUE = Symbol('value');

/** The key of what keeps a tensor from going while a call on another thread uses it. */
const HOLD = Symbol('hold');

/** The key of a tensor's bytes in the memory of this process, which only this folder may ask for. */
const BYTES = Symbol('bytes');

/** A tensor that onnxruntime reads and writes where it is. */
export interface Tensor {
  readonly dtype: PortDType;
  readonly shape: readonly number[];
  /** The memory: an array of this process, or memory that onnxruntime allocated on the device. */
  readonly memory: 'array' | 'device';
  /** Does nothing the second time. Runs in which the tensor is bound are refused afterwards. */
  release(): void;
  /** Throws if the tensor is released or its array detached, so that onnxruntime gets no dangling address. */
  [VALUE](): bigint;
  /** Keeps the tensor, though it is released, until the function that it returns is called. */
  [HOLD](): () => void;
  /** Throws for memory of another device. */
  [BYTES](): Uint8Array;
}

/** A tensor in an array that the caller keeps reading and writing. */
export class ArrayTensor implements Tensor {
  readonly memory = 'array';
  readonly host: HostTensor;
  readonly #length: number;
  readonly #value: Handle;

  constructor({ native, environment, hostMemory }: Context, host: HostTensor) {
    const { dtype, shape, data } = host;
    this.host = host;
    this.#length = elementCount(shape);
    if (!holdsElements(dtype, data)) throw new Error(`bug in crobc: the array of a tensor is not of ${dtype}`);
    this.#checkLength();
    // onnxruntime refuses a null address, which an array without elements has.
    const memory = data.length === 0 ? new Uint8Array(1) : data;
    const pointer = pointerFrom((out) => {
      const address = native.addressOf(memory);
      const sizes = BigInt64Array.from(shape, BigInt);
      const number = elementNumber(dtype);
      native.call(
        'CreateTensorWithDataAsOrtValue',
        ...([hostMemory.pointer, address, data.byteLength, sizes, shape.length, number, out] as const),
      );
    });
    this.#value = new Handle(native, { kind: 'a tensor', by: 'ReleaseValue', owner: environment }, pointer);
  }

  get dtype(): PortDType {
    return this.host.dtype;
  }

  get shape(): readonly number[] {
    return this.host.shape;
  }

  release(): void {
    this.#value.release();
  }

  [VALUE](): bigint {
    this.#checkLength();
    return this.#value.pointer;
  }

  [HOLD](): () => void {
    return this.#value.hold();
  }

  [BYTES](): Uint8Array {
    this.#checkLength();
    return bytesOf(this.host.data);
  }

  /** Transferring an array to another thread leaves it without elements, and its memory with another owner. */
  #checkLength(): void {
    const { length } = this.host.data;
    if (length !== this.#length)
      throw new Error(`bug in crobc: an array of ${length} elements for the shape [${this.host.shape.join(', ')}]`);
  }
}

export type TensorType = Pick<HostTensor, 'dtype' | 'shape'>;

/** A tensor that stays on the device. */
export class DeviceTensor implements Tensor {
  readonly memory = 'device';
  readonly dtype: PortDType;
  readonly shape: readonly number[];
  readonly #context: Context;
  readonly #value: Handle;
  /** In the memory of this process, the tensor's bytes; otherwise undefined. Never leaves this folder. */
  readonly #bytes: Uint8Array | undefined;
  /** What owns the memory, and the first byte there. */
  readonly #place: { readonly memory: Handle; readonly from: number };
  #parts = false;

  /** Allocates memory, which holds anything until it is written. Throws a NativeFailure if there is not enough. */
  static allocate(context: Context, { dtype, shape }: TensorType): DeviceTensor {
    const { native, allocator } = context;
    const sizes = BigInt64Array.from(shape, BigInt);
    const type = elementNumber(dtype);
    const pointer = pointerFrom((out) =>
      native.call('CreateTensorAsOrtValue', allocator.pointer, sizes, shape.length, type, out),
    );
    const value = new Handle(native, { kind: 'a tensor', by: 'ReleaseValue', owner: allocator }, pointer);
    return new DeviceTensor(context, { dtype, shape }, value, { memory: value, from: 0 });
  }

  private constructor(
    context: Context,
    { dtype, shape }: TensorType,
    value: Handle,
    place: { readonly memory: Handle; readonly from: number },
  ) {
    this.#context = context;
    this.#place = place;
    this.dtype = dtype;
    this.shape = shape;
    this.#value = value;
    if (context.inHostMemory) {
      const length = elementCount(shape) * elementSize(dtype);
      this.#bytes = length === 0 ? new Uint8Array(0) : context.native.bytesAt(this.#address(), length);
    }
  }

  /** A tensor in the memory of this one, from its element `from` on. It is released with it. */
  part(from: number, shape: readonly number[]): DeviceTensor {
    const { native, deviceMemory } = this.#context;
    const { dtype } = this;
    const [size, count] = [elementSize(dtype), elementCount(shape)];
    if (from < 0 || count === 0 || from + count > elementCount(this.shape))
      throw new Error(`bug in crobc: elements ${from} to ${from + count} are not a part of [${this.shape.join(', ')}]`);
    const pointer = pointerFrom((out) => {
      const address = this.#address() + BigInt(from * size);
      const sizes = BigInt64Array.from(shape, BigInt);
      const number = elementNumber(dtype);
      native.call(
        'CreateTensorWithDataAsOrtValue',
        ...([deviceMemory.pointer, address, count * size, sizes, shape.length, number, out] as const),
      );
    });
    this.#parts = true;
    const value = new Handle(native, { kind: 'a tensor', by: 'ReleaseValue', owner: this.#value }, pointer);
    const place = { memory: this.#place.memory, from: this.#place.from + from * size };
    return new DeviceTensor(this.#context, { dtype, shape }, value, place);
  }

  /** Whether writing one of two tensors changes the other. */
  overlaps(other: DeviceTensor): boolean {
    const [one, two] = [this.#place, other.#place];
    if (one.memory !== two.memory) return false;
    return one.from < two.from + other.byteLength && two.from < one.from + this.byteLength;
  }

  get byteLength(): number {
    return elementCount(this.shape) * elementSize(this.dtype);
  }

  /** Copies elements to the device. */
  async write(data: HostTensor['data']): Promise<void> {
    const from = new ArrayTensor(this.#context, { dtype: this.dtype, shape: this.shape, data });
    try {
      await copyTensors(this.#context, [{ from, to: this }]);
    } finally {
      from.release();
    }
  }

  /** Copies the elements into an array. */
  async readInto(data: HostTensor['data']): Promise<void> {
    const to = new ArrayTensor(this.#context, { dtype: this.dtype, shape: this.shape, data });
    try {
      await copyTensors(this.#context, [{ from: this, to }]);
    } finally {
      to.release();
    }
  }

  async read(): Promise<HostTensor['data']> {
    const data = newElements(this.dtype, this.shape);
    await this.readInto(data);
    return data;
  }

  release(): void {
    // onnxruntime keeps the memory of a tensor that it uses, but knows nothing of parts.
    if (this.#parts && this.#context.running.size > 0)
      throw new Error('bug in crobc: a tensor that has parts is released during a run');
    this.#value.release();
  }

  [VALUE](): bigint {
    return this.#value.pointer;
  }

  [HOLD](): () => void {
    return this.#value.hold();
  }

  #address(): bigint {
    const { native } = this.#context;
    return pointerFrom((out) => native.call('GetTensorMutableData', this.#value.pointer, out));
  }

  [BYTES](): Uint8Array {
    if (this.#bytes === undefined) throw new Error('bug in crobc: a tensor is in the memory of another device');
    if (this.#value.released) throw new Error('bug in crobc: a tensor is used after its release');
    return this.#bytes;
  }
}

/** A copy between tensors of the same type and shape. */
export interface Copy {
  readonly from: Tensor;
  readonly to: Tensor;
}

export async function copyTensors(context: Context, copies: readonly Copy[]): Promise<void> {
  for (const { from, to } of copies)
    if (from.dtype !== to.dtype || from.shape.join() !== to.shape.join())
      throw new Error('bug in crobc: a tensor is copied to one of another type or shape');
  if (context.inHostMemory) copyWithin(copies);
  else await whileHeld(copies, () => context.thread.sequence(copyCalls(context, copies)));
}

/** Calls a function while no tensor of these copies goes, though it may be released. */
export async function whileHeld(copies: readonly Copy[], call: () => Promise<void>): Promise<void> {
  const holds = copies.flatMap(({ from, to }) => [from[HOLD](), to[HOLD]()]);
  try {
    await call();
  } finally {
    for (const end of holds) end();
  }
}

/** Copies within the memory of this process, which onnxruntime does not do. */
export function copyWithin(copies: readonly Copy[]): void {
  for (const { from, to } of copies) to[BYTES]().set(from[BYTES]());
}

/** The calls that copy to a device, from it and within it: one for each direction, which onnxruntime asks for. */
export function copyCalls({ environment }: Context, copies: readonly Copy[]): readonly ThreadCall[] {
  const directions = new Map<string, Copy[]>();
  for (const copy of copies) {
    if (elementCount(copy.to.shape) === 0) continue;
    const direction = `${copy.from.memory} to ${copy.to.memory}`;
    directions.set(direction, [...(directions.get(direction) ?? []), copy]);
  }
  return [...directions.values()].map((some) => {
    const sources = BigUint64Array.from(some, ({ from }) => from[VALUE]());
    const targets = BigUint64Array.from(some, ({ to }) => to[VALUE]());
    return threadCall('CopyTensors', environment.pointer, sources, targets, null, some.length);
  });
}

/** A copy of an OrtValue in the memory of this process. */
export function copyOf(native: Native, value: bigint, name: string): HostTensor {
  const info = pointerFrom((out) => native.call('GetTensorTypeAndShape', value, out));
  try {
    const { dtype, sizes } = typeAndSizes(native, info, name);
    const shape = [...sizes].map(Number);
    const length = elementCount(shape) * elementSize(dtype);
    const address = pointerFrom((out) => native.call('GetTensorMutableData', value, out));
    return {
      dtype,
      shape,
      data: elementsOf(dtype, length === 0 ? new Uint8Array(0) : native.bytesAt(address, length)),
    };
  } finally {
    native.release('ReleaseTensorTypeAndShapeInfo', info);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: HostTensor['data']): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, d) => product * d, 1);
}
