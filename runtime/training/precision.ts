import type { HalfStep } from '../../compiler/training/half-step.ts';
import type { Recipe, TrainingPrecision } from '../../compiler/training/recipe.ts';
import { UserError } from '../files/user-error.ts';
import { chooseDevice, type Device } from '../ort/session.ts';

/** The precision of a training on a device. */
export interface DevicePrecision {
  readonly precision: TrainingPrecision;
  /** Undefined if products run in f32 or TF32. */
  readonly half: HalfStep | undefined;
  /** What the user should know, one line. */
  readonly note: string | undefined;
}

export interface PrecisionOptions {
  readonly backend: 'onnx' | 'tfjs';
  readonly device: Device | 'auto';
}

/**
 * Returns the precision of a recipe on a device; by default TF32 on CUDA and f32 elsewhere. Throws a UserError if the
 * back end or the device does not have it.
 */
export async function devicePrecision(
  { precision }: Pick<Recipe, 'precision'>,
  { backend, device }: PrecisionOptions,
): Promise<DevicePrecision> {
  const on = backend === 'tfjs' ? 'tfjs' : (await chooseDevice(device)).device;
  switch (precision) {
    case undefined:
      return exact(on === 'cuda' ? 'tf32' : 'f32');
    case 'f32':
      return exact('f32');
    case 'tf32':
      if (on === 'cuda') return exact('tf32');
      throw refused(precision, on, 'TF32 is of NVIDIA GPUs (--device cuda)');
    case 'bf16':
    case 'f16':
      if (on === 'cuda') return { precision, half: { type: precision, emulated: false }, note: undefined };
      if (on === 'cpu')
        return {
          precision,
          half: { type: precision, emulated: true },
          note: `${precision} is emulated on the CPU: its numbers are rounded as on a GPU, and a step takes longer than in f32`,
        };
      throw refused(precision, on, 'onnxruntime has it on CUDA, and the CPU emulates it');
  }
}

function exact(precision: 'f32' | 'tf32'): DevicePrecision {
  return { precision, half: undefined, note: undefined };
}

function refused(precision: TrainingPrecision, on: Device | 'tfjs', why: string): UserError {
  const where = on === 'tfjs' ? 'the tfjs back end' : `the device ${on}`;
  return new UserError(
    `${where} trains in f32, and the precision is ${precision}: ${why}; --precision f32 trains here`,
  );
}
