import { UsageError } from '../../runtime/files/usage-error.ts';
import { formFor, makeDataSet } from '../../runtime/synth/make-data-set.ts';
import type { Io } from '../io.ts';
import { printJson, printLine } from '../print.ts';

export interface SynthOptions {
  readonly out: string;
  readonly scenes: number;
  readonly size: number;
  readonly seed: number;
  readonly phrases: number;
  readonly val: string;
  readonly test: string;
  readonly objects?: string;
  readonly difficulty?: 'easy' | 'standard';
  readonly json?: boolean;
}

export async function dataSynth(io: Io, options: SynthOptions): Promise<number> {
  const { scenes, seed, phrases } = options;
  const form = formFor(options.size, options.difficulty, options.objects);
  const val = share('--val', options.val, scenes);
  const test = share('--test', options.test, scenes);
  if (val + test > scenes) throw new UsageError(`--val and --test take ${val + test} scenes of ${scenes}`);
  const made = await makeDataSet(options.out, {
    seed,
    form,
    phrases,
    scenes: { train: scenes - val - test, val, test },
  });
  if (options.json) {
    printJson(io, made);
    return 0;
  }
  const counts = Object.entries(made.phrases).map(([split, count]) => `${count.toLocaleString('en')} ${split}`);
  printLine(io, `${options.out}: ${scenes.toLocaleString('en')} scenes of ${form.size} × ${form.size}`);
  printLine(io, `  phrases  ${counts.join(', ')}`);
  return 0;
}

/** A number below 1 is a share of the scenes (`0.1`); a number from 1 is a count. */
function share(option: string, text: string, scenes: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0) || (value >= 1 && !Number.isSafeInteger(value))) {
    throw new UsageError(`${option} ${text}: give a share such as 0.1, or a number of scenes`);
  }
  return value < 1 ? Math.round(value * scenes) : value;
}
