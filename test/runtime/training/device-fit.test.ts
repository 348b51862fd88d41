import { expect, test } from 'vitest';
import { type FittingStep, fittingSteps, type StepChoice } from '../../../runtime/training/device-fit.ts';

const modules = ['mid.*', 'backbone.*', 'text.*'];

/** Memory that grows with the micro-batch and shrinks with each module that is recomputed. */
const bytesOf = ({ batch, recompute }: StepChoice) => 100 + batch * (50 - 10 * recompute.length);

async function searched(batch: number, accumulate: number, available: number) {
  const asked = { batch, accumulate, recompute: [] };
  let estimates = 0;
  const found = await fittingSteps({
    asked,
    modules,
    available,
    estimate: async (choice) => {
      estimates++;
      return bytesOf(choice);
    },
  });
  return { found, estimates };
}

/** Tries every choice. */
function tried(batch: number, accumulate: number, available: number): FittingStep[] {
  const sizes = Array.from({ length: batch }, (_, i) => batch - i).filter((size) => (batch * accumulate) % size === 0);
  const all = sizes.flatMap((size) =>
    [0, 1, 2, 3].map((further) => {
      const choice = {
        batch: size,
        accumulate: (batch * accumulate) / size,
        recompute: modules.slice(0, further),
      };
      return { ...choice, needed: bytesOf(choice) };
    }),
  );
  const fitting = all.filter(({ needed }) => needed <= available);
  const plain = fitting.find(({ recompute }) => recompute.length === 0);
  const [first] = fitting;
  return [plain, first?.batch === plain?.batch ? undefined : first].filter((one) => one !== undefined);
}

test.each([
  [32, 1],
  [12, 5],
  [7, 1],
  [1, 1],
])('of %i samples in %i micro-batches, what fits is found as by trying all', async (batch, accumulate) => {
  for (let available = 90; available < bytesOf({ batch, accumulate, recompute: [] }); available += 7) {
    const { found, estimates } = await searched(batch, accumulate, available);
    expect(found, `${available}`).toEqual(tried(batch, accumulate, available));
    expect(estimates).toBeLessThanOrEqual(10);
  }
});

test('a choice that the model does not allow is not proposed', async () => {
  const found = await fittingSteps({
    asked: { batch: 8, accumulate: 1, recompute: ['a'] },
    modules: [],
    available: 500,
    estimate: async (choice) => (choice.batch > 2 ? undefined : bytesOf(choice)),
  });
  expect(found).toEqual([{ batch: 2, accumulate: 4, recompute: ['a'], needed: 180 }]);
});
