import { expect, test } from 'vitest';
import { compileTrainingFrom, requireTraining } from '../../../runtime/build/source-model.ts';
import { checkModelsMemory, modelsMemory } from '../../../runtime/experiment/models-memory.ts';
import type { CompileModel, PlannedModel, SharedOptions } from '../../../runtime/experiment/planned-model.ts';
import { neededBytes } from '../../../runtime/training/device-need.ts';
import { graphsOf } from '../../../runtime/training/step-memory.ts';
import { stepParts } from '../../../runtime/training/step-parts.ts';
import { memoryHost } from '../../memory-host.ts';
import { convolutionSource } from '../../training/sources.ts';

const compiled = (batch: number, accumulate = 1) => {
  const host = memoryHost({ 'main.crob': convolutionSource(batch, accumulate) });
  const choice = { model: undefined, recipe: undefined, overrides: [], dims: new Map() };
  return requireTraining(compileTrainingFrom(host, 'main.crob', choice), { model: undefined, recipe: undefined });
};

/** Models that differ by their batch, which is their label. */
const model = (batch: number) => ({ label: String(batch), folder: '' }) as PlannedModel;

const compile: CompileModel = ({ label }) => ({
  ...compiled(Number(label)),
  resizing: { resized: (batch, accumulate) => compiled(batch, accumulate).training, replaced: [] },
});

const needed = (batch: number) => {
  const { training } = compiled(batch);
  return neededBytes(training, batch, graphsOf(stepParts(training, { backend: 'onnx' })));
};

/** Options for a GPU with so many free bytes, and the notes. */
function on(free: number, recompute: readonly string[] = []) {
  const notes: string[] = [];
  const shared = { backend: 'onnx', device: 'cuda', recompute } as Partial<SharedOptions> as SharedOptions;
  const memoryOf = () => ({ total: 2 ** 40, free });
  return { notes, options: { compile, shared, settings: [], memoryOf, note: (line: string) => void notes.push(line) } };
}

test('where all models fit, it is noted what each takes', async () => {
  const { notes, options } = on(2 ** 32);
  await checkModelsMemory([model(800), model(1600)], options);
  expect(notes).toEqual([
    expect.stringMatching(
      /^training Net with batches of 800 takes about [\d.]+ MiB on the GPU, which has 4\.0 GiB free/,
    ),
    expect.stringMatching(/^training Net with batches of 1600 takes /),
  ]);
});

test('one that does not fit is named, with micro-batches that do', async () => {
  const { notes, options } = on(needed(2400) - 1);
  await expect(checkModelsMemory([model(800), model(4800)], options)).rejects.toThrow(
    /^4800: training Net with batches of 4800 takes about .*: as many samples in a step fit with --set B=\d+,recipe\.accumulate=\d+ \(/,
  );
  expect(notes).toHaveLength(1);
});

test('each of several that do not fit has a line', async () => {
  const { notes, options } = on(needed(2400) - 1);
  await expect(checkModelsMemory([model(3600), model(800), model(4800)], options)).rejects.toThrow(
    /^2 of 3 models need more memory than there is, so none is trained/,
  );
  expect(notes.filter((line) => /^(3600|4800): training /.test(line))).toHaveLength(2);
});

test('modules are recomputed in the models that have them', async () => {
  const bytes = async (recompute: readonly string[]) =>
    (await modelsMemory([model(800)], on(2 ** 32, recompute).options))[0]!.need!.needed;
  expect(await bytes(['nowhere.*'])).toBe(await bytes([]));
});
