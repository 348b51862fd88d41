import { UserError } from '../files/user-error.ts';

/** The environment's variable that turns CUDA graphs off, should the GPU or its driver not capture some model. */
export const CUDA_GRAPHS = 'CROBC_CUDA_GRAPHS';

/** Whether the environment turns CUDA graphs off. Throws a UserError for a value that means nothing. */
export function cudaGraphsAreOff(environment: Readonly<Record<string, string | undefined>>): boolean {
  const value = environment[CUDA_GRAPHS] ?? '';
  if (value === 'off') return true;
  if (value === '' || value === 'on') return false;
  throw new UserError(`${CUDA_GRAPHS} is ${JSON.stringify(value)}: off or on`);
}

/** The way out of a failure of onnxruntime that comes from capturing a run; empty for others. */
export function captureAdvice(message: string): string {
  return /captur/i.test(message) ? `; with ${CUDA_GRAPHS}=off, runs are not captured as CUDA graphs` : '';
}
