import { floatLine, integerLine, stringLine, unicodeLine } from './literals.ts';
import type { Machine } from './machine.ts';
import { type ArgumentOf, HIGHEST_PROTOCOL, type OpcodeName } from './opcodes.ts';
import { kindOf, type PickleDict, type PickleValue, tuple } from './pickle-value.ts';
import { type Instruction, PickleFault } from './read-opcodes.ts';

type Step<Name extends OpcodeName> = (machine: Machine, argument: ArgumentOf<Name>) => void;

/** STOP is no step: the caller takes the result. */
export type StepName = Exclude<OpcodeName, 'STOP'>;

/** Carries out one instruction. Throws a PickleFault, or what the host throws. */
export function step<Name extends StepName>(machine: Machine, instruction: Instruction<Name>): void {
  machine.begin(instruction);
  const run: Step<Name> = steps[instruction.name];
  run(machine, instruction.argument);
}

const pushArgument = (machine: Machine, argument: string | number | bigint) => machine.push(argument);

const pushBytes = (machine: Machine, bytes: Uint8Array) => machine.pushContainer({ kind: 'bytes', bytes });

/** What each opcode does, as Python's `pickletools` describes it. */
const steps: { readonly [Name in StepName]: Step<Name> } = {
  PROTO(_, protocol) {
    if (protocol > HIGHEST_PROTOCOL)
      throw new PickleFault(`it is of protocol ${protocol}, and ${HIGHEST_PROTOCOL} is the highest that is read`);
  },
  // Frames only tell a reader how much to buffer.
  FRAME() {},

  MARK: (machine) => machine.mark(),
  POP: (machine) => machine.drop(),
  POP_MARK: (machine) => void machine.sinceMark(),
  DUP: (machine) => machine.push(machine.top()),

  NONE: (machine) => machine.push(null),
  NEWTRUE: (machine) => machine.push(true),
  NEWFALSE: (machine) => machine.push(false),
  INT: (machine, line) => machine.push(integerLine(line, 'INT')),
  LONG: (machine, line) => machine.push(integerLine(line, 'LONG')),
  BININT: pushArgument,
  BININT1: pushArgument,
  BININT2: pushArgument,
  LONG1: pushArgument,
  LONG4: pushArgument,
  FLOAT: (machine, line) => machine.push(floatLine(line)),
  BINFLOAT: pushArgument,

  STRING: (machine, line) => machine.push(stringLine(line)),
  BINSTRING: pushArgument,
  SHORT_BINSTRING: pushArgument,
  UNICODE: (machine, line) => machine.push(unicodeLine(line)),
  BINUNICODE: pushArgument,
  SHORT_BINUNICODE: pushArgument,
  BINUNICODE8: pushArgument,
  BINBYTES: pushBytes,
  SHORT_BINBYTES: pushBytes,
  BINBYTES8: pushBytes,
  BYTEARRAY8: pushBytes,

  EMPTY_TUPLE: (machine) => machine.pushContainer(tuple([])),
  TUPLE: (machine) => machine.pushContainer(tuple(machine.sinceMark())),
  TUPLE1: (machine) => machine.pushContainer(machine.popTuple(1)),
  TUPLE2: (machine) => machine.pushContainer(machine.popTuple(2)),
  TUPLE3: (machine) => machine.pushContainer(machine.popTuple(3)),

  EMPTY_LIST: (machine) => machine.pushContainer({ kind: 'list', items: [] }),
  LIST: (machine) => machine.pushContainer({ kind: 'list', items: machine.sinceMark() }),
  APPEND(machine) {
    const value = machine.pop();
    append(machine, [value]);
  },
  APPENDS(machine) {
    const values = machine.sinceMark();
    append(machine, values);
  },

  EMPTY_DICT: (machine) => machine.pushContainer(emptyDict()),
  DICT(machine) {
    const values = machine.sinceMark();
    machine.pushContainer(emptyDict());
    setItems(machine, values);
  },
  SETITEM: (machine) => setItems(machine, machine.popTuple(2).items),
  SETITEMS(machine) {
    const values = machine.sinceMark();
    setItems(machine, values);
  },

  EMPTY_SET: (machine) => machine.pushContainer({ kind: 'set', items: [] }),
  FROZENSET: (machine) => machine.pushContainer({ kind: 'set', items: machine.sinceMark() }),
  ADDITEMS(machine) {
    const values = machine.sinceMark();
    const target = machine.top();
    if (typeof target !== 'object' || (target?.kind !== 'set' && target?.kind !== 'object'))
      throw machine.fault(`adds items to ${kindOf(target)}`);
    for (const value of values) target.items.push(value);
  },

  PUT: (machine, line) => machine.remember(machine.index(line)),
  BINPUT: (machine, index) => machine.remember(index),
  LONG_BINPUT: (machine, index) => machine.remember(index),
  MEMOIZE: (machine) => machine.remember(),
  GET: (machine, line) => machine.recall(machine.index(line)),
  BINGET: (machine, index) => machine.recall(index),
  LONG_BINGET: (machine, index) => machine.recall(index),

  GLOBAL: (machine, [module, name]) => machine.pushGlobal(module, name),
  STACK_GLOBAL(machine) {
    const [name, module] = [machine.pop(), machine.pop()];
    machine.pushGlobal(module, name);
  },
  REDUCE: callTop,
  NEWOBJ: callTop,
  NEWOBJ_EX(machine) {
    const named = machine.pop();
    if (typeof named !== 'object' || named?.kind !== 'dict' || named.entries.length > 0)
      throw machine.fault('calls a class with named arguments');
    callTop(machine);
  },
  INST(machine, [module, name]) {
    const args = machine.sinceMark();
    machine.pushGlobal(module, name);
    machine.call(machine.pop(), tuple(args));
  },
  OBJ(machine) {
    const [callee = null, ...args] = machine.sinceMark();
    machine.call(callee, tuple(args));
  },
  // Attributes of a dict, such as `_metadata` of a state dict, are dropped.
  BUILD(machine) {
    const state = machine.pop();
    const target = machine.top();
    if (typeof target === 'object' && target?.kind === 'object') target.state = state;
    else if (typeof target !== 'object' || target?.kind !== 'dict' || !target.hasAttributes)
      throw machine.fault(`sets the state of ${kindOf(target)}`);
  },

  BINPERSID: (machine) => machine.pushContainer(machine.host.persistent(machine.pop())),
  PERSID: (machine, id) => machine.pushContainer(machine.host.persistent(id)),
  EXT1: refuseExtension,
  EXT2: refuseExtension,
  EXT4: refuseExtension,
  NEXT_BUFFER: refuseBuffer,
  READONLY_BUFFER: refuseBuffer,
};

function emptyDict(): PickleDict {
  return { kind: 'dict', hasAttributes: false, entries: [] };
}

function append(machine: Machine, values: readonly PickleValue[]): void {
  const target = machine.top();
  if (typeof target !== 'object' || (target?.kind !== 'list' && target?.kind !== 'object'))
    throw machine.fault(`appends to ${kindOf(target)}`);
  for (const value of values) target.items.push(value);
}

/** Adds keys and values, which alternate. */
function setItems(machine: Machine, values: readonly PickleValue[]): void {
  const target = machine.top();
  if (typeof target !== 'object' || (target?.kind !== 'dict' && target?.kind !== 'object'))
    throw machine.fault(`sets items of ${kindOf(target)}`);
  if (values.length % 2 !== 0) throw machine.fault('finds a key without a value');
  for (let i = 0; i < values.length; i += 2) target.entries.push([values[i] ?? null, values[i + 1] ?? null]);
}

function callTop(machine: Machine): void {
  const [args, callee] = [machine.pop(), machine.pop()];
  machine.call(callee, args);
}

function refuseExtension(machine: Machine): never {
  throw machine.fault('uses the extension registry of a process, which crobc does not have');
}

function refuseBuffer(machine: Machine): never {
  throw machine.fault('refers to buffers outside of the file');
}
