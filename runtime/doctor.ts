import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { installPeer, packageRoot, packageVersion } from './files/package-root.ts';
import { readTextSync } from './files/read-file.ts';
import { onnxRuntimeLibrary } from './ort/library-path.ts';
import { carryOut, cudaPlanHere } from './ort/ready-cuda.ts';
import { type Device, devices, nativeMessage, providerAdvice } from './ort/session.ts';
import { CONVOLUTION_MODEL, CONVOLUTION_SHAPE, TINY_MODEL } from './ort/tiny-model.ts';
import { adviceFor, lacking, tryPythons, whyNot } from './training/torch/find-python.ts';

/** The result of one check. */
export interface Finding {
  readonly name: string;
  /** absent: optional and not installed; broken: installed but not working, or required and not installed. */
  readonly state: 'works' | 'absent' | 'broken';
  readonly detail: string;
  /** What to do about it; undefined if it works. */
  readonly advice: string | undefined;
}

export interface Examination {
  /** Whether everything that the CPU path needs works. */
  readonly works: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Checks what works on this machine. Runs each native library in a process of its own, so that a driver that crashes
 * ends only that process. `folder` is where the user's own packages are looked up.
 */
export async function examine(folder: string): Promise<Examination> {
  const tried = await Promise.all([
    ...devices.map(tryProvider),
    tryKoffi(),
    tryPackage('sharp', [packageRoot()], SHARP_TRY, 'needed to read images: reinstall it with "npm ci"', true),
    // Training looks these packages up from the working folder first, then from crobc's own folder.
    ...trainers.map(({ name, advice }) => tryPackage(name, [folder, packageRoot()], TENSORFLOW_TRY, advice, false)),
    tryPyTorch(),
  ]);
  const crobc: Finding = { name: 'crobc', state: 'works', detail: packageVersion(), advice: undefined };
  const findings = [machine(), node(), crobc, ...tried];
  const needed = ['Node.js', 'onnxruntime cpu', 'sharp'];
  return { works: findings.every(({ name, state }) => state === 'works' || !needed.includes(name)), findings };
}

function machine(): Finding {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return {
    name: 'machine',
    state: 'works',
    detail: `${process.platform} ${process.arch}, ${availableParallelism()} × ${model}, ${gib(totalmem())} memory, ${gib(freemem())} free`,
    advice: undefined,
  };
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const old = major < 20 || (major === 20 && minor < 19);
  return {
    name: 'Node.js',
    state: old ? 'broken' : 'works',
    detail: process.versions.node,
    advice: old ? 'install Node.js 20.19 or newer' : undefined,
  };
}

const trainers = [
  {
    name: '@tensorflow/tfjs-node-gpu',
    advice: 'optional: "npm install @tensorflow/tfjs-node-gpu" downloads libtensorflow 2.9 for CUDA 11.2 and cuDNN 8.1',
  },
  {
    name: '@tensorflow/tfjs-node',
    advice: 'optional: "npm install @tensorflow/tfjs-node" downloads libtensorflow for the CPU',
  },
  {
    name: '@tensorflow/tfjs-backend-wasm',
    advice: 'it comes with crobc: "npm ci" puts it back',
  },
] as const;

const PROVIDER_TRY = `
const [entry, model, convolution, device, koffi, ...libraries] = process.argv.slice(1);
for (const path of libraries) try { require(koffi).load(path); } catch {}
const ort = require(entry);
ort.env.logLevel = 'fatal';
async function run(bytes, shape, data) {
  const options = { executionProviders: [device], logSeverityLevel: 4 };
  const session = await ort.InferenceSession.create(Buffer.from(bytes, 'base64'), options);
  return (await session.run({ x: new ort.Tensor('float32', data, shape) })).y.data;
}
async function answer() {
  const [, sum] = await run(model, [2], [1, 2]);
  if (sum !== 4) return 'computes 2 + 2 = ' + sum;
  if (device === 'cuda') await run(convolution, ${JSON.stringify(CONVOLUTION_SHAPE)}, new Float32Array(${CONVOLUTION_SHAPE.reduce<number>((n, size) => n * size, 1)}));
  return 'works';
}
answer().then(say, (error) => say(error.message));
`;

const SHARP_TRY = `
const sharp = require(process.argv[1]);
sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } }).png().toBuffer()
  .then((png) => sharp(png).raw().toBuffer())
  .then((data) => say(data[0] === 255 ? 'works' : 'decodes wrongly'), (error) => say(error.message));
`;

const KOFFI_TRY = `
const [entry, library] = process.argv.slice(1);
const koffi = require(entry);
const base = koffi.load(library).func('OrtGetApiBase', 'void *', [])();
const version = koffi.decode(koffi.decode(base, 8, 'void *'), koffi.proto('const char *', []))();
say(/^1\\./.test(version) ? 'works' : 'finds version ' + version + ' of onnxruntime');
`;

// The two functions are removed in Node 23, and tfjs-node still calls them.
const TENSORFLOW_TRY = `
const util = require('node:util');
util.isNullOrUndefined ??= (v) => v == null;
util.isArray ??= Array.isArray;
const tf = require(process.argv[1]);
say(typeof tf === 'object' ? 'works' : 'is not a module');
`;

async function tryProvider(device: Device): Promise<Finding> {
  const name = `onnxruntime ${device}`;
  const found = installedPackage('onnxruntime-node', packageRoot());
  if (found === undefined) {
    return { name, state: 'broken', detail: 'onnxruntime-node is not installed', advice: providerAdvice.cpu() };
  }
  const answer = await inChild(PROVIDER_TRY, [found.entry, TINY_MODEL, CONVOLUTION_MODEL, device, ...preloads(device)]);
  if (answer === 'works') return { name, state: 'works', detail: found.version, advice: undefined };
  return { name, state: device === 'cpu' ? 'broken' : 'absent', detail: answer, advice: providerAdvice[device]() };
}

/** koffi's entry file and the libraries that it loads so that onnxruntime finds CUDA; empty where there is no GPU. */
function preloads(device: Device): readonly string[] {
  const koffi = installedPackage('koffi', packageRoot());
  if (device !== 'cuda' || koffi === undefined) return [];
  const plan = cudaPlanHere();
  // The links are created here, and loaded in the other process.
  if (plan) carryOut({ ...plan, load: [] }, () => undefined);
  return plan ? [koffi.entry, ...plan.load] : [];
}

/** Training goes through onnxruntime's C API where koffi is installed, which calls it. */
function tryKoffi(): Promise<Finding> {
  const advice =
    `optional: "${installPeer('koffi')}" lets training keep its weights on the GPU with CUDA, and takes less ` +
    'processor time for a step on the CPU';
  return tryPackage('koffi', [packageRoot()], KOFFI_TRY, advice, false, [onnxRuntimeLibrary()?.path ?? '']);
}

/** The Python that would train with PyTorch: the first that can, or else the last one that was tried. */
export async function tryPyTorch(): Promise<Finding> {
  const tries = await tryPythons(undefined);
  const last = tries.find(({ report }) => report && lacking(report).length === 0) ?? tries.at(-1);
  const report = last?.report;
  if (last && report && lacking(report).length === 0) {
    const devices = report.devices.length === 0 ? 'no CUDA device' : report.devices.join(', ');
    const detail = `${report.packages.torch} in ${last.command} (Python ${report.version}), ${devices}`;
    return { name: 'PyTorch', state: 'works', detail, advice: undefined };
  }
  const isBroken = tries.some((one) => one.from === 'CROBC_PYTHON' || Object.keys(one.report?.faults ?? {}).length > 0);
  return {
    name: 'PyTorch',
    state: isBroken ? 'broken' : 'absent',
    detail: tries.map(whyNot).join('; '),
    advice: `optional, for crobc train --backend torch: ${adviceFor(tries)}`,
  };
}

async function tryPackage(
  name: string,
  folders: readonly string[],
  script: string,
  advice: string,
  needed: boolean,
  more: readonly string[] = [],
): Promise<Finding> {
  const found = folders.map((folder) => installedPackage(name, folder)).find((one) => one !== undefined);
  if (found === undefined) return { name, state: needed ? 'broken' : 'absent', detail: 'not installed', advice };
  const answer = await inChild(script, [found.entry, ...more]);
  if (answer === 'works') return { name, state: 'works', detail: found.version, advice: undefined };
  return { name, state: 'broken', detail: `${found.version}: ${answer}`, advice };
}

/**
 * Returns the entry file and version of a package, resolved from `folder` as
 * Node does; undefined if it is not installed.
 */
function installedPackage(
  name: string,
  folder: string,
): { readonly entry: string; readonly version: string } | undefined {
  let entry: string;
  try {
    entry = createRequire(join(folder, 'any.js')).resolve(name);
  } catch {
    return undefined;
  }
  for (let at = dirname(entry); dirname(at) !== at; at = dirname(at)) {
    try {
      const json = JSON.parse(readTextSync(join(at, 'package.json'), 'record')) as { name?: string; version?: string };
      if (json.name === name && json.version !== undefined) return { entry, version: json.version };
    } catch {
      // No package.json in this folder: try its parent.
    }
  }
  return { entry, version: 'of an unknown version' };
}

const SAY = "const say = (text) => process.stdout.write('\\n>' + String(text).split('\\n')[0] + '\\n');\n";

/**
 * Runs a script in a new Node process. Returns the text that it passes to `say`, or how the process ended without one.
 */
function inChild(script: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', SAY + script, ...args], { timeout: 60_000 }, (error, stdout, stderr) => {
      const answer = /^>(.*)$/m.exec(stdout)?.[1];
      if (answer !== undefined) resolve(nativeMessage(answer));
      else if (error?.killed === true) resolve('no answer within a minute');
      else if (error?.signal != null) resolve(`the process ended with ${error.signal}`);
      else resolve(/^\w*Error.*$/m.exec(stderr)?.[0] ?? `the process ended with code ${error?.code ?? 0}`);
    });
  });
}
