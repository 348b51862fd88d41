import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { copiedSources } from '../../copied-sources.ts';
import { type PlantedFault, plantedFaults, sourceOf } from './faults.ts';

/** `npm run fuzz:planted`: how long the harness takes to find each fault that is put into a copy of the sources. */
const command = new Command('npm run fuzz:planted --')
  .description(
    'Plants one fault after the other in a copy of the sources, and runs the harness until it finds something.',
  )
  .option('--minutes <n>', 'how long a fault may stay unfound', Number, 10)
  .option('--seed <n>', 'the run of the harness', Number, 1)
  .option('--jobs <n>', 'processes of the harness', Number, 2)
  .option('--only <text>', 'faults whose name has this text', '')
  .parse(process.argv);
const { minutes, seed, jobs, only } = command.opts<{ minutes: number; seed: number; jobs: number; only: string }>();

const root = process.cwd();

let unfound = 0;
for (const fault of plantedFaults.filter(({ name }) => name.includes(only))) {
  const folder = mkdtempSync(join(tmpdir(), 'crobc-planted-'));
  try {
    const { seconds, kind, program } = await timed(fault, folder);
    if (kind === undefined) unfound++;
    const found =
      kind === undefined ? `not found in ${minutes} minutes` : `${seconds.toFixed(0)} s: ${kind}, --program ${program}`;
    console.log(`${fault.name} (${fault.file}): ${found}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
process.exitCode = unfound > 0 ? 1 : 0;

interface Found {
  /** From the start of the harness, without its bundling. */
  readonly seconds: number;
  readonly kind: string | undefined;
  readonly program: number | undefined;
}

async function timed(fault: PlantedFault, folder: string): Promise<Found> {
  for (const name of copiedSources) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  // The thread that calls onnxruntime's C API is started from the build; it contains none of the faults.
  symlinkSync(join(root, 'dist'), join(folder, 'dist'));
  writeFileSync(
    join(folder, fault.file),
    sourceOf(fault, root).replace(fault.right, () => fault.wrong),
  );
  const options = [
    '--seed',
    String(seed),
    '--minutes',
    String(minutes),
    '--jobs',
    String(jobs),
    '--stop',
    '--json',
    '--pytorch',
    'off',
  ];
  const text = await output(['scripts/run-typescript.mjs', 'test/fuzz/harness.ts', ...options], folder);
  const { seconds, findings } = JSON.parse(text) as {
    seconds: number;
    findings: readonly { readonly kind: string; readonly seed: number }[];
  };
  return { seconds, kind: findings[0]?.kind, program: findings[0]?.seed };
}

function output(args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.on('error', reject);
    child.on('close', () => resolve(Buffer.concat(parts).toString()));
  });
}
