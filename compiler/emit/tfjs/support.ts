import { mostListed } from './constant-text.ts';
import type { TfjsProgram } from './program.ts';

/** Returns the helper functions that the program's statements use. */
export function support({ constants, functions }: TfjsProgram): string {
  const steps = functions.flatMap((one) => one.steps);
  const calls = (fn: string) => steps.some((step) => step.kind === 'call' && step.call.fn === fn);
  return [
    functions.some((one) => one.feeds.length > 0) && given,
    steps.some((step) => step.kind === 'take') && take,
    steps.some((step) => step.kind === 'take' && step.multiplied) && takeMatrix,
    steps.some((step) => step.kind === 'replace') && replace,
    calls('products') && products,
    calls('rowNumbers') && rowNumbers,
    constants.some(({ tensor }) => tensor.data.length > mostListed) && decoded,
  ]
    .filter((text) => text !== false)
    .join('\n\n');
}

const given = `/** What a function was given, after a look at its shape and type. */
function given(name: string, tensor: tfjs.Tensor, shape: readonly number[], dtype: tfjs.DataType): tfjs.Tensor {
  if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join())
    throw new RangeError(\`\${name} is \${tensor.dtype}[\${tensor.shape}]: must be \${dtype}[\${shape}]\`);
  return tensor;
}`;

const take = `/** A tensor of the state. */
function take(state: State, name: string, shape: readonly number[]): tfjs.Tensor {
  const tensor = state.get(name);
  if (tensor === undefined) throw new RangeError(\`the state has no \${name}\`);
  if (tensor.shape.join() !== shape.join())
    throw new RangeError(\`\${name} is [\${tensor.shape}]: must be [\${shape}]\`);
  return tensor;
}`;

const takeMatrix = `/** In which shape the data of the state's matrices are multiplied. */
const multiplied = new WeakMap<object, string>();

/** A matrix of the state. wasm knows the second factor of a product by its data, whatever its shape. */
function takeMatrix(state: State, name: string, shape: readonly number[]): tfjs.Tensor {
  const tensor = take(state, name, shape);
  const before = multiplied.get(tensor.dataId);
  if (before !== undefined && before !== shape.join())
    throw new RangeError(\`\${name} [\${shape}] shares its data with a matrix [\${before}]: put a clone into the state\`);
  multiplied.set(tensor.dataId, shape.join());
  return tensor;
}`;

const replace = `/** The state's new tensor of a name; nothing reads the old one any more. */
function replace(state: State, name: string, next: tfjs.Tensor): void {
  state.get(name)?.dispose();
  state.set(name, next);
}`;

const decoded = `/** Bytes from base64. */
function decoded(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}`;

const products = `/** a[B, M, K] times b[B, K, N]. wasm multiplies one pair of matrices thirty times as fast as a batch of them. */
function products(tf: TensorFlow, a: tfjs.Tensor, b: tfjs.Tensor): tfjs.Tensor {
  if (tf.getBackend() !== 'wasm') return tf.matMul(a, b);
  return tf.tidy(() => {
    const [batch = 0, m = 0, k = 0] = a.shape;
    const n = b.shape[2] ?? 0;
    const matrix = (x: tfjs.Tensor, i: number, rows: number, columns: number): tfjs.Tensor =>
      tf.reshape(tf.slice(x, [i, 0, 0], [1, rows, columns]), [rows, columns]);
    const each = Array.from({ length: batch }, (_, i) => tf.matMul(matrix(a, i, m, k), matrix(b, i, k, n)));
    return tf.reshape(tf.concat(each, 0), [batch, m, n]);
  });
}`;

const rowNumbers = `/** Row numbers, after a look at them: some back ends read and write beyond a tensor that has no such row. */
function rowNumbers(index: tfjs.Tensor, rows: number, what: string): tfjs.Tensor {
  const elements = index.dataSync();
  const i = elements.findIndex((row) => row < 0 || row >= rows);
  if (i < 0) return index.clone();
  const at: number[] = [];
  index.shape.reduceRight((rest, size) => {
    at.unshift(rest % size);
    return Math.floor(rest / size);
  }, i);
  throw new RangeError(\`\${what} is \${elements[i]} at [\${at.join(', ')}]: must lie in 0..\${rows - 1}\`);
}`;
