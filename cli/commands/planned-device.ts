import { isError } from '../../compiler/diagnostics/diagnostic.ts';
import type { HalfStep } from '../../compiler/training/half-step.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { deviceMemory } from '../../runtime/ort/device-memory.ts';
import { chooseDevice } from '../../runtime/ort/session.ts';
import { type MemoryOptions, shownNeed, shownProposal } from '../../runtime/training/check-memory.ts';
import { batchSize } from '../../runtime/training/data.ts';
import { type DeviceNeed, deviceNeed, plannedMemory, type Resizing } from '../../runtime/training/device-need.ts';
import { compiledTraining } from '../compile-training.ts';
import type { GivenSettings } from '../recipe-options.ts';
import type { TrainOptions } from './train-options.ts';

/** Throws a UsageError if --device-memory would have no effect. */
export function refuseDeviceMemory({ deviceMemory: bytes, dryRun, backend, device }: TrainOptions): void {
  if (bytes === undefined) return;
  if (!dryRun) throw new UsageError('--device-memory is for --dry-run: a training asks the GPU itself');
  if (backend !== 'onnx') throw new UsageError(`--device-memory is not for --backend ${backend}`);
  if (device === 'cpu' || device === 'webgpu') throw new UsageError(`--device-memory is not for --device ${device}`);
}

/** The settings that another micro-batch replaces. */
const ofBatch = new Set(['B', 'recipe.batch', 'recipe.accumulate']);

/** Compiles a file with other micro-batches, and all other settings as given. */
export function resizingOf(file: string, { model, recipe }: TrainOptions, settings: GivenSettings): Resizing {
  const isOfBatch = (text: string) => ofBatch.has(text.slice(0, Math.max(0, text.indexOf('='))).replace(/\s/g, ''));
  const kept = settings.set.filter((text) => !isOfBatch(text));
  return {
    replaced: settings.set.filter(isOfBatch).map((text) => settings.typed(`--set ${text}`)),
    resized(batch, accumulate) {
      const set = [...kept, `B=${batch}`, `recipe.accumulate=${accumulate}`];
      const { training, diagnostics } = compiledTraining(file, { model, recipe, set });
      return diagnostics.some(isError) ? undefined : training;
    },
  };
}

/** Returns what a training needs of a GPU; undefined if it would not run on one. `planned` is in bytes. */
export async function plannedNeed(
  run: MemoryOptions,
  {
    steps,
    half,
    planned,
  }: {
    readonly steps: readonly StepGraph[];
    readonly half: HalfStep | undefined;
    readonly planned: number | undefined;
  },
): Promise<DeviceNeed | undefined> {
  if (run.backend !== 'onnx' || (await chooseDevice(run.device)).device !== 'cuda') return undefined;
  const { training, recompute, resizing, place } = run;
  const batch = batchSize(training, place);
  const memory = planned === undefined ? deviceMemory() : plannedMemory(planned);
  return deviceNeed(training, steps, memory, { batch, recompute, half, resizing });
}

/** The lines on a GPU's memory in a dry run. */
export function shownDevice(need: DeviceNeed): readonly string[] {
  const verdict = { true: ': it fits', false: ': it does not fit', null: '' }[`${need.fits}`];
  const found = need.proposals.map((one) => `  fits      ${shownProposal(one)}`);
  const none =
    need.fits === false && found.length === 0 ? ['  fits      no micro-batch of as many samples in a step'] : [];
  return [`memory      ${shownNeed(need)}${verdict}`, ...found, ...none];
}
