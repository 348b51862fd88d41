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
import { graphsOf, processStepMemory } from './step-memory.ts';

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
}

/** What a training needs of the memory of its device. */
export interface MemoryNeed {
  /** Bytes of the GPU, or of the process: an estimate. */
  readonly needed: number;
  /** Null if the memory of the GPU is not known. */
  readonly fits: boolean | null;
  /** What to say before it starts, one line; undefined if there is nothing to say. */
  readonly note: string | undefined;
  /** Why it cannot be trained here, one line with what would fit; undefined if it can be tried. */
  readonly refused: string | undefined;
  /** Undefined for a training without a GPU. */
  readonly device: DeviceNeed | undefined;
}

/**
 * Returns what a training needs of memory, before any is allocated; undefined for WebGPU, which does not say how much
 * there is. Where a GPU has too little, it takes a while to find what fits.
 */
export async function memoryNeed(
  options: MemoryOptions,
  steps: StepParts<StepGraph>,
  half: HalfStep | undefined,
  memoryOf: () => DeviceMemory | NoDeviceMemory = deviceMemory,
): Promise<MemoryNeed | undefined> {
  const { training, backend, place, recompute, resizing } = options;
  const on = backend === 'tfjs' ? 'cpu' : (await chooseDevice(options.device)).device;
  if (on === 'webgpu') return undefined;
  if (on === 'cpu') {
    const { needed, refused } = processStepMemory(training, steps, backend, place);
    return { needed, fits: refused === undefined, note: undefined, refused, device: undefined };
  }
  const batch = batchSize(training, place);
  const device = await deviceNeed(training, graphsOf(steps), memoryOf(), { batch, recompute, half, resizing });
  const { needed, fits, available, proposals } = device;
  const text = `training ${training.recipe.model} with batches of ${batch} takes ${shownNeed(device)}`;
  const found = { needed, fits, device, note: undefined, refused: undefined };
  if (fits !== false) return { ...found, note: text };
  const advice = shownAdvice(proposals);
  return (1 - DOUBT) * needed > available!
    ? { ...found, refused: `${text}: ${advice}` }
    : { ...found, note: `${text}, so it may not fit: ${advice}` };
}

/**
 * Checks that a training has the memory that it needs, and notes what a GPU has. Throws a UserError with what would fit.
 */
export async function checkMemory(
  options: MemoryOptions & { note(line: string): void },
  steps: StepParts<StepGraph>,
  half: HalfStep | undefined,
  memoryOf: () => DeviceMemory | NoDeviceMemory = deviceMemory,
): Promise<void> {
  const need = await memoryNeed(options, steps, half, memoryOf);
  if (need?.refused !== undefined) throw new UserError(need.refused);
  if (need?.note !== undefined) options.note(need.note);
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
