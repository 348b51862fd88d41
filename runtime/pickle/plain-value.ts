import { cut } from '../files/shown.ts';
import { kindOf, type PickleDict, type PickleList, type PickleTuple, type PickleValue } from './pickle-value.ts';
import { PickleFault } from './read-opcodes.ts';
import { type PickleHost, readPickle } from './read-pickle.ts';

/**
 * A value of a pickle that is data only. Lists and tuples are arrays, which may be shared or contain themselves: walk them
 * only as deeply as the format at hand goes. Integers beyond 2^53 are bigints.
 */
export type PlainValue = null | boolean | number | bigint | string | PlainValue[] | PlainDict;
export type PlainDict = Map<PlainKey, PlainValue>;
export type PlainKey = null | boolean | number | bigint | string;

/** Maximum number of instructions. RRSIS-D's references have near two million, and other data sets are larger. */
const mostInstructions = 100_000_000;

/** Refuses every class, every function and everything outside of the file. */
const noHost: PickleHost = {
  admit(name, at) {
    throw new PickleFault(
      `byte ${at}: it would import ${JSON.stringify(cut(name, 80))}, and crobc runs no code of a file`,
    );
  },
  call(name) {
    throw new Error(`bug in crobc: a call of ${name}`);
  },
  persistent() {
    throw new PickleFault('it refers to something outside of the file');
  },
};

/**
 * Reads a pickle of protocol 0 to 5 (Python's `pickle.load` with `encoding='latin1'`) that consists of lists, tuples,
 * dicts, strings, numbers, truth values and None. Throws a PickleFault that names anything else.
 */
export function readPlainPickle(bytes: Uint8Array): PlainValue {
  return plainValue(readPickle(bytes, { host: noHost, mostInstructions }).value);
}

/** A value that has others inside of it, and what is made of it. */
type Pair =
  | { readonly kind: 'array'; readonly from: PickleList | PickleTuple; readonly to: PlainValue[] }
  | { readonly kind: 'map'; readonly from: PickleDict; readonly to: PlainDict };

/** Makes plain data of a value. What is one value stays one value, and depth costs no stack. */
function plainValue(root: PickleValue): PlainValue {
  const made = new Map<PickleValue, PlainValue[] | PlainDict>();
  const waiting: Pair[] = [];
  const plain = (value: PickleValue): PlainValue => {
    if (typeof value !== 'object' || value === null) return value;
    const known = made.get(value);
    if (known !== undefined) return known;
    const pair = emptyPair(value);
    made.set(value, pair.to);
    waiting.push(pair);
    return pair.to;
  };
  const value = plain(root);
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) fill(pair, plain);
  return value;
}

function emptyPair(from: Extract<PickleValue, object>): Pair {
  switch (from.kind) {
    case 'list':
    case 'tuple':
      return { kind: 'array', from, to: [] };
    case 'dict':
      return { kind: 'map', from, to: new Map() };
    case 'set':
    case 'bytes':
    case 'global':
    case 'object':
    case 'storage':
    case 'tensor':
      throw new PickleFault(`it contains ${kindOf(from)}, which is not read`);
  }
}

function fill(pair: Pair, plain: (value: PickleValue) => PlainValue): void {
  if (pair.kind === 'array') for (const item of pair.from.items) pair.to.push(plain(item));
  else
    for (const [key, item] of pair.from.entries) {
      if (typeof key === 'object' && key !== null)
        throw new PickleFault(`a dict has ${kindOf(key)} as a key, and only strings and numbers are read`);
      pair.to.set(key, plain(item));
    }
}
