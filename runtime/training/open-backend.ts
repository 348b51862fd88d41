import type { Graph } from '../../compiler/ir/graph.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { UserError } from '../files/user-error.ts';
import type { Device } from '../ort/session.ts';
import type { Look, StepParts, TrainingBackend } from './backend.ts';
import { openOnnxBackend } from './onnx-backend.ts';

export interface BackendOptions {
  readonly backend: 'onnx' | 'tfjs';
  readonly model: string;
  readonly steps: StepParts<StepGraph>;
  readonly inference: Graph;
  readonly seed: number;
  readonly device: Device | 'auto';
  readonly threads: number | undefined;
  /** Whether CUDA may round the factors of f32 products; default true. */
  readonly tf32?: boolean | undefined;
  /** The run's folder, in which generated programs are written. */
  readonly folder: string;
}

/** Opens a training back end, which takes ownership of `state`. Throws a UserError if it cannot run here. */
export async function openBackend(
  options: BackendOptions,
  state: ReadonlyMap<string, Float32Array>,
): Promise<TrainingBackend> {
  if (options.backend === 'onnx') return openOnnxBackend({ ...options, state });
  if (options.device !== 'auto' || options.threads !== undefined) {
    throw new UserError(
      '--device and --threads are for the onnx back end; tfjs takes the fastest of its packages that is installed',
    );
  }
  const { openTfjsBackend } = await import('./tfjs-backend.ts');
  return openTfjsBackend({ ...options, state });
}

/** Returns a back end that can search a step: the run's own, or else a new one of onnxruntime on the CPU. */
export async function lookingBackend(
  own: TrainingBackend,
  options: BackendOptions,
  state: () => Promise<ReadonlyMap<string, Float32Array>>,
): Promise<{ readonly backend: TrainingBackend; readonly look: Look }> {
  if (own.look) return { backend: own, look: own.look };
  const backend = await openOnnxBackend({ ...options, device: 'cpu', state: await state() });
  return { backend, look: backend.look };
}
