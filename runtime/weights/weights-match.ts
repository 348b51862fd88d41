import type { DType } from '../../compiler/ir/types.ts';
import type { TensorDType } from '../tensors/tensor-dtype.ts';
import type { FileTensor } from './tensor-file.ts';

/** A weight that a graph needs. */
export interface WantedWeight {
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** The differences between a file and a graph; all lists are empty if they fit. */
export interface WeightMismatch {
  readonly missing: readonly WantedWeight[];
  readonly extra: readonly FileTensor[];
  readonly shape: readonly { readonly wanted: WantedWeight; readonly found: FileTensor }[];
  readonly dtype: readonly { readonly wanted: WantedWeight; readonly found: FileTensor }[];
}

const floats: readonly TensorDType[] = ['F32', 'F16', 'BF16', 'F64'];
const integers: readonly TensorDType[] = ['I32', 'I64', 'I16', 'I8', 'U8', 'U16', 'U32', 'U64'];

/** File dtypes accepted for each graph dtype: any float for a float, any integer for an integer. */
const accepted: Readonly<Record<DType, readonly TensorDType[]>> = {
  f32: floats,
  f16: floats,
  bf16: floats,
  i32: integers,
  i64: integers,
  u8: integers,
  bool: ['BOOL', 'U8'],
};

export function acceptsDtype(wanted: DType, found: TensorDType): boolean {
  return accepted[wanted].includes(found);
}

/** Compares by name, then shape, then dtype; the order of tensors does not matter. */
export function matchWeights(wanted: Iterable<WantedWeight>, found: ReadonlyMap<string, FileTensor>): WeightMismatch {
  const mismatch = {
    missing: [] as WantedWeight[],
    extra: [] as FileTensor[],
    shape: [] as { wanted: WantedWeight; found: FileTensor }[],
    dtype: [] as { wanted: WantedWeight; found: FileTensor }[],
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

/** Returns one line that names what does not fit, at most ten of each kind; undefined if everything fits. */
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

/** Returns, for example, `2 missing (a, b)`, with at most ten names; undefined for an empty list. */
export function listed<T>(what: string, items: readonly T[], say: (item: T) => string): string | undefined {
  if (items.length === 0) return undefined;
  const named = items.slice(0, MOST_NAMED).map(say).join(', ');
  const rest = items.length - MOST_NAMED;
  return `${items.length} ${what} (${named}${rest > 0 ? `, and ${rest} more` : ''})`;
}
