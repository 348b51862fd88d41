import type { ComparisonSize, ProtocolName } from '../../runtime/evaluation/protocols.ts';
import type { NamedModel } from '../../runtime/experiment/planned-model.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import type { Device } from '../../runtime/ort/session.ts';
import { stepsFault } from '../../runtime/training/plan.ts';
import { asSettings } from '../recipe-options.ts';
import type { SampleOptions } from '../sample-options.ts';

/** Options of `crobc compare`. */
export interface CompareOptions extends SampleOptions {
  readonly data: string;
  readonly split: string;
  readonly recipe?: string;
  readonly set?: readonly string[];
  readonly steps?: number;
  readonly minutes?: number;
  readonly seeds: readonly number[];
  readonly baseline?: string;
  readonly protocol: ProtocolName;
  readonly at?: ComparisonSize;
  readonly limit?: number;
  readonly backend: 'onnx' | 'tfjs';
  readonly device: Device | 'auto';
  readonly threads?: number;
  readonly recompute?: readonly string[];
  /** Bytes. */
  readonly deviceMemory?: number;
  readonly redo?: boolean;
  readonly dryRun?: boolean;
  readonly out: string;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly csv?: boolean;
  readonly latex?: boolean;
}

/** Throws a UsageError if options exclude each other or have no effect. */
export function checkOptions({ steps, minutes, set = [], dryRun, json, markdown, csv, latex }: CompareOptions): void {
  const forms = Object.entries({ '--json': json, '--markdown': markdown, '--csv': csv, '--latex': latex });
  const wanted = forms.flatMap(([flag, isGiven]) => (isGiven ? [flag] : []));
  if (wanted.length > 1) throw new UsageError(`${wanted.join(' and ')} are forms of one result: give one`);
  if (dryRun && wanted.length > 0 && !json) throw new UsageError(`${wanted[0]} is for results, and --dry-run has none`);
  if (steps !== undefined && minutes !== undefined)
    throw new UsageError('--steps and --minutes both give the length of a training: give one');
  const fault = steps === undefined ? undefined : stepsFault(steps);
  if (fault !== undefined) throw new UsageError(`--steps: ${fault}`);
  // Refuses two lengths.
  asSettings(steps === undefined ? {} : { steps }, set);
  for (const text of set) {
    const name = text.slice(0, Math.max(0, text.indexOf('='))).replace(/\s/g, '');
    if (name === 'recipe.seed') throw new UsageError(`--set ${text}: --seeds gives the seeds`);
    if (minutes !== undefined && (name === 'recipe.steps' || name === 'recipe.epochs'))
      throw new UsageError(`--minutes and --set ${text} both give the length of a training: give one`);
  }
}

/** Returns the index of the baseline, which is given by its label, or as `FILE:NAME`. */
export function baselineOf(models: readonly NamedModel[], given: string | undefined): number {
  if (given === undefined) return 0;
  const found = models.findIndex(({ label, file, model }) => label === given || `${file}:${model}` === given);
  if (found < 0)
    throw new UsageError(
      `--baseline ${given}: none of the models is; there are ${models.map(({ label }) => label).join(', ')}`,
    );
  return found;
}
