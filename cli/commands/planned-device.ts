import { isError } from '../../compiler/diagnostics/diagnostic.ts';
import type { TrainingCompiled } from '../../runtime/build/source-model.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { type DeviceMemory, deviceMemory, type NoDeviceMemory } from '../../runtime/ort/device-memory.ts';
import { chooseDevice } from '../../runtime/ort/session.ts';
import { type MemoryOptions, memoryNeed, shownNeed, shownProposal } from '../../runtime/training/check-memory.ts';
import { type DeviceNeed, plannedMemory, type Resizing } from '../../runtime/training/device-need.ts';
import type { PlannedStep } from '../../runtime/training/planned-step.ts';
import type { GivenSettings } from '../recipe-options.ts';
import type { TrainOptions } from './train-options.ts';

/** Throws a UsageError if --device-memory would have no effect. */
export function refuseDeviceMemory({
  deviceMemory: bytes,
  dryRun,
  backend,
  device,
}: Pick<TrainOptions, 'deviceMemory' | 'dryRun' | 'backend' | 'device'>): void {
  if (bytes === undefined) return;
  if (!dryRun) throw new UsageError('--device-memory is for --dry-run: a training asks the GPU itself');
  if (backend !== 'onnx') throw new UsageError(`--device-memory is not for --backend ${backend}`);
  if (device === 'cpu' || device === 'webgpu') throw new UsageError(`--device-memory is not for --device ${device}`);
}

/** The settings that another micro-batch replaces. */
const ofBatch = new Set(['B', 'recipe.batch', 'recipe.accumulate']);

/** Compiles a model with other micro-batches, and all other settings as given. */
export function resizingOf(settings: GivenSettings, compiled: (set: readonly string[]) => TrainingCompiled): Resizing {
  const isOfBatch = (text: string) => ofBatch.has(text.slice(0, Math.max(0, text.indexOf('='))).replace(/\s/g, ''));
  const kept = settings.set.filter((text) => !isOfBatch(text));
  return {
    replaced: settings.set.filter(isOfBatch).map((text) => settings.typed(`--set ${text}`)),
    resized(batch, accumulate) {
      const { training, diagnostics } = compiled([...kept, `B=${batch}`, `recipe.accumulate=${accumulate}`]);
      return diagnostics.some(isError) ? undefined : training;
    },
  };
}

/** Returns what a training needs of a GPU; undefined if it would not run on one. `planned` is in bytes. */
export async function plannedNeed(
  run: MemoryOptions,
  { steps, half, planned }: Omit<PlannedStep, 'precision'> & { readonly planned: number | undefined },
): Promise<DeviceNeed | undefined> {
  if (run.backend !== 'onnx' || (await chooseDevice(run.device)).device !== 'cuda') return undefined;
  return (await memoryNeed(run, steps, half, memoryOf(planned)))?.device;
}

/** Reads the memory of the GPU, or gives that of the one to plan for. */
export function memoryOf(planned: number | undefined): () => DeviceMemory | NoDeviceMemory {
  return planned === undefined ? deviceMemory : () => plannedMemory(planned);
}

/** The lines on a GPU's memory in a dry run. */
export function shownDevice(need: DeviceNeed): readonly string[] {
  const verdict = { true: ': it fits', false: ': it does not fit', null: '' }[`${need.fits}`];
  const found = need.proposals.map((one) => `  fits      ${shownProposal(one)}`);
  const none =
    need.fits === false && found.length === 0 ? ['  fits      no micro-batch of as many samples in a step'] : [];
  return [`memory      ${shownNeed(need)}${verdict}`, ...found, ...none];
}
