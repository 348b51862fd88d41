import type { Graph } from '../../compiler/ir/graph.ts';
import type { StepGraph } from '../../compiler/training/step.ts';
import type { Device } from '../session.ts';
import { UserError } from '../user-error.ts';
import type { StepParts, TrainingBackend } from './backend.ts';
import { type OnnxBackend, openOnnxBackend } from './onnx-backend.ts';

export interface BackendOptions {
  readonly backend: 'onnx' | 'tfjs';
  readonly model: string;
  readonly steps: StepParts<StepGraph>;
  readonly inference: Graph;
  readonly seed: number;
  readonly device: Device | 'auto';
  readonly threads: number | undefined;
  /** The folder of the run: where generated programs are written. */
  readonly folder: string;
}

/** Opens what computes; `state` becomes the back end's. Throws a UserError where it cannot run here. */
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

/** The one that can look into a step: the run's own, or onnxruntime on the CPU beside another. */
export function openLookingBackend(
  options: BackendOptions,
  state: ReadonlyMap<string, Float32Array>,
): Promise<OnnxBackend> {
  const { backend, device } = options;
  return openOnnxBackend({ ...options, device: backend === 'onnx' ? device : 'cpu', state });
}
