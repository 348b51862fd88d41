import { expect, test } from 'vitest';
import { stepMemory } from '../../../compiler/training/memory.ts';
import { trainingMemory } from '../../../runtime/process/process-memory.ts';
import { graphsOf, processStepMemory } from '../../../runtime/training/step-memory.ts';
import { stepParts } from '../../../runtime/training/step-parts.ts';
import { trainingOf } from '../../training/interpret-step.ts';
import { convolutionSource } from '../../training/sources.ts';

const training = (batch: number) => trainingOf(convolutionSource(batch));
const parts = (batch: number) => stepParts(training(batch), { backend: 'onnx' });

const nowhere = () => '';

function taken(batch: number) {
  const { state, working } = stepMemory(graphsOf(parts(batch)), 'onnx');
  return { held: [...state.values()].reduce((a, b) => a + b, 0), working };
}

const refusal = (batch: number, available: number) =>
  processStepMemory(training(batch), parts(batch), 'onnx', nowhere, available).refused;

test('a step that may fit is not refused', () => {
  const { held, working } = taken(8);
  expect(processStepMemory(training(8), parts(8), 'onnx', nowhere, held + working)).toEqual({
    needed: trainingMemory(held, working),
    refused: undefined,
  });
  expect(refusal(8, held + working - 1)).toBeDefined();
});

test('one that cannot is, with a batch whose process fits', () => {
  const available = 300 * 2 ** 20;
  const [, batch] =
    /^a step of Net with batches of 20000 takes about [\d.]+ [MG]iB \([\d.]+ KiB of them .*; the most in .*\), and this machine has 300\.0 MiB: --set B=(\d+) would fit$/.exec(
      refusal(20_000, available) ?? '',
    ) ?? [];
  const fitting = Number(batch);
  const needed = (size: number) => trainingMemory(taken(size).held, taken(size).working);
  expect(needed(fitting)).toBeLessThanOrEqual(available);
  expect(needed(Math.ceil(fitting * 1.05))).toBeGreaterThan(available);
});

test('one that no batch makes fit gets other advice', () => {
  expect(refusal(8, 1000)).toMatch(
    /this machine has 1000 B: a smaller H and W, --recompute, or another model may fit$/,
  );
});
