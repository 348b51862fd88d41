/** Returns whether elements follow each other row by row. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let wanted = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== wanted) return false;
    wanted *= shape[axis]!;
  }
  return true;
}

/** Number of elements from the first to behind the last of a strided tensor. */
export function spanOf(shape: readonly number[], strides: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis]!, 1);
}

/** Copies the elements of `width` bytes of a strided tensor row by row. */
export function gathered(
  bytes: Uint8Array,
  shape: readonly number[],
  strides: readonly number[],
  width: number,
): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((product, n) => product * n, 1);
  const out = new Uint8Array(count * width);
  switch (width) {
    case 1:
      copy(out, bytes, shape, strides);
      break;
    case 2:
      copy(new Uint16Array(out.buffer), words(bytes, Uint16Array), shape, strides);
      break;
    case 4:
      copy(new Uint32Array(out.buffer), words(bytes, Uint32Array), shape, strides);
      break;
    case 8:
      copy(new BigUint64Array(out.buffer), words(bytes, BigUint64Array), shape, strides);
      break;
    default:
      throw new Error(`bug in crobc: elements of ${width} bytes`);
  }
  return out;
}

function words<T>(
  bytes: Uint8Array,
  Words: { new (buffer: ArrayBufferLike, offset: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
): T {
  const width = Words.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return new Words(aligned.buffer, aligned.byteOffset, Math.floor(aligned.length / width));
}

/** A typed array, by its elements. */
interface Elements<E> {
  [index: number]: E;
}

function copy<E>(out: Elements<E>, from: Elements<E>, shape: readonly number[], strides: readonly number[]): void {
  if (shape.includes(0)) return;
  let to = 0;
  const last = shape.length - 1;
  const walk = (axis: number, at: number): void => {
    if (axis > last) {
      out[to++] = from[at]!;
      return;
    }
    const [size, stride] = [shape[axis]!, strides[axis]!];
    if (axis < last) for (let i = 0; i < size; i++) walk(axis + 1, at + i * stride);
    else for (let i = 0; i < size; i++) out[to++] = from[at + i * stride]!;
  };
  walk(0, 0);
}
