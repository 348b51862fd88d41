import type { DType } from '../../compiler/ir/types.ts';
import { UserError } from '../files/user-error.ts';
import { SafetensorsFile } from './safetensors.ts';
import type { SafetensorsDType, TensorEntry } from './safetensors-header.ts';

/** Where the values of weights come from: a file, or an initialiser. */
export interface WeightSource {
  /** Row-major values of the weight with this path; integers and truth values as numbers. */
  read(path: string): Promise<Float32Array> | Float32Array;
}

/** A weight that a graph needs. */
export interface WantedWeight {
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** How a file and a graph disagree; all lists empty when they fit. */
export interface WeightMismatch {
  readonly missing: readonly WantedWeight[];
  readonly extra: readonly TensorEntry[];
  readonly shape: readonly { readonly wanted: WantedWeight; readonly found: TensorEntry }[];
  readonly dtype: readonly { readonly wanted: WantedWeight; readonly found: TensorEntry }[];
}

const floats: readonly SafetensorsDType[] = ['F32', 'F16', 'BF16', 'F64'];
const integers: readonly SafetensorsDType[] = ['I32', 'I64', 'I16', 'I8', 'U8', 'U16', 'U32', 'U64'];

/** File dtypes that can stand for a graph dtype: any float for a float, any integer for an integer. */
const accepted: Readonly<Record<DType, readonly SafetensorsDType[]>> = {
  f32: floats,
  f16: floats,
  i32: integers,
  i64: integers,
  u8: integers,
  bool: ['BOOL', 'U8'],
};

export function acceptsDtype(wanted: DType, found: SafetensorsDType): boolean {
  return accepted[wanted].includes(found);
}

/** Compares by name, then shape, then dtype; order plays no part. */
export function matchWeights(wanted: Iterable<WantedWeight>, found: ReadonlyMap<string, TensorEntry>): WeightMismatch {
  const mismatch = {
    missing: [] as WantedWeight[],
    extra: [] as TensorEntry[],
    shape: [] as { wanted: WantedWeight; found: TensorEntry }[],
    dtype: [] as { wanted: WantedWeight; found: TensorEntry }[],
  };
  const named = new Set<string>();
  for (const weight of wanted) {
    named.add(weight.path);
    const entry = found.get(weight.path);
    if (entry === undefined) mismatch.missing.push(weight);
    else if (!sameShape(entry.shape, weight.shape)) mismatch.shape.push({ wanted: weight, found: entry });
    else if (!acceptsDtype(weight.dtype, entry.dtype)) mismatch.dtype.push({ wanted: weight, found: entry });
  }
  for (const entry of found.values()) if (!named.has(entry.name)) mismatch.extra.push(entry);
  return mismatch;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

const MOST_NAMED = 10;

/** One line that names what does not fit, ten of each kind at most; undefined when all does. */
export function describeMismatch(mismatch: WeightMismatch): string | undefined {
  const shape = (s: readonly number[]) => `[${s.join(', ')}]`;
  const parts = [
    listed('missing', mismatch.missing, (weight) => weight.path),
    listed('of another shape', mismatch.shape, (pair) => {
      return `${pair.wanted.path}: ${shape(pair.found.shape)} in the file, ${shape(pair.wanted.shape)} in the model`;
    }),
    listed('of another dtype', mismatch.dtype, (pair) => {
      return `${pair.wanted.path}: ${pair.found.dtype} in the file, ${pair.wanted.dtype} in the model`;
    }),
    listed('unknown to the model', mismatch.extra, (entry) => entry.name),
  ].filter((text) => text !== undefined);
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** `2 missing (a, b)`, ten named at most; undefined for none. */
export function listed<T>(what: string, items: readonly T[], say: (item: T) => string): string | undefined {
  if (items.length === 0) return undefined;
  const named = items.slice(0, MOST_NAMED).map(say).join(', ');
  const rest = items.length - MOST_NAMED;
  return `${items.length} ${what} (${named}${rest > 0 ? `, and ${rest} more` : ''})`;
}

export interface FileWeights extends WeightSource {
  readonly file: SafetensorsFile;
  /** How many tensors of the file no weight is made of. */
  readonly unused: number;
  close(): Promise<void>;
}

/** What to do about weights that a file lacks, given their paths. */
export interface MissingHint {
  readonly hint?: ((missing: readonly string[]) => string | undefined) | undefined;
}

/** The hint as the end of a message. */
export function hinted(hint: MissingHint['hint'], missing: readonly string[]): string {
  const text = hint?.(missing);
  return text === undefined ? '' : `; ${text}`;
}

export interface OpenOptions extends MissingHint {
  /** Whether the file may hold tensors that the graph does not read. */
  readonly extra?: 'refuse' | 'allow';
  /** Weights that a file may hold even so: those of the model that the graph does not read. */
  readonly declared?: (() => ReadonlySet<string>) | undefined;
}

/** Opens a safetensors file as the weights of a graph. Throws a UserError that names what does not fit. */
export async function openWeights(
  path: string,
  wanted: Iterable<WantedWeight>,
  { extra = 'refuse', declared, hint }: OpenOptions = {},
): Promise<FileWeights> {
  const file = await SafetensorsFile.open(path);
  const mismatch = matchWeights(wanted, file.tensors);
  const fault = describeMismatch({ ...mismatch, extra: extra === 'allow' ? [] : undeclared(mismatch.extra, declared) });
  if (fault !== undefined) {
    await file.close();
    throw new UserError(
      `the weights in ${path} do not fit the model: ${fault}${hinted(
        hint,
        mismatch.missing.map((weight) => weight.path),
      )}`,
    );
  }
  const unused = mismatch.extra.length;
  return { file, unused, read: (name) => file.float32(name), close: () => file.close() };
}

function undeclared(extra: readonly TensorEntry[], declared: OpenOptions['declared']): readonly TensorEntry[] {
  if (extra.length === 0 || declared === undefined) return extra;
  const known = declared();
  return extra.filter(({ name }) => !known.has(name));
}
