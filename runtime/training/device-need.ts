import { constant } from '../../compiler/dims/dim.ts';
import { bindDims } from '../../compiler/graphs/bind.ts';
import { bytesPerElement } from '../../compiler/graphs/liveness.ts';
import { staticShape } from '../../compiler/ir/shapes.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import type { HalfStep } from '../../compiler/training/half-step.ts';
import { stepMemory } from '../../compiler/training/memory.ts';
import { plannedPeak } from '../../compiler/training/planned-memory.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { byteSize } from '../files/byte-size.ts';
import type { DeviceMemory, NoDeviceMemory } from '../ort/device-memory.ts';
import { during } from '../process/stage.ts';
import { type FittingStep, fittingSteps, type StepChoice } from './device-fit.ts';
import { OF_CUDA, workspaceBytes } from './kernel-workspaces.ts';
import { weightsAsInputs } from './onnx-inference.ts';
import { graphsOf } from './step-memory.ts';
import { stepParts } from './step-parts.ts';

/** How the same training is compiled with other micro-batches. */
export interface Resizing {
  /** Undefined if the model or the recipe does not allow it. */
  resized(batch: number, accumulate: number): Training | undefined;
  /** What the user typed that other micro-batches replace: `--batch-size 32`. */
  readonly replaced: readonly string[];
}

/** A step that fits, with what to type for it. */
export interface Proposal extends FittingStep {
  /** Options of `crobc train`, quoted for a shell. */
  readonly options: string;
  /** Given options that these replace. */
  readonly replaces: readonly string[];
}

/** What a training needs of the memory of a GPU and what there is, in bytes. */
export interface DeviceNeed {
  /** State, what onnxruntime's arena takes for a step and for an evaluation, and workspaces. */
  readonly needed: number;
  /** The part of an evaluation, whose session has memory of its own. */
  readonly evaluation: number;
  /** The part of kernels' workspaces: the most for cuBLAS, and an assumption for convolutions. */
  readonly workspaces: number;
  /** Null if the memory of the GPU is not known. */
  readonly total: number | null;
  readonly available: number | null;
  /** Why it is not known. */
  readonly unknown: string | null;
  readonly fits: boolean | null;
  /** Steps of as many samples that fit, if this one does not. */
  readonly proposals: readonly Proposal[];
}

export interface NeedOptions {
  readonly batch: number;
  readonly recompute: readonly string[];
  readonly half: HalfStep | undefined;
  readonly resizing: Resizing | undefined;
}

/** Returns the memory of a GPU of a given size that nothing else uses. */
export function plannedMemory(total: number): DeviceMemory {
  return { total, free: Math.max(0, total - OF_CUDA) };
}

/**
 * What onnxruntime's CUDA arena takes for what a plan holds, for an evaluation, for a step, and for a step that recomputes
 * activations: pieces of it fit no request, the more the more often it is asked for other sizes. The most that was
 * measured for CroBIM_micro (test/cuda/memory.cuda.ts), without workspaces of kernels.
 */
export const ARENA = { evaluation: 1.04, step: 1.23, recomputed: 1.36 };

/** Returns the bytes that a training by onnxruntime needs: for tensors, and for the workspaces of kernels. */
export function neededBytes(training: Training, batch: number, steps: readonly StepGraph[]): number {
  return tensorBytes(training, batch, steps) + workspaceBytes(steps);
}

/** Returns the bytes of the state, and of what the sessions of a step and of evaluation hold. */
export function tensorBytes(training: Training, batch: number, steps: readonly StepGraph[]): number {
  return evaluationBytes(training, batch) + stepBytes(steps);
}

function stepBytes(steps: readonly StepGraph[]): number {
  const { state, working } = stepMemory(steps, 'onnx');
  const recomputes = steps.some(({ graph }) => graph.nodes.some(({ op }) => op === 'barrier'));
  const arena = recomputes ? ARENA.recomputed : ARENA.step;
  return [...state.values()].reduce((total, bytes) => total + bytes, Math.ceil(arena * working));
}

/** Returns the bytes that onnxruntime takes for the inference form, whose weights are those of the training. */
function evaluationBytes({ inference }: Training, batch: number): number {
  const { graph, weights } = weightsAsInputs(bindDims(inference, new Map([['B', constant(batch)]])));
  const { bytes } = plannedPeak({ graph: runPipeline(graph), state: weights, packs: [] });
  return Math.ceil(ARENA.evaluation * bytes);
}

/** Returns what a step needs and what the GPU has; where it does not fit, what does, which takes a while. */
export async function deviceNeed(
  training: Training,
  steps: readonly StepGraph[],
  memory: DeviceMemory | NoDeviceMemory,
  options: NeedOptions,
): Promise<DeviceNeed> {
  const evaluation = evaluationBytes(training, options.batch);
  const workspaces = workspaceBytes(steps);
  const needed = evaluation + stepBytes(steps) + workspaces;
  const parts = { needed, evaluation, workspaces };
  if ('missing' in memory)
    return { ...parts, total: null, available: null, unknown: memory.missing, fits: null, proposals: [] };
  const known = { ...parts, total: memory.total, available: memory.free, unknown: null };
  if (needed <= memory.free) return { ...known, fits: true, proposals: [] };
  const proposals = await proposalsFor(training, memory.free, options);
  return { ...known, fits: false, proposals };
}

async function proposalsFor(
  training: Training,
  available: number,
  { batch, recompute, half, resizing }: NeedOptions,
): Promise<Proposal[]> {
  if (!resizing) return [];
  const asked: StepChoice = { batch, accumulate: training.recipe.accumulate, recompute };
  const estimate = async (choice: StepChoice) =>
    during(`what fits ${byteSize(available)}: estimating ${optionsOf(choice, asked)}`, async () => {
      // Lets the progress be shown first.
      await new Promise((resolve) => setImmediate(resolve));
      const resized = choice.batch === asked.batch ? training : resizing.resized(choice.batch, choice.accumulate);
      if (!resized) return undefined;
      const parts = stepParts(resized, { recompute: choice.recompute, backend: 'onnx', half });
      return neededBytes(resized, choice.batch, graphsOf(parts));
    });
  const modules = repeatedModules(training).filter((pattern) => !recompute.includes(pattern));
  const found = await fittingSteps({ asked, modules, available, estimate });
  return found.map((one) => ({
    ...one,
    options: optionsOf(one, asked),
    replaces: one.batch === asked.batch ? [] : resizing.replaced,
  }));
}

/** Returns the options that make a choice of what was asked for. */
function optionsOf(choice: StepChoice, asked: StepChoice): string {
  const { batch, accumulate, recompute } = choice;
  const further = recompute.filter((pattern) => !asked.recompute.includes(pattern));
  return [
    ...(batch === asked.batch ? [] : [`--set B=${batch},recipe.accumulate=${accumulate}`]),
    ...further.map((pattern) => `--recompute '${pattern}'`),
  ].join(' ');
}

/** Lists of modules with less of the activations than this are not worth recomputing for the memory. */
const SMALL_SHARE = 0.02;
const MOST_LISTS = 4;

/** Returns patterns for the lists of modules of a model (`backbone.layers.*`), those with the most activations first. */
export function repeatedModules({ forward }: Pick<Training, 'forward'>): string[] {
  const bytes = new Map<string, number>();
  let all = 0;
  for (const { op, origin, outputs } of forward.build.nodes) {
    if (op === 'weight' || op === 'input' || op === 'constant') continue;
    const size = outputs.reduce(
      (sum, { type }) => sum + staticShape(type).reduce((n, extent) => n * extent, bytesPerElement[type.dtype]),
      0,
    );
    all += size;
    const names = origin.path.split('.');
    const at = names.findIndex((name) => /^\d+$/.test(name));
    if (at < 0) continue;
    const pattern = [...names.slice(0, at), '*'].join('.');
    bytes.set(pattern, (bytes.get(pattern) ?? 0) + size);
  }
  return [...bytes]
    .filter(([, size]) => size >= SMALL_SHARE * all)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_LISTS)
    .map(([pattern]) => pattern);
}
