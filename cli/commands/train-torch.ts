import type { Recipe } from '../../compiler/training/recipe.ts';
import type { CompiledTrainingFile } from '../../runtime/build/source-model.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { exitCodeOf } from '../../runtime/process/stop-signal.ts';
import type { FoundPython } from '../../runtime/training/torch/find-python.ts';
import { checkProcesses, type TorchOptions } from '../../runtime/training/torch/program-words.ts';
import type { TrainOptions as RunOptions, Trained } from '../../runtime/training/train.ts';
import { isPrintedRight } from '../compile-file.ts';
import type { Invocation } from '../io.ts';
import { modelOfTraining } from './build-torch.ts';
import type { TrainOptions } from './train-options.ts';

/** Options of `--backend torch`, by their names on the command line. */
const ofTorch = {
  '--python': 'python',
  '--processes': 'processes',
  '--fsdp': 'fsdp',
  '--crob-draws': 'crobDraws',
} as const;

/** Options that a PyTorch program cannot follow, with the reason. */
const notOfTorch = {
  '--recompute': ['recompute', 'its program keeps all activations'],
  '--bands': ['bands', 'its program reads RGB and grey images'],
  '--stretch': ['stretch', 'its program reads RGB and grey images'],
} as const;

/** Throws a UsageError for an option that has no effect with the chosen back end. */
export function refuseForBackend(options: TrainOptions): void {
  const { backend, device, processes = 1 } = options;
  if (backend !== 'torch') {
    for (const [flag, name] of Object.entries(ofTorch))
      if (options[name] !== undefined) throw new UsageError(`${flag} is for --backend torch`);
    return;
  }
  for (const [flag, [name, why]] of Object.entries(notOfTorch))
    if (options[name] !== undefined) throw new UsageError(`${flag} is not for --backend torch: ${why}`);
  if (device === 'webgpu') throw new UsageError('--device webgpu is not for --backend torch, which has cpu and cuda');
  if (options.fsdp && processes === 1)
    throw new UsageError('--fsdp shards the state over processes: give two or more with --processes');
}

/** Throws a UserError if the program does not have the precision of the recipe. */
export function torchOptions(options: TrainOptions, { precision }: Pick<Recipe, 'precision'>): TorchOptions {
  if (precision === 'tf32')
    throw new UserError(
      'a PyTorch program trains in f32, bf16 or f16, and the precision is tf32: --precision f32 leaves TF32 to the settings of PyTorch',
    );
  return {
    python: options.python,
    processes: options.processes ?? 1,
    precision,
    fsdp: options.fsdp ?? false,
    crobDraws: options.crobDraws ?? false,
  };
}

type DryOptions = Pick<RunOptions, 'training' | 'device' | 'note'> & { readonly torch: TorchOptions };

/** Notes which Python would train, for a dry run. Throws a UserError if none can. */
export async function notePython(options: DryOptions): Promise<void> {
  const { findPython } = await import('../../runtime/training/torch/find-python.ts');
  const found = await findPython(options.torch.python);
  checkProcesses(options, found);
  options.note(`${shownPython(found)} would train`);
}

function shownPython({ command, report }: FoundPython): string {
  const devices = report.devices.length === 0 ? 'the CPU' : report.devices.join(', ');
  return `${command} (Python ${report.version}, PyTorch ${report.packages.torch}, ${devices})`;
}

/** Trains by a PyTorch program; returns an exit code if there is no result. */
export async function runTorch(
  io: Invocation,
  options: RunOptions & { readonly torch: TorchOptions },
  source: CompiledTrainingFile,
  set: readonly string[],
): Promise<Trained | number> {
  const { trainTorch } = await import('../../runtime/training/torch/train-torch.ts');
  const inference = modelOfTraining(source, set);
  const { trained, diagnostics, stopped } = await trainTorch({ ...options, source, inference });
  if (stopped) return exitCodeOf(stopped);
  if (!isPrintedRight(io, { ...source, diagnostics })) return 1;
  if (!trained) throw new Error('bug in crobc: a training without errors gave no result');
  return trained;
}
