import type { Origin } from '../../compiler/ir/graph.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import type { HalfStep } from '../../compiler/training/half-step.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { byteSize } from '../files/byte-size.ts';
import { UserError } from '../files/user-error.ts';
import { type DeviceMemory, deviceMemory, type NoDeviceMemory } from '../ort/device-memory.ts';
import { chooseDevice, type Device } from '../ort/session.ts';
import type { StepParts } from './backend.ts';
import { batchSize } from './data.ts';
import { type DeviceNeed, deviceNeed, type Proposal, type Resizing } from './device-need.ts';
import { checkStepMemory, graphsOf } from './step-memory.ts';

/** An estimate can be too high by this share (see docs/training.md), so what is over by less is tried. */
const DOUBT = 0.1;

/** Options of a training that its memory depends on. */
export interface MemoryOptions {
  readonly training: Training;
  readonly backend: 'onnx' | 'tfjs';
  readonly device: Device | 'auto';
  readonly recompute: readonly string[];
  readonly resizing?: Resizing | undefined;
  readonly place: (origin: Origin) => string;
  note(line: string): void;
}

/**
 * Checks that a training has the memory that it needs, before any is allocated, and notes what a GPU has. Throws a
 * UserError with what would fit.
 */
export async function checkMemory(
  options: MemoryOptions,
  steps: StepParts<StepGraph>,
  half: HalfStep | undefined,
  memoryOf: () => DeviceMemory | NoDeviceMemory = deviceMemory,
): Promise<void> {
  const { training, backend, place, recompute, resizing, note } = options;
  const device = backend === 'tfjs' ? 'cpu' : (await chooseDevice(options.device)).device;
  if (device === 'cpu') return checkStepMemory(training, steps, backend, place);
  // WebGPU does not say how much memory there is.
  if (device === 'webgpu') return;
  const batch = batchSize(training, place);
  const need = await deviceNeed(training, graphsOf(steps), memoryOf(), {
    batch,
    recompute,
    half,
    resizing,
  });
  const text = `training ${training.recipe.model} with batches of ${batch} takes ${shownNeed(need)}`;
  if (need.fits !== false) {
    note(text);
    return;
  }
  const advice = shownAdvice(need.proposals);
  if ((1 - DOUBT) * need.needed > need.available!) throw new UserError(`${text}: ${advice}`);
  note(`${text}, so it may not fit: ${advice}`);
}

/** What a training needs and what there is, to follow "takes". */
export function shownNeed({ needed, total, available, unknown }: DeviceNeed): string {
  const about = `about ${byteSize(needed)} on the GPU`;
  return total === null || available === null
    ? `${about}, whose memory is not known: ${unknown}`
    : `${about}, which has ${byteSize(available)} free of ${byteSize(total)}`;
}

function shownAdvice(proposals: readonly Proposal[]): string {
  return proposals.length === 0
    ? 'a smaller H and W, --recompute, or another model may fit'
    : `as many samples in a step fit with ${proposals.map(shownProposal).join(', or with ')}`;
}

/** The options of a proposal and what it needs: `--set B=8,recipe.accumulate=4 (69.5 GiB)`. */
export function shownProposal({ options, replaces, needed }: Proposal): string {
  const instead = replaces.length === 0 ? '' : ` instead of ${replaces.join(' and ')}`;
  return `${options}${instead} (${byteSize(needed)})`;
}
