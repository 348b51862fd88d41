import { expect, test } from 'vitest';
import { checkMemory } from '../../../runtime/training/check-memory.ts';
import { neededBytes } from '../../../runtime/training/device-need.ts';
import { graphsOf } from '../../../runtime/training/step-memory.ts';
import { stepParts } from '../../../runtime/training/step-parts.ts';
import { trainingOf } from '../../training/interpret-step.ts';
import { convolutionSource } from '../../training/sources.ts';

const trainingWith = (batch: number, accumulate = 1) => trainingOf(convolutionSource(batch, accumulate));
const stepsOf = (batch: number, accumulate = 1) => stepParts(trainingWith(batch, accumulate), { backend: 'onnx' });
const needed = (batch: number, accumulate = 1) =>
  neededBytes(trainingWith(batch, accumulate), batch, graphsOf(stepsOf(batch, accumulate)));

/** What the check of a training on a GPU says, with batches of 2400, and whether it refuses it. */
async function answer(free: number | undefined, resizes = true): Promise<{ refused: boolean; text: string }> {
  const notes: string[] = [];
  const options = {
    training: trainingWith(2400),
    backend: 'onnx',
    device: 'cuda',
    recompute: [],
    resizing: resizes ? { resized: trainingWith, replaced: ['--batch-size 2400'] } : undefined,
    place: () => '',
    note: (line: string) => notes.push(line),
  } as const;
  const memory = free === undefined ? { missing: 'koffi is not installed' } : { total: 80 * 2 ** 30, free };
  const error = await checkMemory(options, stepsOf(2400), undefined, () => memory).catch((thrown: unknown) => thrown);
  return { refused: error !== undefined, text: error === undefined ? notes.join('\n') : String(error) };
}

test('a note says what is needed and what there is', async () => {
  const { refused, text } = await answer(40 * 2 ** 30);
  expect(refused).toBe(false);
  expect(text).toMatch(
    /^training Net with batches of 2400 takes about [\d.]+ MiB on the GPU, which has 40\.0 GiB free of 80\.0 GiB$/,
  );
});

test('or why it is not known', async () => {
  const { refused, text } = await answer(undefined);
  expect(refused).toBe(false);
  expect(text).toMatch(/ on the GPU, whose memory is not known: koffi is not installed$/);
});

test('what cannot fit is refused, with a micro-batch that does', async () => {
  const free = needed(800, 3) + 1;
  expect(needed(1200, 2)).toBeGreaterThan(free);
  const { refused, text } = await answer(free);
  expect(refused).toBe(true);
  expect(text).toContain(
    ': as many samples in a step fit with --set B=800,recipe.accumulate=3 instead of --batch-size 2400 (',
  );
});

test('what may fit after all is tried', async () => {
  const { refused, text } = await answer(Math.ceil(0.95 * needed(2400)));
  expect(refused).toBe(false);
  expect(text).toContain(', so it may not fit: as many samples in a step fit with --set B=1200,recipe.accumulate=2');
});

test.each([
  [100, true],
  [2 ** 20, false],
])('with nothing to propose, there is other advice: %i', async (free, resizes) => {
  const { refused, text } = await answer(free, resizes);
  expect(refused).toBe(true);
  expect(text).toMatch(/: a smaller H and W, --recompute, or another model may fit$/);
});
