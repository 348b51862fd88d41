import type { Command } from 'commander';
import type { Setting } from './setting.ts';

export function addDoctor(program: Command, { io, exit }: Setting): void {
  program
    .command('doctor')
    .description('tell what runs on this machine, and what to do about what does not')
    .option('--json', 'print as JSON')
    .action(async (options) => exit((await import('../commands/doctor.ts')).doctor(io, options)));
}

export function addSetup(program: Command, { io, exit }: Setting): void {
  program
    .command('setup')
    .description('make devices usable on this machine')
    .command('cuda')
    .description(
      "unpack onnxruntime's CUDA provider from a wheel, for all folders of this user, and tell what it lacks",
    )
    .requiredOption('--wheel <file>', `onnxruntime_gpu-….whl, by "pip download --no-deps onnxruntime-gpu==VERSION"`)
    .option('--json', 'print as JSON')
    .action(async (options) => exit((await import('../commands/setup-cuda.ts')).setUpCuda(io, options)));
}
