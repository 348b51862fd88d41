import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import util from 'node:util';
import { UserError } from '../files/user-error.ts';
import type { TensorFlow } from './program.ts';

export type TfjsDevice = 'tfjs-node-gpu' | 'tfjs-node' | 'wasm';

export interface LoadedTfjs {
  readonly tf: TensorFlow;
  readonly device: TfjsDevice;
  /** Names the back end that runs, and why better ones do not. */
  readonly note: string;
}

/** Environment variable: the folder whose `node_modules` contains tfjs-node; default: the working folder. */
export const tfjsFolder = 'CROBC_TFJS';
/** Environment variable: selects one of the installed back ends. */
export const tfjsDevice = 'CROBC_TFJS_DEVICE';

const native = ['tfjs-node-gpu', 'tfjs-node'] as const;
let loaded: Promise<LoadedTfjs> | undefined;

/**
 * Loads TensorFlow.js with the best available back end: tfjs-node-gpu, tfjs-node, or wasm, which comes with crobc.
 * Loads it once per process. Throws a UserError if the back end that `CROBC_TFJS_DEVICE` selects is not available.
 */
export function loadTfjs(): Promise<LoadedTfjs> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<LoadedTfjs> {
  const wanted = process.env[tfjsDevice];
  if (wanted !== undefined && wanted !== 'wasm' && !native.some((name) => name === wanted))
    throw new UserError(`${tfjsDevice} is ${wanted}: must be ${native.join(', ')} or wasm`);
  const missing: string[] = [];
  for (const device of native) {
    if (wanted !== undefined && wanted !== device) continue;
    const found = await tryNative(device);
    if ('tf' in found)
      return { tf: found.tf, device, note: `runs on ${[device, ...missing].join('; ')}${found.remark}` };
    missing.push(`${device} ${found.why}`);
    if (wanted === device) throw new UserError(`${tfjsDevice} asks for ${device}, which ${found.why}`);
  }
  return { tf: await wasm(), device: 'wasm', note: `runs on ${['WebAssembly', ...missing].join('; ')}` };
}

type Tried = { readonly tf: TensorFlow; readonly remark: string } | { readonly why: string };

async function tryNative(device: (typeof native)[number]): Promise<Tried> {
  const name = `@tensorflow/${device}`;
  const folder = process.env[tfjsFolder];
  const from = [folder ?? '.'].map((path) => createRequire(join(resolve(path), 'package.json')));
  if (folder === undefined) from.push(createRequire(import.meta.url));
  const require = from.find((one) => {
    try {
      one.resolve(name);
      return true;
    } catch {
      return false;
    }
  });
  if (require === undefined) return { why: 'is not installed' };
  // tfjs-node 4.22 calls two functions that Node 23 removed.
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    const tf = require(name) as TensorFlow;
    await tf.ready();
    const { isUsingGpuDevice } = tf.backend() as { readonly isUsingGpuDevice?: boolean };
    return {
      tf,
      remark: device === 'tfjs-node-gpu' && isUsingGpuDevice === false ? ', on the CPU: it finds no GPU' : '',
    };
  } catch (error) {
    const [line = ''] = String(error instanceof Error ? error.message : error).split('\n');
    return { why: `does not load (${line.slice(0, 200)})` };
  }
}

/** Loads the WebAssembly back end, which is always installed. It reads its .wasm files from its own package. */
async function wasm(): Promise<TensorFlow> {
  const require = createRequire(import.meta.url);
  const tf = require('@tensorflow/tfjs-core') as TensorFlow;
  require('@tensorflow/tfjs-backend-wasm');
  if (!(await tf.setBackend('wasm')))
    throw new UserError('the WebAssembly back end of TensorFlow.js does not start: "npm ci" puts its files back');
  return tf;
}
