import { join } from 'node:path';
import { UserError } from '../../files/user-error.ts';
import type { TrainOptions } from '../train.ts';
import type { FoundPython } from './find-python.ts';

/** Options of training by a PyTorch program. */
export interface TorchOptions {
  /** A program; undefined for CROBC_PYTHON, or else one on the PATH. */
  readonly python: string | undefined;
  readonly processes: number;
  /** That of the recipe; undefined for f32. */
  readonly precision: 'f32' | 'bf16' | 'f16' | undefined;
  readonly fsdp: boolean;
  /** Whether random draws are crob's; otherwise they are PyTorch's. */
  readonly crobDraws: boolean;
}

export interface Words {
  /** A file, or undefined for what the program finds itself. */
  readonly tokenizer: string | undefined;
}

/** The folder of the package in that of its run. */
export function programFolder(out: string): string {
  return join(out, 'program');
}

/** Throws a UserError if the processes cannot train together here. */
export function checkProcesses(
  { training, device, torch }: Pick<TrainOptions, 'training' | 'device'> & { readonly torch: TorchOptions },
  { command, report }: FoundPython,
): void {
  const { processes } = torch;
  const batch = training.recipe.dims.get('B') ?? 1;
  if (device === 'cuda' && report.devices.length === 0)
    throw new UserError(`PyTorch of ${command} finds no CUDA device: leave out --device cuda, or see crobc doctor`);
  if (processes === 1) return;
  if (!report.distributed) throw new UserError(`PyTorch of ${command} was built without torch.distributed`);
  if (batch % processes !== 0)
    throw new UserError(
      `a batch of ${batch} does not divide among ${processes} processes: take a multiple, as by --set B=${Math.ceil(batch / processes) * processes}`,
    );
  if (device !== 'cpu' && report.devices.length > 0 && processes > report.devices.length)
    throw new UserError(
      `--processes ${processes}: there ${report.devices.length === 1 ? 'is one CUDA device' : `are ${report.devices.length} CUDA devices`}, and each process takes one; --device cpu trains without them`,
    );
}

/** Returns the command line of the program, after the Python. */
export function programWords(
  options: TrainOptions & { readonly torch: TorchOptions },
  { tokenizer }: Words,
): readonly string[] {
  const { out, torch } = options;
  const given: readonly (readonly [string, string | number | undefined])[] = [
    ['--data', options.data],
    ['--out', out],
    ['--device', options.device === 'auto' ? undefined : options.device],
    ['--precision', torch.precision],
    ['--threads', options.threads],
    ['--workers', options.decodeThreads],
    ['--tokenizer', tokenizer],
    ['--truncation', options.truncation],
    ['--on-bad', options.onBad],
    ['--on-size-mismatch', options.onSizeMismatch],
  ];
  const flags: readonly (readonly [string, boolean])[] = [
    ['--lines', true],
    ['--resume', options.resume],
    ['--fsdp', torch.fsdp],
    ['--crob-draws', torch.crobDraws],
    ['--no-phrases', options.blank],
  ];
  return [
    // `--standalone` meets at a free port of this machine.
    ...(torch.processes > 1
      ? ['-m', 'torch.distributed.run', '--standalone', `--nproc-per-node=${torch.processes}`]
      : []),
    join(programFolder(out), 'train.py'),
    ...given.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
    ...flags.flatMap(([name, isGiven]) => (isGiven ? [name] : [])),
  ];
}
