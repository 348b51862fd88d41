import { floatLine, integerLine, stringLine, unicodeLine } from './literals.ts';
import { HIGHEST_PROTOCOL } from './opcodes.ts';
import { type Instruction, PickleFault, readOpcodes } from './read-opcodes.ts';

/**
 * A value of a pickle. Lists and tuples are arrays, which may be shared or contain themselves: walk them only as deeply
 * as the format at hand goes. Integers beyond 2^53 are bigints.
 */
export type PickleValue = null | boolean | number | bigint | string | PickleValue[] | PickleDict;
export type PickleDict = Map<PickleKey, PickleValue>;
export type PickleKey = null | boolean | number | bigint | string;

/**
 * The calls that a pickle may make, by `module.name`: each computes a value from arguments. Everything else that a
 * pickle would import is refused, and nothing is ever imported.
 */
export type AllowedCalls = ReadonlyMap<string, (args: readonly PickleValue[]) => PickleValue>;

/** An imported name before it is called. */
class Callable {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

const MARK = Symbol('mark');
type Item = PickleValue | Callable | typeof MARK;

/** Most instructions, which bounds the time. A reference of RRSIS-D takes about 60. */
const MOST_INSTRUCTIONS = 100_000_000;
/** Most values that wait on the stack or are remembered, and most lists, tuples and dicts, which bounds the memory. */
const MOST_VALUES = 8_000_000;
const MOST_CONTAINERS = 2_000_000;

/**
 * Reads a pickle of protocol 0 to 5 (Python's `pickle.load` with `encoding='latin1'`) that consists of lists, tuples,
 * dicts, strings, numbers, truth values and None. Throws a PickleFault that names anything else.
 */
export function loadPickle(bytes: Uint8Array, allowed: AllowedCalls = new Map()): PickleValue {
  const machine = new Machine(allowed);
  let count = 0;
  for (const instruction of readOpcodes(bytes)) {
    if (++count > MOST_INSTRUCTIONS) throw new PickleFault(`it has more than ${MOST_INSTRUCTIONS} instructions`);
    const result = machine.run(instruction);
    if (result !== undefined) return result;
  }
  throw new Error('bug in crobc: a pickle ended without STOP');
}

class Machine {
  readonly #stack: Item[] = [];
  readonly #memo = new Map<number, PickleValue | Callable>();
  readonly #allowed: AllowedCalls;
  #containers = 0;

  constructor(allowed: AllowedCalls) {
    this.#allowed = allowed;
  }

  /** Carries out an instruction. Returns the value of the pickle at STOP, and otherwise undefined. */
  run(instruction: Instruction): PickleValue | undefined {
    const { name, at, argument } = instruction;
    const fail = (why: string) => new PickleFault(`byte ${at}: ${name} ${why}`);
    switch (name) {
      case 'PROTO':
        if (Number(argument) > HIGHEST_PROTOCOL)
          throw new PickleFault(`it is of protocol ${argument}, and ${HIGHEST_PROTOCOL} is the highest that is read`);
        return undefined;
      // Frames only tell a reader how much to buffer.
      case 'FRAME':
        return undefined;
      case 'STOP': {
        const value = this.#value(fail);
        if (this.#stack.length > 0) throw fail(`leaves ${this.#stack.length} values on the stack`);
        return value;
      }
      case 'MARK':
        return this.#push(MARK, fail);
      case 'POP':
        if (this.#stack.pop() === undefined) throw fail('finds nothing on the stack');
        return undefined;
      case 'POP_MARK':
        this.#marked(fail);
        return undefined;
      case 'DUP': {
        const top = this.#stack.at(-1);
        if (top === undefined || top === MARK) throw fail('finds no value on the stack');
        return this.#push(top, fail);
      }
      case 'NONE':
        return this.#push(null, fail);
      case 'NEWTRUE':
        return this.#push(true, fail);
      case 'NEWFALSE':
        return this.#push(false, fail);
      case 'BININT':
      case 'BININT1':
      case 'BININT2':
      case 'LONG1':
      case 'LONG4':
      case 'BINFLOAT':
      case 'BINSTRING':
      case 'SHORT_BINSTRING':
      case 'BINUNICODE':
      case 'SHORT_BINUNICODE':
      case 'BINUNICODE8':
        return this.#push(argument as number | bigint | string, fail);
      case 'INT':
      case 'LONG':
        return this.#push(integerLine(argument as string, name), fail);
      case 'FLOAT':
        return this.#push(floatLine(argument as string), fail);
      case 'STRING':
        return this.#push(stringLine(argument as string), fail);
      case 'UNICODE':
        return this.#push(unicodeLine(argument as string), fail);
      case 'EMPTY_LIST':
      case 'EMPTY_TUPLE':
        return this.#pushContainer([], fail);
      case 'EMPTY_DICT':
        return this.#pushContainer(new Map(), fail);
      case 'LIST':
      case 'TUPLE':
        return this.#pushContainer(this.#marked(fail), fail);
      case 'DICT':
        return this.#pushContainer(withItems(new Map(), this.#marked(fail), fail), fail);
      case 'TUPLE1':
      case 'TUPLE2':
      case 'TUPLE3': {
        const values = Array.from({ length: Number(name.at(-1)) }, () => this.#value(fail));
        return this.#pushContainer(values.reverse(), fail);
      }
      case 'APPEND':
        return this.#extend([this.#value(fail)], fail);
      case 'APPENDS':
        return this.#extend(this.#marked(fail), fail);
      case 'SETITEM': {
        const value = this.#value(fail);
        return this.#setItems([this.#value(fail), value], fail);
      }
      case 'SETITEMS':
        return this.#setItems(this.#marked(fail), fail);
      case 'PUT':
        return this.#remember(memoIndex(argument as string, fail), fail);
      case 'BINPUT':
      case 'LONG_BINPUT':
        return this.#remember(Number(argument), fail);
      case 'MEMOIZE':
        return this.#remember(this.#memo.size, fail);
      case 'GET':
        return this.#recall(memoIndex(argument as string, fail), fail);
      case 'BINGET':
      case 'LONG_BINGET':
        return this.#recall(Number(argument), fail);
      case 'GLOBAL': {
        const [module, member] = argument as readonly [string, string];
        return this.#push(this.#import(`${module}.${member}`, at), fail);
      }
      case 'STACK_GLOBAL': {
        const [member, module] = [this.#value(fail), this.#value(fail)];
        if (typeof member !== 'string' || typeof module !== 'string') throw fail('takes two strings');
        return this.#push(this.#import(`${module}.${member}`, at), fail);
      }
      case 'REDUCE': {
        const args = this.#value(fail);
        const callable = this.#stack.pop();
        const call = callable instanceof Callable ? this.#allowed.get(callable.name) : undefined;
        if (call === undefined || !Array.isArray(args)) throw fail('takes an imported name and a tuple');
        return this.#push(call(args), fail);
      }
      case 'INST': {
        const [module, member] = argument as readonly [string, string];
        throw refused(`${module}.${member}`, at);
      }
      case 'BINBYTES':
      case 'SHORT_BINBYTES':
      case 'BINBYTES8':
      case 'BYTEARRAY8':
      case 'NEXT_BUFFER':
      case 'READONLY_BUFFER':
        throw fail('is about raw bytes, which are not read');
      case 'EMPTY_SET':
      case 'ADDITEMS':
      case 'FROZENSET':
        throw fail('is about a set, which is not read');
      case 'BUILD':
      case 'OBJ':
      case 'NEWOBJ':
      case 'NEWOBJ_EX':
        throw fail('would make an object, which is not done');
      case 'EXT1':
      case 'EXT2':
      case 'EXT4':
      case 'PERSID':
      case 'BINPERSID':
        throw fail('names something outside the file, which is not read');
      default:
        return unknown(name);
    }
  }

  #push(item: Item, fail: Fail): undefined {
    if (this.#stack.length >= MOST_VALUES) throw fail(`needs more than ${MOST_VALUES} values on the stack`);
    this.#stack.push(item);
    return undefined;
  }

  #pushContainer(container: PickleValue[] | PickleDict, fail: Fail): undefined {
    if (++this.#containers > MOST_CONTAINERS) throw fail(`makes more than ${MOST_CONTAINERS} lists and dicts`);
    return this.#push(container, fail);
  }

  #value(fail: Fail): PickleValue {
    const item = this.#stack.pop();
    if (item === undefined || item === MARK) throw fail('finds no value on the stack');
    if (item instanceof Callable) throw fail(`takes ${item.name} for a value`);
    return item;
  }

  /** Removes the values above the last mark, and the mark. */
  #marked(fail: Fail): PickleValue[] {
    const from = this.#stack.lastIndexOf(MARK);
    if (from < 0) throw fail('finds no mark on the stack');
    const values: PickleValue[] = [];
    for (const item of this.#stack.splice(from)) {
      if (item === MARK) continue;
      if (item instanceof Callable) throw fail(`takes ${item.name} for a value`);
      values.push(item);
    }
    return values;
  }

  #extend(values: readonly PickleValue[], fail: Fail): undefined {
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) throw fail('finds no list on the stack');
    for (const value of values) list.push(value);
    return undefined;
  }

  #setItems(values: readonly PickleValue[], fail: Fail): undefined {
    const dict = this.#stack.at(-1);
    if (!(dict instanceof Map)) throw fail('finds no dict on the stack');
    withItems(dict, values, fail);
    return undefined;
  }

  #remember(index: number, fail: Fail): undefined {
    const top = this.#stack.at(-1);
    if (top === undefined || top === MARK) throw fail('finds no value on the stack');
    if (this.#memo.size >= MOST_VALUES) throw fail(`needs more than ${MOST_VALUES} remembered values`);
    this.#memo.set(index, top);
    return undefined;
  }

  #recall(index: number, fail: Fail): undefined {
    const value = this.#memo.get(index);
    if (value === undefined) throw fail(`asks for the value ${index}, which was not stored`);
    return this.#push(value, fail);
  }

  #import(name: string, at: number): Callable {
    if (!this.#allowed.has(name)) throw refused(name, at);
    return new Callable(name);
  }
}

type Fail = (why: string) => PickleFault;

function refused(name: string, at: number): PickleFault {
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return new PickleFault(`byte ${at}: it would import ${JSON.stringify(shown)}, which is not done`);
}

function withItems(dict: PickleDict, values: readonly PickleValue[], fail: Fail): PickleDict {
  if (values.length % 2 !== 0) throw fail('finds a key without a value');
  for (let i = 0; i < values.length; i += 2) {
    const key = values[i] ?? null;
    if (typeof key === 'object' && key !== null) throw fail('has a key that is neither a string nor a number');
    dict.set(key, values[i + 1] ?? null);
  }
  return dict;
}

function memoIndex(line: string, fail: Fail): number {
  if (!/^\d{1,15}$/.test(line)) throw fail(`has the index ${JSON.stringify(line.slice(0, 40))}`);
  return Number(line);
}

function unknown(name: never): never {
  throw new Error(`bug in crobc: the opcode ${String(name)}`);
}
