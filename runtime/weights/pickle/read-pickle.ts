import { cut } from '../../files/shown.ts';
import { UserError } from '../../files/user-error.ts';
import { floatLine, integerLine, stringLine, unicodeLine } from '../../pickle/literals.ts';
import { HIGHEST_PROTOCOL } from '../../pickle/opcodes.ts';
import { type Instruction, PickleEnd, PickleFault, readOpcodes } from '../../pickle/read-opcodes.ts';
import { kindOf, type PickleGlobal, type PickleValue, tuple } from './pickle-value.ts';

/** What a pickle may contain beside plain data. */
export interface PickleHost {
  /** Returns the value of a call or construction; throws a UserError that names what is not allowed. */
  call(name: string, args: readonly PickleValue[]): PickleValue;
  /** Whether the name of a class or function may occur. */
  knows(name: string): boolean;
  /** Returns what a persistent id stands for. */
  persistent(id: PickleValue): PickleValue;
}

/** Maximum number of opcodes, which bounds the memory of the values: a checkpoint has about thirty a tensor. */
const mostOpcodes = 2_000_000;

export interface ReadPickle {
  readonly value: PickleValue;
  /** The position after the pickle. */
  readonly end: number;
}

/**
 * Reads one pickle of protocol 0 to 5 that begins at `start`. An opcode interpreter that imports and calls nothing:
 * names of classes and functions must be known to the host, which makes the values. Throws a UserError, without the
 * file's name, for everything else, and a PickleEnd if more bytes are needed.
 */
export function readPickle(bytes: Uint8Array, start: number, host: PickleHost): ReadPickle {
  try {
    return interpreted(bytes, start, host);
  } catch (error) {
    if (!(error instanceof PickleFault) || error instanceof PickleEnd) throw error;
    throw new UserError(`its pickle is damaged: ${error.message}`);
  }
}

function interpreted(bytes: Uint8Array, start: number, host: PickleHost): ReadPickle {
  const machine = new Machine(host);
  let count = 0;
  for (const instruction of readOpcodes(bytes, start)) {
    if (++count > mostOpcodes)
      throw new UserError(`its pickle has more than ${mostOpcodes.toLocaleString('en')} instructions`);
    if (instruction.name === 'STOP') return { value: machine.result(), end: instruction.at + 1 };
    machine.run(instruction);
  }
  throw new Error('bug in crobc: a pickle ended without STOP');
}

class Machine {
  readonly #host: PickleHost;
  readonly #memo = new Map<number, PickleValue>();
  #stack: PickleValue[] = [];
  /** The stacks below each mark. */
  readonly #below: PickleValue[][] = [];

  constructor(host: PickleHost) {
    this.#host = host;
  }

  /** The value of the pickle, after its last instruction. */
  result(): PickleValue {
    return this.#pop();
  }

  run(instruction: Instruction): void {
    const value = this.#step(instruction);
    if (value !== undefined) this.#stack.push(value);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) throw new UserError('its pickle takes a value from an empty stack');
    return value;
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw new UserError('its pickle takes a value from an empty stack');
    return value;
  }

  /** Removes and returns the values since the last mark. */
  #sinceMark(): PickleValue[] {
    const below = this.#below.pop();
    if (!below) throw new UserError('its pickle has no mark where one is needed');
    const values = this.#stack;
    this.#stack = below;
    return values;
  }

  #memoised(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw new UserError(`its pickle refers to the value ${index}, which it did not store`);
    return value;
  }

  #global(module: PickleValue, name: PickleValue): PickleGlobal {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw new UserError('its pickle names a class by no text');
    const full = `${module}.${name}`;
    if (!this.#host.knows(full)) throw notAllowed(full);
    return { kind: 'global', name: full };
  }

  #call(callee: PickleValue, args: PickleValue): PickleValue {
    if (typeof callee !== 'object' || callee?.kind !== 'global')
      throw new UserError(`its pickle calls ${kindOf(callee)}`);
    if (typeof args !== 'object' || args?.kind !== 'tuple')
      throw new UserError(`its pickle calls ${callee.name} with ${kindOf(args)}`);
    return this.#host.call(callee.name, args.items);
  }

  #append(target: PickleValue, values: readonly PickleValue[]): void {
    if (typeof target !== 'object' || target === null || !('items' in target) || target.kind === 'tuple')
      throw new UserError(`its pickle appends to ${kindOf(target)}`);
    for (const value of values) target.items.push(value);
  }

  #setItems(target: PickleValue, values: readonly PickleValue[]): void {
    if (typeof target !== 'object' || target === null || !('entries' in target))
      throw new UserError(`its pickle sets items of ${kindOf(target)}`);
    if (values.length % 2 !== 0) throw new UserError('its pickle has a key without a value');
    for (let i = 0; i < values.length; i += 2) target.entries.push([values[i]!, values[i + 1]!]);
  }

  /** Sets the state of an object. Attributes of a dictionary, such as `_metadata` of a state dict, are dropped. */
  #build(target: PickleValue, state: PickleValue): void {
    if (typeof target === 'object' && target?.kind === 'object') target.state = state;
    else if (typeof target !== 'object' || target?.kind !== 'dict')
      throw new UserError(`its pickle sets the state of ${kindOf(target)}`);
  }

  /** Executes an opcode; returns the value that it pushes, if it pushes one. */
  #step({ name, argument }: Instruction): PickleValue | undefined {
    switch (name) {
      case 'PROTO':
        if (Number(argument) > HIGHEST_PROTOCOL) throw new UserError(`its pickle has the unknown protocol ${argument}`);
        return undefined;
      // Frames only tell a reader how much to buffer; the caller takes the result at STOP.
      case 'FRAME':
      case 'STOP':
        return undefined;
      case 'MARK':
        this.#below.push(this.#stack);
        this.#stack = [];
        return undefined;
      // A mark counts as a value.
      case 'POP':
        if (this.#stack.length === 0) this.#sinceMark();
        else this.#pop();
        return undefined;
      case 'POP_MARK':
        this.#sinceMark();
        return undefined;
      case 'DUP':
        return this.#top();

      case 'NONE':
        return null;
      case 'NEWTRUE':
        return true;
      case 'NEWFALSE':
        return false;
      case 'INT':
      case 'LONG':
        return integerLine(argument as string, name);
      case 'BININT':
      case 'BININT1':
      case 'BININT2':
        return argument as number;
      case 'LONG1':
      case 'LONG4':
        return argument as number | bigint;
      case 'FLOAT':
        return floatLine(argument as string);
      case 'BINFLOAT':
        return argument as number;

      case 'STRING':
        return stringLine(argument as string);
      case 'BINSTRING':
      case 'SHORT_BINSTRING':
        return argument as string;
      case 'UNICODE':
        return unicodeLine(argument as string);
      case 'BINUNICODE':
      case 'SHORT_BINUNICODE':
      case 'BINUNICODE8':
        return argument as string;
      case 'BINBYTES':
      case 'SHORT_BINBYTES':
      case 'BINBYTES8':
      case 'BYTEARRAY8':
        return { kind: 'bytes', bytes: argument as Uint8Array };

      case 'EMPTY_TUPLE':
        return tuple([]);
      case 'TUPLE':
        return tuple(this.#sinceMark());
      case 'TUPLE1':
        return tuple([this.#pop()]);
      case 'TUPLE2': {
        const [b, a] = [this.#pop(), this.#pop()];
        return tuple([a, b]);
      }
      case 'TUPLE3': {
        const [c, b, a] = [this.#pop(), this.#pop(), this.#pop()];
        return tuple([a, b, c]);
      }
      case 'EMPTY_LIST':
        return { kind: 'list', items: [] };
      case 'LIST':
        return { kind: 'list', items: this.#sinceMark() };
      case 'APPEND': {
        const value = this.#pop();
        this.#append(this.#top(), [value]);
        return undefined;
      }
      case 'APPENDS':
      case 'ADDITEMS': {
        const values = this.#sinceMark();
        this.#append(this.#top(), values);
        return undefined;
      }
      case 'EMPTY_DICT':
        return { kind: 'dict', entries: [] };
      case 'DICT': {
        const values = this.#sinceMark();
        const made: PickleValue = { kind: 'dict', entries: [] };
        this.#setItems(made, values);
        return made;
      }
      case 'SETITEM': {
        const [value, key] = [this.#pop(), this.#pop()];
        this.#setItems(this.#top(), [key, value]);
        return undefined;
      }
      case 'SETITEMS': {
        const values = this.#sinceMark();
        this.#setItems(this.#top(), values);
        return undefined;
      }
      case 'EMPTY_SET':
        return { kind: 'set', items: [] };
      case 'FROZENSET':
        return { kind: 'set', items: this.#sinceMark() };

      case 'PUT':
        this.#memo.set(memoIndex(argument as string), this.#top());
        return undefined;
      case 'BINPUT':
      case 'LONG_BINPUT':
        this.#memo.set(Number(argument), this.#top());
        return undefined;
      case 'MEMOIZE':
        this.#memo.set(this.#memo.size, this.#top());
        return undefined;
      case 'GET':
        return this.#memoised(memoIndex(argument as string));
      case 'BINGET':
      case 'LONG_BINGET':
        return this.#memoised(Number(argument));

      case 'GLOBAL': {
        const [module, member] = argument as readonly [string, string];
        return this.#global(module, member);
      }
      case 'STACK_GLOBAL': {
        const [member, module] = [this.#pop(), this.#pop()];
        return this.#global(module, member);
      }
      case 'REDUCE':
      case 'NEWOBJ': {
        const [args, callee] = [this.#pop(), this.#pop()];
        return this.#call(callee, args);
      }
      case 'NEWOBJ_EX': {
        const [named, args, callee] = [this.#pop(), this.#pop(), this.#pop()];
        if (typeof named !== 'object' || named?.kind !== 'dict' || named.entries.length > 0)
          throw new UserError('its pickle calls a class with named arguments');
        return this.#call(callee, args);
      }
      case 'INST': {
        const [module, member] = argument as readonly [string, string];
        const callee = this.#global(module, member);
        return this.#call(callee, tuple(this.#sinceMark()));
      }
      case 'OBJ': {
        const [callee = null, ...args] = this.#sinceMark();
        return this.#call(callee, tuple(args));
      }
      case 'BUILD': {
        const state = this.#pop();
        this.#build(this.#top(), state);
        return undefined;
      }
      case 'BINPERSID':
        return this.#host.persistent(this.#pop());
      case 'PERSID':
        return this.#host.persistent(argument as string);
      case 'EXT1':
      case 'EXT2':
      case 'EXT4':
        throw new UserError('its pickle uses the extension registry of a process, which crobc does not have');
      case 'NEXT_BUFFER':
      case 'READONLY_BUFFER':
        throw new UserError('its pickle refers to buffers outside of it');
    }
  }
}

/** The refusal of a class or function. */
export function notAllowed(name: string): UserError {
  const hint = name.startsWith('torch.nn.') || /models?\b|net\b/i.test(name) ? ': save only its state_dict()' : '';
  return new UserError(
    `its pickle refers to ${cut(name)}, which is not among the classes of tensors and settings, and crobc runs no code of a file${hint}`,
  );
}

function memoIndex(line: string): number {
  if (!/^\d{1,15}$/.test(line)) throw new PickleFault('an index that is not a number');
  return Number(line);
}
