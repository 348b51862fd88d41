import { Machine, type PickleHost } from './machine.ts';
import type { PickleValue } from './pickle-value.ts';
import { PickleFault, readOpcodes } from './read-opcodes.ts';
import { step } from './steps.ts';

export type { PickleHost } from './machine.ts';

export interface ReadPickle {
  readonly value: PickleValue;
  /** The position after the pickle. */
  readonly end: number;
}

export interface PickleOptions {
  /** Offset in bytes at which the pickle begins. */
  readonly start?: number;
  /** Decides what a pickle may contain beside plain data. */
  readonly host: PickleHost;
  /** Maximum number of instructions, which bounds the time. */
  readonly mostInstructions: number;
}

/**
 * Reads one pickle of protocol 0 to 5 (Python's `pickle.load` with `encoding='latin1'`). This is an interpreter of opcodes
 * that imports and calls nothing: the host makes the values of classes and functions. Throws a PickleFault, without the
 * file's name, a PickleEnd if more bytes are needed, and what the host throws.
 */
export function readPickle(bytes: Uint8Array, { start = 0, host, mostInstructions }: PickleOptions): ReadPickle {
  const machine = new Machine(host);
  let count = 0;
  for (const instruction of readOpcodes(bytes, start)) {
    if (++count > mostInstructions)
      throw new PickleFault(`it has more than ${mostInstructions.toLocaleString('en')} instructions`);
    if (instruction.name === 'STOP') {
      machine.begin(instruction);
      return { value: machine.result(), end: instruction.at + 1 };
    }
    step(machine, instruction);
  }
  throw new Error('bug in crobc: a pickle ended without STOP');
}
