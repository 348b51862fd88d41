import type { OpcodeName } from './opcodes.ts';
import { kindOf, type PickleTuple, type PickleValue, tuple } from './pickle-value.ts';
import { PickleFault } from './read-opcodes.ts';

/** What a pickle may contain beside plain data. */
export interface PickleHost {
  /** Throws unless the name of a class or function may occur. `at` is the offset of the instruction in bytes. */
  admit(name: string, at: number): void;
  /** Returns the value of a call or construction; throws if it is not allowed. */
  call(name: string, args: readonly PickleValue[]): PickleValue;
  /** Returns what a persistent id stands for; throws if it stands for nothing. */
  persistent(id: PickleValue): PickleValue;
}

/** Most values that wait on the stack or are remembered, and most lists, dicts and so on. They bound the memory. */
const MOST_VALUES = 8_000_000;
const MOST_CONTAINERS = 2_000_000;

/** An opcode, and its offset in bytes. */
interface Place {
  readonly name: OpcodeName;
  readonly at: number;
}

/** The stack and the memo of an interpreter of pickles. Every fault names the instruction that is at work. */
export class Machine {
  readonly host: PickleHost;
  readonly #stack: PickleValue[] = [];
  /** The heights of the stack at which a mark is. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #containers = 0;
  #current: Place = { name: 'PROTO', at: 0 };

  constructor(host: PickleHost) {
    this.host = host;
  }

  /** Says which instruction is carried out next. */
  begin(instruction: Place): void {
    this.#current = instruction;
  }

  /** Makes the fault of an instruction; `why` continues a sentence that begins with its name. */
  fault(why: string): PickleFault {
    return new PickleFault(`byte ${this.#current.at}: ${this.#current.name} ${why}`);
  }

  /** The value of the pickle, after its last instruction. */
  result(): PickleValue {
    const value = this.pop();
    const left = this.#stack.length + this.#marks.length;
    if (left > 0) throw this.fault(`leaves ${left} value${left === 1 ? '' : 's'} on the stack`);
    return value;
  }

  push(value: PickleValue): void {
    this.#makeRoom();
    this.#stack.push(value);
  }

  /** Pushes a value that has others inside of it. */
  pushContainer(value: PickleValue): void {
    if (++this.#containers > MOST_CONTAINERS)
      throw this.fault(`makes more than ${MOST_CONTAINERS.toLocaleString('en')} lists and dicts`);
    this.push(value);
  }

  pop(): PickleValue {
    const value = this.top();
    this.#stack.pop();
    return value;
  }

  /** Removes a value, or the mark that is above all values. */
  drop(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length === this.#marks.at(-1))
      throw this.fault('finds no value on the stack');
    return value;
  }

  /** Removes the last values, and returns them in the order in which they were pushed. */
  popTuple(count: 1 | 2 | 3): PickleTuple {
    return tuple(Array.from({ length: count }, () => this.pop()).reverse());
  }

  mark(): void {
    this.#makeRoom();
    this.#marks.push(this.#stack.length);
  }

  /** Removes and returns the values since the last mark. */
  sinceMark(): PickleValue[] {
    const from = this.#marks.pop();
    if (from === undefined) throw this.fault('finds no mark on the stack');
    return this.#stack.splice(from);
  }

  remember(index: number = this.#memo.size): void {
    const value = this.top();
    if (this.#memo.size >= MOST_VALUES)
      throw this.fault(`needs more than ${MOST_VALUES.toLocaleString('en')} remembered values`);
    this.#memo.set(index, value);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.fault(`asks for the value ${index}, which was not stored`);
    this.push(value);
  }

  /** Converts an index that is written in digits. */
  index(line: string): number {
    if (!/^\d{1,15}$/.test(line)) throw this.fault(`has the index ${JSON.stringify(line.slice(0, 40))}`);
    return Number(line);
  }

  /** Pushes a class or function. */
  pushGlobal(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.fault('names a class by no text');
    const full = `${module}.${name}`;
    this.host.admit(full, this.#current.at);
    this.push({ kind: 'global', name: full });
  }

  /** Pushes what a call returns. */
  call(callee: PickleValue, args: PickleValue): void {
    if (typeof callee !== 'object' || callee?.kind !== 'global') throw this.fault(`calls ${kindOf(callee)}`);
    if (typeof args !== 'object' || args?.kind !== 'tuple')
      throw this.fault(`calls ${callee.name} with ${kindOf(args)}`);
    this.pushContainer(this.host.call(callee.name, args.items));
  }

  #makeRoom(): void {
    if (this.#stack.length + this.#marks.length >= MOST_VALUES)
      throw this.fault(`needs more than ${MOST_VALUES.toLocaleString('en')} values on the stack`);
  }
}
