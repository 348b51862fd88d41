import { execFile, execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';

const at = temporaryFolder();

/** Where `npm run test:cuda` has put the stand-in. */
const standIn = (process.env.LD_LIBRARY_PATH ?? '').split(':')[0]!;

const program = join(import.meta.dirname, '../../dist/bin/crobc.cjs');
const packages = 'lib/python3.12/site-packages/nvidia';
const cuda13 = ['libcublas.so.13', 'libcublasLt.so.13', 'libcurand.so.10', 'libcudart.so.13'];
const cudnn = `${packages}/cudnn/lib/libcudnn.so.9`;

/** Writes a library of this name that has the functions of the stand-in, which is loaded once for all names. */
async function library(path: string): Promise<void> {
  await mkdir(dirname(at(path)), { recursive: true });
  const name = path.split('/').at(-1)!;
  const linker = [
    `-Wl,-soname,${name}`,
    '-Wl,--no-as-needed',
    `-L${standIn}`,
    '-l:libstandin.so',
    `-Wl,-rpath,${standIn}`,
  ];
  execFileSync(process.env.CC ?? 'gcc', ['-shared', '-o', at(path), at('empty.c'), ...linker]);
}

beforeAll(async () => {
  await writeFile(at('empty.c'), '');
  await library('driver/libcuda.so.1');
  for (const folder of ['whole', 'without-cudnn'])
    for (const name of cuda13) await library(`${folder}/${packages}/cu13/lib/${name}`);
  await library(`whole/${cudnn}`);
  const model = [
    'model Edges {',
    '  kernel = Conv2d(3, 1, 3, padding = 1)',
    '  input image: f32[B, 3, H, W]',
    '  output logits: f32[B, 1, H, W] = kernel(image)',
    '}',
    '',
  ];
  await writeFile(at('edges.crob'), model.join('\n'));
});

interface Found {
  readonly state: string;
  readonly detail: string;
  readonly advice?: string;
}

/** Runs crobc on a machine that has NVIDIA's driver, and its libraries in a Python environment. */
function crobc(
  environment: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: unknown; readonly out: string; readonly err: string }> {
  const env = { ...process.env, LD_LIBRARY_PATH: at('driver'), VIRTUAL_ENV: at(environment), ...more };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env, cwd: at('.') }, (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    );
  });
}

async function doctor(environment: string, more: Readonly<Record<string, string>> = {}): Promise<Found | undefined> {
  const { out } = await crobc(environment, ['doctor', '--json'], more);
  const { findings } = JSON.parse(out) as { readonly findings: readonly (Found & { readonly name: string })[] };
  return findings.find(({ name }) => name === 'onnxruntime cuda');
}

const predict = [
  'predict',
  'edges.crob',
  '--set',
  'H=8,W=8',
  '--image',
  join(import.meta.dirname, '../../docs/images/overlay.png'),
];

test('libraries of CUDA and cuDNN are found among the packages of Python', async () => {
  expect(await doctor('whole')).toMatchObject({ state: 'works' });
});

test('the driver is missing, and so may be libraries', async () => {
  const driver = 'this machine has no NVIDIA driver, which "nvidia-smi" shows once it is there';
  const without = { LD_LIBRARY_PATH: '' };
  expect(await doctor('whole', without)).toMatchObject({ state: 'absent', advice: driver });
  expect(await doctor('without-cudnn', without)).toMatchObject({
    state: 'absent',
    advice: `${driver}; the provider is for CUDA 13 and lacks libcudnn.so.9: "pip install nvidia-cudnn-cu13" installs it`,
  });
});

test('onnxruntime-gpu is there in another version', async () => {
  const folder = at('whole/lib/python3.12/site-packages');
  await mkdir(join(folder, 'onnxruntime_gpu-1.29.0.dist-info'));
  expect(await doctor('whole', { XDG_DATA_HOME: at('nothing') })).toMatchObject({
    state: 'absent',
    advice: expect.stringContaining(`the provider of onnxruntime-gpu 1.29.0 in ${folder} is of another version: "pip`),
  });
});

test('cuDNN is missing, which the provider opens only for a convolution', async () => {
  expect(await doctor('without-cudnn')).toMatchObject({
    state: 'absent',
    detail: expect.stringContaining('cuDNN is unavailable'),
    advice: 'the provider is for CUDA 13 and lacks libcudnn.so.9: "pip install nvidia-cudnn-cu13" installs it',
  });
});

test('where cuDNN is missing, the device is the CPU, or an error says what installs it', async () => {
  const whole = await crobc('whole', [...predict, '--json']);
  expect(JSON.parse(whole.out)).toMatchObject({ device: 'cuda', note: 'runs on CUDA' });
  const chosen = await crobc('without-cudnn', [...predict, '--json']);
  expect(JSON.parse(chosen.out)).toMatchObject({
    device: 'cpu',
    note: expect.stringMatching(/^runs on the CPU, though there is an NVIDIA GPU: .*cuDNN is unavailable/),
  });
  expect(await crobc('without-cudnn', [...predict, '--device', 'cuda'])).toMatchObject({
    code: 1,
    err: expect.stringContaining(
      'crobc: CUDA has no cuDNN: the provider is for CUDA 13 and lacks libcudnn.so.9: "pip install nvidia-cudnn-cu13" installs it',
    ),
  });
});
