import { cut } from '../../files/shown.ts';
import { UserError } from '../../files/user-error.ts';
import { PickleBytes } from './pickle-bytes.ts';
import { escapedText, memoIndex, quotedText, textFloat, textInteger } from './pickle-text.ts';
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
 * file's name, for everything else; a PickleEndsEarly if more bytes are needed.
 */
export function readPickle(bytes: Uint8Array, start: number, host: PickleHost): ReadPickle {
  const machine = new Machine(new PickleBytes(bytes, start), host);
  const value = machine.run();
  return { value, end: machine.input.at };
}

class Machine {
  readonly input: PickleBytes;
  readonly #host: PickleHost;
  readonly #memo = new Map<number, PickleValue>();
  #stack: PickleValue[] = [];
  /** The stacks below each mark. */
  readonly #below: PickleValue[][] = [];

  constructor(input: PickleBytes, host: PickleHost) {
    this.input = input;
    this.#host = host;
  }

  run(): PickleValue {
    for (let count = 0; count < mostOpcodes; count++) {
      const code = this.input.u8();
      // STOP
      if (code === 0x2e) return this.#pop();
      const value = this.#step(code);
      if (value !== undefined) this.#stack.push(value);
    }
    throw new UserError(`its pickle has more than ${mostOpcodes.toLocaleString('en')} instructions`);
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
  #step(code: number): PickleValue | undefined {
    const { input } = this;
    switch (code) {
      case 0x80: {
        // PROTO
        const protocol = input.u8();
        if (protocol > 5) throw new UserError(`its pickle has the unknown protocol ${protocol}`);
        return undefined;
      }
      case 0x95: // FRAME: only a hint for reading.
        input.u64();
        return undefined;
      case 0x28: // MARK
        this.#below.push(this.#stack);
        this.#stack = [];
        return undefined;
      case 0x30: // POP: a mark counts as a value.
        if (this.#stack.length === 0) this.#sinceMark();
        else this.#pop();
        return undefined;
      case 0x31: // POP_MARK
        this.#sinceMark();
        return undefined;
      case 0x32: // DUP
        return this.#top();

      case 0x4e: // NONE
        return null;
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x49: {
        // INT
        const line = input.line();
        return line === '00' ? false : line === '01' ? true : textInteger(line);
      }
      case 0x4c: // LONG
        return textInteger(input.line());
      case 0x4a: // BININT
        return input.i32();
      case 0x4b: // BININT1
        return input.u8();
      case 0x4d: // BININT2
        return input.u16();
      case 0x8a: // LONG1
        return input.long(input.u8());
      case 0x8b: // LONG4
        return input.long(input.u32());
      case 0x46: // FLOAT
        return textFloat(input.line());
      case 0x47: // BINFLOAT
        return input.f64();

      case 0x53: // STRING
        return quotedText(input.line());
      case 0x54: // BINSTRING
        return Buffer.from(input.take(input.u32())).toString('latin1');
      case 0x55: // SHORT_BINSTRING
        return Buffer.from(input.take(input.u8())).toString('latin1');
      case 0x56: // UNICODE
        return escapedText(input.line());
      case 0x58: // BINUNICODE
        return input.utf8(input.u32());
      case 0x8c: // SHORT_BINUNICODE
        return input.utf8(input.u8());
      case 0x8d: // BINUNICODE8
        return input.utf8(input.u64());
      case 0x42: // BINBYTES
        return { kind: 'bytes', bytes: input.take(input.u32()) };
      case 0x43: // SHORT_BINBYTES
        return { kind: 'bytes', bytes: input.take(input.u8()) };
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return { kind: 'bytes', bytes: input.take(input.u64()) };

      case 0x29: // EMPTY_TUPLE
        return tuple([]);
      case 0x74: // TUPLE
        return tuple(this.#sinceMark());
      case 0x85: // TUPLE1
        return tuple([this.#pop()]);
      case 0x86: {
        // TUPLE2
        const [b, a] = [this.#pop(), this.#pop()];
        return tuple([a, b]);
      }
      case 0x87: {
        // TUPLE3
        const [c, b, a] = [this.#pop(), this.#pop(), this.#pop()];
        return tuple([a, b, c]);
      }
      case 0x5d: // EMPTY_LIST
        return { kind: 'list', items: [] };
      case 0x6c: // LIST
        return { kind: 'list', items: this.#sinceMark() };
      case 0x61: {
        // APPEND
        const value = this.#pop();
        this.#append(this.#top(), [value]);
        return undefined;
      }
      case 0x65: {
        // APPENDS
        const values = this.#sinceMark();
        this.#append(this.#top(), values);
        return undefined;
      }
      case 0x7d: // EMPTY_DICT
        return { kind: 'dict', entries: [] };
      case 0x64: {
        // DICT
        const values = this.#sinceMark();
        const made: PickleValue = { kind: 'dict', entries: [] };
        this.#setItems(made, values);
        return made;
      }
      case 0x73: {
        // SETITEM
        const [value, key] = [this.#pop(), this.#pop()];
        this.#setItems(this.#top(), [key, value]);
        return undefined;
      }
      case 0x75: {
        // SETITEMS
        const values = this.#sinceMark();
        this.#setItems(this.#top(), values);
        return undefined;
      }
      case 0x8f: // EMPTY_SET
        return { kind: 'set', items: [] };
      case 0x90: {
        // ADDITEMS
        const values = this.#sinceMark();
        this.#append(this.#top(), values);
        return undefined;
      }
      case 0x91: // FROZENSET
        return { kind: 'set', items: this.#sinceMark() };

      case 0x70: // PUT
        this.#memo.set(memoIndex(input.line()), this.#top());
        return undefined;
      case 0x71: // BINPUT
        this.#memo.set(input.u8(), this.#top());
        return undefined;
      case 0x72: // LONG_BINPUT
        this.#memo.set(input.u32(), this.#top());
        return undefined;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return undefined;
      case 0x67: // GET
        return this.#memoised(memoIndex(input.line()));
      case 0x68: // BINGET
        return this.#memoised(input.u8());
      case 0x6a: // LONG_BINGET
        return this.#memoised(input.u32());

      case 0x63: {
        // GLOBAL
        const module = input.line();
        return this.#global(module, input.line());
      }
      case 0x93: {
        // STACK_GLOBAL
        const [name, module] = [this.#pop(), this.#pop()];
        return this.#global(module, name);
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const [args, callee] = [this.#pop(), this.#pop()];
        return this.#call(callee, args);
      }
      case 0x92: {
        // NEWOBJ_EX
        const [named, args, callee] = [this.#pop(), this.#pop(), this.#pop()];
        if (typeof named !== 'object' || named?.kind !== 'dict' || named.entries.length > 0)
          throw new UserError('its pickle calls a class with named arguments');
        return this.#call(callee, args);
      }
      case 0x69: {
        // INST
        const module = input.line();
        const callee = this.#global(module, input.line());
        return this.#call(callee, tuple(this.#sinceMark()));
      }
      case 0x6f: {
        // OBJ
        const [callee = null, ...args] = this.#sinceMark();
        return this.#call(callee, tuple(args));
      }
      case 0x62: {
        // BUILD
        const state = this.#pop();
        this.#build(this.#top(), state);
        return undefined;
      }
      case 0x51: // BINPERSID
        return this.#host.persistent(this.#pop());
      case 0x50: // PERSID
        return this.#host.persistent(input.line());
      case 0x82: // EXT1
      case 0x83: // EXT2
      case 0x84: // EXT4
        throw new UserError('its pickle uses the extension registry of a process, which crobc does not have');
      case 0x97: // NEXT_BUFFER
      case 0x98: // READONLY_BUFFER
        throw new UserError('its pickle refers to buffers outside of it');
      default:
        throw new UserError(`its pickle has the unknown opcode ${code}: damaged, or not a pickle`);
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
