// slow: takes gradients of four models three times

import { expect, test } from 'vitest';
import { microModels } from '../../micro-models.ts';
import { apart } from './step-forms.ts';

// Measured: 0.005. The CPU provider adds long rows less exactly in the form for CUDA.
test.each(
  microModels.filter(([model]) => ['CroBIM_micro', 'LAVT_micro', 'MAttNet_micro', 'RMSIN_micro'].includes(model)),
)('steps of %s for CPUs and for CUDA have the gradients of its portable form', async (model, file) => {
  expect(await apart(model, file, 'cpu-step')).toBeLessThan(0.002);
  expect(await apart(model, file, 'cuda-step')).toBeLessThan(0.02);
});
