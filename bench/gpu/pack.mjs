// `npm run bench:gpu`: makes a pack with which another machine measures crobc and PyTorch on its GPU, without a network.
// docs/benchmarks.md describes it.

import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../scripts/program.mjs';
import { onnxRuntimeVersion, writeContents } from './contents.mjs';

const usage = `npm run bench:gpu -- [options]

Makes out/crobc-gpu-bench.tar.xz. There: python3 -m tarfile -e crobc-gpu-bench.tar.xz && python3 crobc-gpu-bench/run.py

  --out FILE     the archive to write
  --folder DIR   write the folder that would be in the archive, and no archive
  --with-node    put the Node.js that runs this into the pack, for a machine without one
  --wheel FILE   put CUDA's provider of this wheel of onnxruntime-gpu into the pack, for GPUs of one compute capability
  --capability N that compute capability (9.0, which is that of H100 and H200)
  --quick        only the micro model: for tests of the pack itself
`;

const noProvider = `note: the pack has no CUDA provider, so crobc needs one there, by run.py --wheel or of an installed onnxruntime-gpu;
"pip download --no-deps onnxruntime-gpu==${onnxRuntimeVersion()}" gets the wheel for --wheel
`;

/** What an upload may have. */
const most = 60 * 2 ** 20;
const name = 'crobc-gpu-bench';

async function main() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: join(root, 'out', `${name}.tar.xz`) },
      folder: { type: 'string' },
      'with-node': { type: 'boolean', default: false },
      wheel: { type: 'string' },
      capability: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return process.stdout.write(usage);
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('the pack is for Linux on x64, and has libraries of the machine that makes it');
  const provider = providerOf(values);
  const folder = values.folder ? resolve(values.folder) : join(root, 'out', 'gpu-pack', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await writeContents(folder, { node: values['with-node'], quick: values.quick, provider });
  if (!provider) process.stdout.write(noProvider);
  if (values.folder) return process.stdout.write(`written: ${folder}\n`);
  const out = resolve(values.out);
  mkdirSync(dirname(out), { recursive: true });
  await archive(folder, out);
  rmSync(dirname(folder), { recursive: true });
  const { size } = statSync(out);
  process.stdout.write(`written: ${out}, ${(size / 2 ** 20).toFixed(1)} MiB\n`);
  if (size > most) throw new Error(`the pack may have ${most / 2 ** 20} MiB`);
}

/** The wheel whose provider goes into the pack, and for which GPUs. */
function providerOf({ wheel, capability }) {
  if (wheel === undefined) {
    if (capability !== undefined) throw new Error('--capability is for the provider of --wheel');
    return undefined;
  }
  const given = capability ?? '9.0';
  if (!/^\d+\.\d$/.test(given)) throw new Error(`--capability ${given}: a number such as 9.0`);
  return { wheel: resolve(wheel), capability: given };
}

/** Owners and times are fixed, so that the same build gives the same archive. */
async function archive(folder, out) {
  const entries = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  const tar = started('tar', [...entries, '-C', dirname(folder), '-cf', '-', name], ['ignore', 'pipe', 'inherit']);
  const xz = started('xz', ['-6', '-T1', '-c'], [tar.child.stdout, 'pipe', 'inherit']);
  xz.child.stdout.pipe(createWriteStream(out));
  await Promise.all([tar.ended, xz.ended]);
}

function started(program, args, stdio) {
  const child = spawn(program, args, { stdio });
  const ended = new Promise((resolve_, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve_() : reject(new Error(`${program} ends with ${code}`))));
  });
  return { child, ended };
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench:gpu: ${error.message}\n`);
  process.exitCode = 1;
}
