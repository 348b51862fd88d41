import { mostListed } from './constant-text.ts';
import type { TfjsProgram } from './program.ts';

/** The functions that a program's statements use: those that it needs. */
export function support({ constants, functions }: TfjsProgram): string {
  const steps = functions.flatMap((one) => one.steps);
  return [
    functions.some((one) => one.feeds.length > 0) && given,
    steps.some((step) => step.kind === 'take') && take,
    steps.some((step) => step.kind === 'replace') && replace,
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

const replace = `/** The state's new tensor of a name; nothing reads the old one any more. */
function replace(state: State, name: string, next: tfjs.Tensor): void {
  state.get(name)?.dispose();
  state.set(name, next);
}`;

const decoded = `/** Bytes from base64. */
function decoded(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}`;
