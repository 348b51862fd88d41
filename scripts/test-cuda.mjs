// Runs what can be tested of CUDA without a GPU: npm run build && npm run test:cuda -- --wheel FILE [arguments of vitest].
//
// onnxruntime's own CUDA provider, from the wheel of onnxruntime-gpu that FILE names (later runs find it unpacked), runs on
// a stand-in for NVIDIA's libraries, which is compiled here (test/cuda/stand-in.c; needs gcc or another C compiler in CC).
// Kernels are counted and hardly one of them computes anything, so this shows where nodes are placed, how many kernels a run
// launches, what is copied, how much memory is taken and how graphs are captured; not results, nor times.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { program } from './program.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'out', 'cuda');
const libraries = join(folder, 'libraries');
const source = join(root, 'test', 'cuda');

/** The names by which the provider and cuDNN's front end ask for libraries. */
const names = [
  ...['libcudart.so.13', 'libcublas.so.13', 'libcublasLt.so.13', 'libcurand.so.10', 'libcuda.so.1'],
  ...['libcudnn.so.9', 'libcudnn.so', 'libcufft.so.12', 'libnvrtc.so.13'],
];

function compile() {
  rmSync(libraries, { recursive: true, force: true });
  mkdirSync(libraries, { recursive: true });
  const library = join(libraries, 'libstandin.so');
  const linker = [`-Wl,--version-script=${join(source, 'stand-in.map')}`, '-Wl,-soname,libstandin.so'];
  const flags = ['-shared', '-fPIC', '-O1', '-std=gnu11', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror'];
  execFileSync(process.env.CC ?? 'gcc', [...flags, join(source, 'stand-in.c'), '-o', library, '-lpthread', ...linker], {
    stdio: 'inherit',
  });
  for (const name of names) symlinkSync('libstandin.so', join(libraries, name));
}

/** The environment in which crobc finds the provider, the stand-in and nothing of this user's. */
const environment = {
  ...process.env,
  LD_LIBRARY_PATH: libraries,
  XDG_DATA_HOME: join(folder, 'data'),
  XDG_CACHE_HOME: join(folder, 'cache'),
  VIRTUAL_ENV: '',
  CONDA_PREFIX: '',
};

function run(argv) {
  const at = argv.indexOf('--wheel');
  const wheel = at < 0 ? undefined : argv[at + 1];
  const rest = at < 0 ? argv : argv.toSpliced(at, 2);
  const unpacked = existsSync(join(environment.XDG_DATA_HOME, 'crobc'));
  if (wheel === undefined && !unpacked) {
    console.error('--wheel FILE is missing: "pip download --no-deps onnxruntime-gpu==1.30.0" gets the file');
    return 2;
  }
  compile();
  const setup = ['setup', 'cuda', '--wheel', wheel];
  if (wheel !== undefined) execFileSync(process.execPath, [program, ...setup], { env: environment, stdio: 'inherit' });
  const { status } = spawnSync('npx', ['vitest', 'run', '--config', 'vitest.cuda.config.ts', ...rest], {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  });
  return status ?? 1;
}

process.exitCode = run(process.argv.slice(2));
