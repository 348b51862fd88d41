import { cut } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { kindOf, object, type PickleStorage, type PickleTensor, type PickleValue } from '../pickle/pickle-value.ts';
import { PickleEnd, PickleFault } from '../pickle/read-opcodes.ts';
import { type PickleHost, type ReadPickle, readPickle } from '../pickle/read-pickle.ts';
import { bytesPerElement, type TensorDType } from '../tensors/tensor-dtype.ts';

/** The typed storages of PyTorch; those that are missing (complex numbers, quantised ones) are refused by name. */
const storageTypes: Readonly<Record<string, TensorDType | 'bytes'>> = {
  'torch.FloatStorage': 'F32',
  'torch.DoubleStorage': 'F64',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
  'torch.storage.UntypedStorage': 'bytes',
};

/** Dtypes as values: in settings, and of tensors with an untyped storage. */
const dtypes: Readonly<Record<string, TensorDType>> = {
  'torch.float32': 'F32',
  'torch.float64': 'F64',
  'torch.float16': 'F16',
  'torch.bfloat16': 'BF16',
  'torch.int64': 'I64',
  'torch.int32': 'I32',
  'torch.int16': 'I16',
  'torch.int8': 'I8',
  'torch.uint8': 'U8',
  'torch.uint16': 'U16',
  'torch.uint32': 'U32',
  'torch.uint64': 'U64',
  'torch.bool': 'BOOL',
  'torch.float8_e4m3fn': 'F8_E4M3',
  'torch.float8_e5m2': 'F8_E5M2',
};

/** Dictionaries of other classes, which are read as dictionaries. */
const dictionaries: readonly string[] = ['collections.OrderedDict', 'builtins.dict', '__builtin__.dict'];

/** Classes of settings that are often stored beside weights. They are kept as data, and nothing of them is computed. */
const inert: readonly string[] = [
  'argparse.Namespace',
  'types.SimpleNamespace',
  'collections.defaultdict',
  'collections.Counter',
  'collections.deque',
  'pathlib.PosixPath',
  'pathlib.PurePosixPath',
  'pathlib.WindowsPath',
  'pathlib._local.PosixPath',
  'datetime.datetime',
  'datetime.timedelta',
  'builtins.complex',
  'builtins.slice',
  'builtins.range',
  'yacs.config.CfgNode',
  'easydict.EasyDict',
  'torch.device',
  'torch.Size',
  'numpy.dtype',
  'numpy.ndarray',
  ...['numpy.core.multiarray', 'numpy._core.multiarray'].flatMap((module) => [
    `${module}.scalar`,
    `${module}._reconstruct`,
  ]),
];

/** Types that occur only as arguments of others: `defaultdict(int)`. */
const names: readonly string[] = ['int', 'float', 'str', 'list', 'object'].flatMap((name) => [
  `builtins.${name}`,
  `__builtin__.${name}`,
]);

type Rebuild = (args: readonly PickleValue[]) => PickleValue;

const rebuilders: Readonly<Record<string, Rebuild>> = {
  'torch._utils._rebuild_tensor': ([storage, ...view]) => tensor(storage, view, undefined),
  'torch._utils._rebuild_tensor_v2': ([storage, ...view]) => tensor(storage, view, undefined),
  'torch._utils._rebuild_tensor_v3': ([storage, offset, size, stride, _grad, _hooks, dtype]) =>
    tensor(storage, [offset, size, stride], dtype),
  'torch._utils._rebuild_parameter': ([data]) => parameter(data),
  'torch._utils._rebuild_parameter_with_state': ([data]) => parameter(data),
  '_codecs.encode': encoded,
  'builtins.set': ([items]) => ({ kind: 'set', items: itemsOf(items) }),
  '__builtin__.set': ([items]) => ({ kind: 'set', items: itemsOf(items) }),
  'builtins.frozenset': ([items]) => ({ kind: 'set', items: itemsOf(items) }),
  'builtins.bytes': emptyBytes,
  '__builtin__.bytes': emptyBytes,
  'copyreg._reconstructor': reconstructed,
  'copy_reg._reconstructor': reconstructed,
  'builtins.bytearray': ([bytes]) => bytes ?? { kind: 'bytes', bytes: new Uint8Array(0) },
};

const known: ReadonlySet<string> = new Set([
  ...Object.keys(storageTypes),
  ...Object.keys(dtypes),
  ...dictionaries,
  ...inert,
  ...names,
  ...Object.keys(rebuilders),
]);

/** Makes tensors, dictionaries and settings of the pickles that `torch.save` writes, and refuses all else by name. */
export const torchHost: PickleHost = {
  admit(name) {
    if (!known.has(name)) throw notAllowed(name);
  },
  call(name, args) {
    if (dictionaries.includes(name)) return dictionary(args);
    if (inert.includes(name)) return object(name, args);
    const rebuild = Object.hasOwn(rebuilders, name) ? rebuilders[name] : undefined;
    if (!rebuild) throw notAllowed(`a call of ${name}`);
    return rebuild(args);
  },
  persistent,
};

/** Maximum number of instructions: a checkpoint has about thirty for each tensor. */
const mostInstructions = 2_000_000;

/**
 * Reads one pickle of a checkpoint, which begins at `start`. Throws a UserError, without the file's name, for what is not
 * allowed or damaged, and a PickleEnd if more bytes are needed.
 */
export function readTorchPickle(bytes: Uint8Array, start = 0, host = torchHost): ReadPickle {
  try {
    return readPickle(bytes, { start, host, mostInstructions });
  } catch (error) {
    if (!(error instanceof PickleFault) || error instanceof PickleEnd) throw error;
    throw new UserError(`its pickle cannot be read: ${error.message}`);
  }
}

/** The refusal of a class or function. */
function notAllowed(name: string): UserError {
  const hint = name.startsWith('torch.nn.') || /models?\b|net\b/i.test(name) ? ': save only its state_dict()' : '';
  return new UserError(
    `its pickle refers to ${cut(name)}, which is not among the classes of tensors and settings, and crobc runs no code of a file${hint}`,
  );
}

/** `OrderedDict()`, or of a list of pairs. */
function dictionary([pairs]: readonly PickleValue[]): PickleValue {
  return {
    kind: 'dict',
    hasAttributes: true,
    entries: itemsOf(pairs).map((pair) => {
      const items = itemsOf(pair);
      if (items.length !== 2) throw new UserError('a dictionary of its pickle is made of something other than pairs');
      return [items[0]!, items[1]!] as const;
    }),
  };
}

function itemsOf(value: PickleValue | undefined): PickleValue[] {
  if (value === undefined) return [];
  if (typeof value === 'object' && (value?.kind === 'list' || value?.kind === 'tuple')) return [...value.items];
  throw new UserError(`its pickle has ${kindOf(value)} where a list is needed`);
}

/** Bytes in protocols before 3: a text in Latin-1. */
function encoded([text, encoding]: readonly PickleValue[]): PickleValue {
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1'))
    throw new UserError('its pickle has bytes that are not text in Latin-1');
  return { kind: 'bytes', bytes: Buffer.from(text, 'latin1') };
}

/** Empty bytes in protocols before 3. */
function emptyBytes(args: readonly PickleValue[]): PickleValue {
  if (args.length > 0) throw notAllowed('a call of bytes');
  return { kind: 'bytes', bytes: new Uint8Array(0) };
}

/** An object in protocols 0 and 1: its class, and `object`. */
function reconstructed([type, base, state = null]: readonly PickleValue[]): PickleValue {
  const [name, from] = [type, base].map((one) => (typeof one === 'object' && one?.kind === 'global' ? one.name : ''));
  if (!name || !inert.includes(name) || !from?.endsWith('.object') || state !== null)
    throw notAllowed(`an object of ${name || 'something that is no class'}`);
  return object(name, []);
}

/** `("storage", type, key, location, length)`, and in old files the view of another storage, if it is one. */
function persistent(id: PickleValue): PickleStorage {
  const [what, type, key, , length, view = null] = itemsOf(id);
  const name = typeof type === 'object' && type?.kind === 'global' ? type.name : '';
  const dtype = Object.hasOwn(storageTypes, name) ? storageTypes[name] : undefined;
  if (what !== 'storage' || dtype === undefined || typeof key !== 'string')
    throw new UserError('its pickle refers to something outside of it that is not a storage');
  if (view !== null) throw new UserError(`the storage ${cut(key)} is a view of another, as only very old files have`);
  if (!isCount(length)) throw new UserError(`the storage ${cut(key)} has no length`);
  return { kind: 'storage', key, dtype: dtype === 'bytes' ? undefined : dtype, length };
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function counts(value: PickleValue | undefined): readonly number[] {
  const items =
    typeof value === 'object' && value?.kind === 'object' && value.type === 'torch.Size'
      ? itemsOf(value.args[0])
      : itemsOf(value);
  if (!items.every(isCount))
    throw new UserError('a tensor of its pickle has a size, stride or offset that is not a whole number from 0');
  return items;
}

/** Maximum rank in PyTorch's own operators. */
const mostAxes = 64;

/** Maximum number of elements of a tensor that repeats the elements of its storage by strides of 0. */
const mostRepeated = 2 ** 24;

function tensor(
  storage: PickleValue | undefined,
  [offset, size, stride]: readonly (PickleValue | undefined)[],
  type: PickleValue | undefined,
): PickleTensor {
  if (typeof storage !== 'object' || storage?.kind !== 'storage')
    throw new UserError('a tensor of its pickle has no storage');
  if (!isCount(offset)) throw new UserError('a tensor of its pickle has an offset that is not a whole number from 0');
  const [shape, strides] = [counts(size), counts(stride)];
  const dtype =
    typeof type === 'object' && type?.kind === 'global' && Object.hasOwn(dtypes, type.name)
      ? dtypes[type.name]
      : storage.dtype;
  if (dtype === undefined) throw new UserError('a tensor of its pickle has an untyped storage and no dtype');
  if (shape.length !== strides.length || shape.length > mostAxes)
    throw new UserError(`a tensor of its pickle has ${shape.length} sizes and ${strides.length} strides`);
  const count = shape.reduce((product, n) => product * n, 1);
  const length = storage.dtype === undefined ? Math.floor(storage.length / bytesPerElement(dtype)) : storage.length;
  const last = count === 0 ? -1 : shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis]!, offset);
  if (!Number.isSafeInteger(count) || last >= length)
    throw new UserError(
      `a tensor of its pickle, [${cut(shape.join(', '))}], reaches to element ${last} of a storage of ${length}`,
    );
  if (count > length && count > mostRepeated)
    throw new UserError(`a tensor of its pickle, [${cut(shape.join(', '))}], repeats a storage of ${length} elements`);
  return { kind: 'tensor', storage, dtype, offset, shape, strides };
}

function parameter(data: PickleValue | undefined): PickleValue {
  if (typeof data === 'object' && data?.kind === 'tensor') return data;
  throw new UserError('a parameter of its pickle is not a tensor');
}
