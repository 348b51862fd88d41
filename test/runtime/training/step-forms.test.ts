// slow: takes gradients of four models twice

import { expect, test } from 'vitest';
import { microModels } from '../../micro-models.ts';
import { apart } from './step-forms.ts';

// Measured: 0.005. The CPU provider adds long rows less exactly in the form for CUDA.
test.each(
  microModels.filter(([model]) => ['CroBIM_micro', 'LAVT_micro', 'MAttNet_micro', 'RMSIN_micro'].includes(model)),
)('a step of %s for CUDA has the gradients of its portable form', async (model, file) => {
  expect(await apart(model, file)).toBeLessThan(0.02);
});
