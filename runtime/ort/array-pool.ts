import { UserError } from '../files/user-error.ts';
import { unfilledFloats } from '../tensors/unfilled.ts';
import { newElements } from './elements.ts';
import type { HostTensor } from './host-tensor.ts';

/** Makes an array, with any elements, for a tensor. */
export type NewArray = (type: Pick<HostTensor, 'dtype' | 'shape'>) => HostTensor;

/** In ordinary memory, which is never used again. */
export const newArray: NewArray = ({ dtype, shape }) => ({
  dtype,
  shape,
  data: dtype === 'f32' ? unfilledFloats(shape.reduce((product, d) => product * d, 1)) : newElements(dtype, shape),
});

/**
 * Arrays of a device, or ordinary ones where it throws a UserError: a system may refuse more page-locked memory while it
 * has other, and copies from that only take longer.
 */
export function orOrdinary(array: NewArray): NewArray {
  return (type) => {
    try {
      return array(type);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return newArray(type);
    }
  };
}

/**
 * Arrays that are used again once they are given back, for memory that takes long to allocate, such as page-locked
 * memory. An array that is not given back, because a run that reads it may not be over, is never used again, and left to
 * the garbage collector.
 */
export class ArrayPool {
  readonly #allocate: NewArray;
  readonly #free = new Map<string, HostTensor[]>();
  /** Refers to none of them, so that one that is forgotten can be collected. */
  readonly #taken = new WeakSet<HostTensor['data']>();
  #closed = false;

  constructor(allocate: NewArray) {
    this.#allocate = allocate;
  }

  /** An array with any elements: the one that was given back last, else a new one. */
  take({ dtype, shape }: Parameters<NewArray>[0]): HostTensor {
    const tensor = this.#free.get(key({ dtype, shape }))?.pop() ?? this.#allocate({ dtype, shape });
    this.#taken.add(tensor.data);
    return tensor;
  }

  /** Takes arrays back of which nothing reads or writes the elements any more. */
  giveBack(tensors: Iterable<HostTensor>): void {
    for (const tensor of tensors) {
      if (!this.#taken.delete(tensor.data)) throw new Error('bug in crobc: an array is given back that was not taken');
      if (this.#closed) continue;
      const free = this.#free.get(key(tensor));
      if (free) free.push(tensor);
      else this.#free.set(key(tensor), [tensor]);
    }
  }

  /** Forgets all arrays, so that their memory can be collected. */
  close(): void {
    this.#closed = true;
    this.#free.clear();
  }
}

function key({ dtype, shape }: Parameters<NewArray>[0]): string {
  return `${dtype} ${shape.join()}`;
}
