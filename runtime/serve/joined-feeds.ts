import type { Feeds, HostTensor } from '../ort/session.ts';

/** Identifies feeds that can be joined: names, types, and all sizes but that of the batch. */
export function joinKey(feeds: Feeds): string {
  return Object.entries(feeds)
    .map(([name, { dtype, shape }]) => `${name}:${dtype}[${shape.slice(1).join()}]`)
    .sort()
    .join(' ');
}

/** Joins feeds with the same key along their first axis. */
export function joined(parts: readonly Feeds[]): Feeds {
  const [first, ...others] = parts;
  if (!first) throw new Error('bug in crobc: nothing to join');
  if (others.length === 0) return first;
  return Object.fromEntries(
    Object.entries(first).map(([name, { dtype, shape }]) => {
      const tensors = parts.map((feeds) => tensorOf(feeds, name));
      const rows = tensors.reduce((sum, tensor) => sum + (tensor.shape[0] ?? 0), 0);
      return [name, { dtype, shape: [rows, ...shape.slice(1)], data: concatenated(tensors.map(({ data }) => data)) }];
    }),
  );
}

/** Returns some rows of tensors; each has the batch as its first axis. */
export function rowsOf(tensors: Feeds, from: number, count: number): Feeds {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
      const size = shape.slice(1).reduce((product, n) => product * n, 1);
      return [name, { dtype, shape: [count, ...shape.slice(1)], data: data.slice(from * size, (from + count) * size) }];
    }),
  );
}

function tensorOf(feeds: Feeds, name: string): HostTensor {
  const found = feeds[name];
  if (!found) throw new Error(`bug in crobc: feeds without ${name} were joined`);
  return found;
}

function concatenated(parts: readonly HostTensor['data'][]): HostTensor['data'] {
  const [first] = parts;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  // Parts of the same dtype have arrays of the same kind.
  if (first instanceof BigInt64Array) return filled(new BigInt64Array(length), parts as readonly BigInt64Array[]);
  if (first instanceof Int32Array) return filled(new Int32Array(length), parts as readonly Int32Array[]);
  if (first instanceof Uint8Array) return filled(new Uint8Array(length), parts as readonly Uint8Array[]);
  if (first instanceof Uint16Array) return filled(new Uint16Array(length), parts as readonly Uint16Array[]);
  return filled(new Float32Array(length), parts as readonly Float32Array[]);
}

function filled<A extends { set(part: A, at: number): void; readonly length: number }>(out: A, parts: readonly A[]): A {
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
