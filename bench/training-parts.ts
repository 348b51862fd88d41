// The functions that the benchmark of a training step calls, to time each on its own.
export { compileTraining } from '../compiler/training/compile-training.ts';
export { differentiate } from '../compiler/training/differentiated.ts';
export { trainingStep } from '../compiler/training/step.ts';
export { diskHost } from '../runtime/files/source-host.ts';
export { initialState } from '../runtime/training/initial-state.ts';
export { openBackend } from '../runtime/training/open-backend.ts';
export { writeSafetensors } from '../runtime/weights/safetensors.ts';
