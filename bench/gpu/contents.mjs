import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { build } from 'rolldown';
import { program, root } from '../../scripts/program.mjs';
import { casesFile, packageOf, packages } from './cases.mjs';
import { slimProvider } from './slim-provider.mjs';

/**
 * Writes the folder of a pack: run.py and gpu_bench/ (the script), cases.json, crobc/ (crobc as it is built, with what it
 * needs of onnxruntime-node and koffi), programs/ (the models as PyTorch packages), reference/ (the models of bench/reference.py)
 * and, if asked for, node/ and provider/ (CUDA's provider of a wheel, with the kernels for one compute capability).
 */
export async function writeContents(folder, { node, quick, provider }) {
  if (!existsSync(program)) throw new Error('there is no dist/: "npm run build" first');
  copy('bench/gpu/script', folder);
  await writeCrobc(join(folder, 'crobc'));
  const forms = execFileSync(process.execPath, [join(folder, 'crobc', 'dist', 'worker.mjs'), '--forms']);
  const cases = { ...casesFile(quick), forms: JSON.parse(forms) };
  writeFileSync(join(folder, 'cases.json'), `${JSON.stringify(cases, null, 2)}\n`);
  for (const [name, one] of packages(quick)) writePackage(one, join(folder, 'programs', packageOf(name)));
  for (const file of ['bench/reference.py', ...['twin', 'crobim', 'published'].map((one) => `test/goldens/${one}.py`)])
    copy(file, join(folder, 'reference', file));
  if (node) {
    mkdirSync(join(folder, 'node'));
    copyFileSync(realpathSync(process.execPath), join(folder, 'node', 'node'));
  }
  if (provider) writeProvider(provider, join(folder, 'provider'));
}

/** Not of use there: what Python and crobc compiled here, trained weights, and koffi's own source. */
const leftOut = /__pycache__|dist\/bin\/compiled|models\/trained|koffi\/src\/.*\.(cc|hh|S|inc|def|asm|txt)$/;

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(join(root, from), to, { recursive: true, filter: (path) => !leftOut.test(path) });
}

async function writeCrobc(folder) {
  for (const part of ['dist/bin', 'dist/library', 'stdlib', 'models', 'bench/models', 'LICENSE', 'package.json'])
    copy(part, join(folder, part));
  await bundle('bench/gpu/worker/worker.ts', join(folder, 'dist', 'worker.mjs'));
  for (const file of [...onnxRuntimeFiles(), ...koffiFiles()])
    copy(join('node_modules', file), join(folder, 'node_modules', file));
}

/** Packages that are no part of the pack: their code is in the bundle, as in that of crobc. */
const bundled = /^(chevrotain|onnx-proto|protobufjs|long)(\/|$)/;

async function bundle(entry, file) {
  await build({
    input: join(root, entry),
    platform: 'node',
    external: (id) => /^[^./\0]/.test(id) && !bundled.test(id),
    resolve: { alias: { chevrotain: join(root, 'node_modules/chevrotain/lib/chevrotain.mjs') } },
    output: { file, format: 'esm', codeSplitting: false },
    logLevel: 'warn',
  });
}

function onnxRuntimeFiles() {
  return [
    ...['package.json', 'dist', 'bin/napi-v6/linux/x64'].map((file) => join('onnxruntime-node', file)),
    ...['package.json', 'dist'].map((file) => join('onnxruntime-common', file)),
  ];
}

function koffiFiles() {
  return [
    ...['package.json', 'index.js', 'index.cjs', 'src', 'LICENSE.txt'].map((file) => join('koffi', file)),
    ...['package.json', 'index.js', 'linux_x64'].map((file) => join('@koromix/koffi-linux-x64', file)),
  ];
}

export function onnxRuntimeVersion() {
  return JSON.parse(readFileSync(join(root, 'node_modules/onnxruntime-node/package.json'), 'utf8')).version;
}

/** Unpacks the wheel as a user would, and leaves out the kernels that are not of use. */
function writeProvider({ wheel, capability }, folder) {
  const home = `${folder}.home`;
  const setup = [program, 'setup', 'cuda', '--wheel', wheel];
  try {
    execFileSync(process.execPath, setup, {
      env: { ...process.env, XDG_DATA_HOME: home },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    cpSync(join(home, 'crobc', `onnxruntime-${onnxRuntimeVersion()}`), folder, { recursive: true });
  } catch (error) {
    throw new Error(String(error.stderr ?? error.message).trim());
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  const file = join(folder, 'libonnxruntime_providers_cuda.so');
  const bytes = readFileSync(file);
  const { kept, of, containers } = slimProvider(bytes, Math.round(10 * Number(capability)));
  writeFileSync(file, bytes);
  writeFileSync(join(folder, 'provider.json'), `${JSON.stringify({ capability })}\n`);
  const [part, whole] = [kept, of].map((size) => (size / 2 ** 20).toFixed(1));
  process.stdout.write(`provider: ${part} of ${whole} MiB of kernels, ${containers} programs for ${capability}\n`);
}

/** Writes a model as a package for PyTorch, without weights. */
function writePackage({ file, model, recipe, sizes }, folder) {
  const training = recipe === undefined ? [] : ['--recipe', recipe, '--set', settings(sizes)];
  const args = ['build', file, '--model', model, '--target', 'torch', '--no-weights', ...training, '-o', folder];
  try {
    execFileSync(process.execPath, [program, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new Error(`the package ${basename(folder)}: ${error.stderr ?? error.message}`);
  }
}

function settings(sizes) {
  return Object.entries(sizes)
    .map(([name, size]) => `${name}=${size}`)
    .join(',');
}
