import type { Failure } from './compare/checks.ts';
import { extentOf, type Trial, tryProgram } from './compare/trial.ts';
import { drawProgram } from './draw/program.ts';
import { printProgram } from './program/print.ts';
import { shrunk } from './program/shrink.ts';
import type { Program } from './program/tree.ts';
import type { PyTorch } from './pytorch/python.ts';

/** What a worker is asked for. */
export type Task =
  | { readonly kind: 'try'; readonly seeds: readonly number[] }
  | { readonly kind: 'program'; readonly program: Program; readonly seed: number }
  | { readonly kind: 'shrink'; readonly seed: number; readonly failure: string; readonly milliseconds: number };

/** What it tells. A seed is told before it is tried, so that one that hangs or kills the process is known. */
export type Message =
  | { readonly kind: 'begins'; readonly seed: number }
  | { readonly kind: 'tried'; readonly seed: number; readonly trial: Trial }
  | { readonly kind: 'shrunk'; readonly seed: number; readonly source: string; readonly failure: Failure | undefined }
  | { readonly kind: 'done' };

export async function work(task: Task, tell: (message: Message) => void, pytorch?: PyTorch): Promise<void> {
  if (task.kind === 'try')
    for (const seed of task.seeds) {
      tell({ kind: 'begins', seed });
      tell({ kind: 'tried', seed, trial: await tried(seed, pytorch) });
    }
  else if (task.kind === 'program') {
    const { program, seed } = task;
    tell({ kind: 'begins', seed });
    tell({ kind: 'tried', seed, trial: await tryProgram(program, seed, extentOf(seed), pytorch) });
  } else {
    const { seed, failure, milliseconds } = task;
    tell({ kind: 'begins', seed });
    const { source, failure: last } = await smallest(seed, failure, milliseconds, pytorch);
    tell({ kind: 'shrunk', seed, source, failure: last });
  }
  tell({ kind: 'done' });
}

export function tried(seed: number, pytorch?: PyTorch): Promise<Trial> {
  return tryProgram(drawProgram(seed), seed, extentOf(seed), pytorch);
}

/** The smallest program that fails as that of a seed does. */
export async function smallest(seed: number, kind: string, milliseconds: number, pytorch?: PyTorch) {
  const extent = extentOf(seed);
  const fails = async (one: Program) => (await tryProgram(one, seed, extent, pytorch)).failure?.kind === kind;
  const program = await shrunk(drawProgram(seed), fails, Date.now() + milliseconds);
  const { failure } = await tryProgram(program, seed, extent, pytorch);
  return { program, source: printProgram(program), failure };
}
