// long: takes gradients of every micro model three times

import { expect, test } from 'vitest';
import { microModels } from '../../micro-models.ts';
import { apart } from './step-forms.ts';

// Measured: 0.045 for DMMI_micro and 0.035 for CRIS_micro, whose norms of few pixels enlarge rounding; below 0.02 for others.
test.each(microModels)(
  'steps of %s for CPUs and for CUDA have the gradients of its portable form',
  async (model, file) => {
    expect(await apart(model, file, 'cpu-step')).toBeLessThan(0.1);
    expect(await apart(model, file, 'cuda-step')).toBeLessThan(0.1);
  },
);
