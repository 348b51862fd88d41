import type Koffi from 'koffi';
import type { LibraryHandle } from 'koffi';
import { onnxRuntimeLibrary } from '../library-path.ts';
import { loadKoffi } from '../load-koffi.ts';
import { readyCuda } from '../ready-cuda.ts';
import type { ReleaseCall, StatusCall } from './calls.ts';
import { API_VERSION, type Argument, type Arguments, type CallName, calls, koffiTypes, type Pointer } from './calls.ts';

/** A call of onnxruntime failed. `code` is its OrtErrorCode. */
export class NativeFailure extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Why the C API cannot be called on this machine: one line. */
export interface NoNative {
  readonly missing: string;
}

/** Bytes of the longest view of native memory: koffi 3.3.4 ends the process at 5 GiB. */
export const LONGEST_VIEW = 4 * 2 ** 30;

interface Signature {
  readonly address: bigint;
  readonly gives: string;
  readonly takes: readonly string[];
}

type NativeFunction = (...args: readonly Argument[]) => unknown;

/** onnxruntime's C API: the functions of the library that onnxruntime-node ships, called through koffi. */
export class Native {
  readonly #koffi: typeof Koffi;
  readonly #table: BigUint64Array;
  readonly #functions = new Map<CallName, NativeFunction>();
  readonly #signatures = new Map<CallName, Signature>();
  /** The file of the library, in whose folder onnxruntime looks for its providers. */
  readonly path: string;

  constructor(koffi: typeof Koffi, path: string, api: bigint) {
    this.#koffi = koffi;
    this.path = path;
    const last = Math.max(...Object.values(calls).map(({ index }) => index));
    this.#table = koffi.decode(api, 'uint64', last + 1) as BigUint64Array;
  }

  /** Calls a function on this thread. Throws a NativeFailure. */
  call<Name extends StatusCall>(name: Name, ...args: Arguments<Name>): void {
    this.check(this.#function(name)(...args) as bigint | null);
  }

  release(name: ReleaseCall, pointer: bigint): void {
    this.#function(name)(pointer);
  }

  /** Throws the failure that a status describes, and releases the status. */
  check(status: bigint | null): void {
    if (status === null) return;
    const code = this.#function('GetErrorCode')(status) as number;
    const message = this.#function('GetErrorMessage')(status) as string;
    this.release('ReleaseStatus', status);
    throw new NativeFailure(code, message);
  }

  /** The value of a key in OrtKeyValuePairs; undefined if it is not there. */
  valueOf(pairs: bigint, key: string): string | undefined {
    return (this.#function('GetKeyValue')(pairs, key) as string | null) ?? undefined;
  }

  signature(name: CallName): Signature {
    const known = this.#signatures.get(name);
    if (known) return known;
    const { index, takes, gives } = calls[name];
    const address = this.#table[index]!;
    const found = { address, gives: koffiTypes[gives], takes: takes.map((type) => koffiTypes[type]) };
    this.#signatures.set(name, found);
    return found;
  }

  /** The address of an array's memory. It does not move, but belongs to the array. */
  addressOf(array: Pointer): bigint {
    return this.#koffi.address(array);
  }

  textAt(pointer: bigint): string {
    return this.#koffi.decode.string(pointer);
  }

  /** The pointers in memory of onnxruntime. */
  pointersAt(pointer: bigint, count: number): readonly bigint[] {
    return count === 0 ? [] : [...(this.#koffi.decode(pointer, 'uint64', count) as BigUint64Array)];
  }

  /** Memory of onnxruntime as bytes, at most `LONGEST_VIEW`. Must not be used after the memory is released. */
  bytesAt(pointer: bigint, length: number): Uint8Array {
    if (length > LONGEST_VIEW) throw new Error(`bug in crobc: a view of ${length} bytes`);
    return new Uint8Array(this.#koffi.view(pointer, length));
  }

  #function(name: CallName): NativeFunction {
    const known = this.#functions.get(name);
    if (known) return known;
    const { address, gives, takes } = this.signature(name);
    const found = this.#koffi.decode(address, this.#koffi.proto(gives, [...takes])) as NativeFunction;
    this.#functions.set(name, found);
    return found;
  }
}

/** A library that is never unloaded, as long as the process lives. */
let library: LibraryHandle | undefined;
let loaded: Native | NoNative | undefined;

/** Loads koffi and onnxruntime's library on first use. */
export function loadNative(): Native | NoNative {
  loaded ??= load();
  return loaded;
}

function load(): Native | NoNative {
  const koffi = loadKoffi();
  if ('missing' in koffi) return koffi;
  const path = readyCuda()?.library ?? onnxRuntimeLibrary()?.path;
  if (path === undefined) return { missing: "onnxruntime's library is not in onnxruntime-node" };
  try {
    library = koffi.load(path);
  } catch (error) {
    return { missing: `${path} does not load: ${(error as Error).message.split('\n')[0]}` };
  }
  const base: bigint = library.func('OrtGetApiBase', 'void *', [])();
  const getApi = koffi.decode(koffi.decode(base, 'void *'), koffi.proto('void *', ['uint32']));
  const api: bigint | null = getApi(API_VERSION);
  if (api === null) return { missing: `${path} is older than version 1.${API_VERSION} of onnxruntime` };
  return new Native(koffi, path, api);
}
