/** The draws of test/goldens/formula.py, repeated to the last bit. */

/** 32-bit words: FNV-1a of the name, then a counter through murmur3's finaliser. */
export function wordsOf(name: string, count: number): Uint32Array {
  let seed = 2166136261;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619);
  return Uint32Array.from({ length: count }, (_, i) => {
    let x = (seed + Math.imul(i, 0x9e3779b1)) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return x ^ (x >>> 16);
  });
}

/** Float32 numbers in [0, 1). */
export function uniformOf(name: string, count: number): Float32Array {
  return Float32Array.from(wordsOf(name, count), (word) => (word >>> 8) / 2 ** 24);
}

/** A weight at the start. */
export function startOf(path: string, shape: readonly number[]): Float32Array {
  const [centre, spread] = spreadOf(path, shape);
  return uniformOf(path, product(shape)).map((u) => centre + spread * (2 * u - 1));
}

function spreadOf(path: string, shape: readonly number[]): readonly [centre: number, spread: number] {
  if (shape.length > 1) return [0, (path === 'mid.out.weight' ? 0.05 : 0.5) * Math.sqrt(3 / product(shape.slice(1)))];
  if (path.endsWith('weight')) return [1, 0.2];
  return [0, path.endsWith('sampling_offsets.bias') ? 2 : 0.1];
}

/** The image of a batch, or of the small model's: numbers in [-1.5, 1.5). */
export function imageOf(name: string, count: number): Float32Array {
  return uniformOf(name, count).map((u) => 3 * u - 1.5);
}

/** Places whose entries a golden has: all of a small tensor's. */
export function positionsOf(path: string, count: number): Uint32Array {
  if (count <= 16) return Uint32Array.from({ length: count }, (_, i) => i);
  return wordsOf(`entries ${path}`, 16).map((word) => word % count);
}

export function product(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}
