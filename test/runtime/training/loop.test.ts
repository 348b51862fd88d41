// slow: many short trainings

import { mkdir, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import { RunFailure } from '../../../runtime/ort/session.ts';
import type { StopSignal } from '../../../runtime/process/stop-signal.ts';
import type { TrainingBackend } from '../../../runtime/training/backend.ts';
import { CheckpointStore, type Progress } from '../../../runtime/training/checkpoint.ts';
import { beginning, type LoopParts, trainLoop } from '../../../runtime/training/loop.ts';
import { openMetricsLog } from '../../../runtime/training/metrics-log.ts';
import { NonFiniteStep } from '../../../runtime/training/non-finite-step.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import type { Plan } from '../../../runtime/training/plan.ts';
import { holds } from '../../property.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { toyFeeds, toyInference, toyLoop, toyState, toySteps, toyStored } from './toy.ts';

const at = temporaryFolder();
let runs = 0;
async function folder(): Promise<string> {
  const dir = at(`run-${runs++}`);
  await mkdir(dir);
  return dir;
}

const plan: Plan = { perStep: 3, stepsPerEpoch: 4, steps: 14, evaluateEvery: 4, checkpointEvery: 3 };

async function* batches(step: number) {
  for (let at = step; ; at++) yield [toyFeeds(at)];
}

interface PartOptions extends Partial<LoopParts> {
  /** Stop as by a signal after this many steps of this part. */
  readonly stopAfter?: number;
  readonly broken?: boolean;
  readonly failing?: (backend: TrainingBackend) => TrainingBackend;
}

/** One process's part of a run: goes on from the last checkpoint of `dir`. */
async function run(dir: string, { stopAfter = Infinity, broken = false, failing, ...changes }: PartOptions = {}) {
  const store = new CheckpointStore(dir);
  const checkpoint = await store.latest((line) => {
    throw new Error(line);
  });
  const state = toyState(broken ? [0.5, 0.5, 0.5, 0.5] : undefined);
  if (checkpoint) for (const [name, data] of await store.load(checkpoint, toyStored)) state.set(name, data);
  const from: Progress = checkpoint?.progress ?? beginning;
  const backend = await openOnnxBackend({
    steps: toySteps({ broken }),
    inference: toyInference(),
    state,
    seed: 5,
    device: 'cpu',
    threads: 1,
  });
  const metrics = await openMetricsLog(`${dir}/metrics.jsonl`, from);
  const stop: { signal: StopSignal | undefined } = { signal: undefined };
  let left = stopAfter;
  try {
    const result = await trainLoop({
      backend: failing?.(backend) ?? backend,
      plan,
      ...toyLoop,
      batches,
      evaluate: async (step) => ({ score: 100 - (step - 8) ** 2, figures: { mIoU: 1 / step } }),
      from,
      store,
      metrics,
      stop,
      onStep: () => {
        if (--left === 0) stop.signal = 'SIGTERM';
      },
      ...changes,
    });
    return { result, state: await backend.read(), store };
  } finally {
    await metrics.close();
    await backend.release();
  }
}

const lines = async (dir: string) =>
  (await readFile(`${dir}/metrics.jsonl`, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { seconds, samples_per_second, ...rest } = JSON.parse(line);
      return rest;
    });

test('a whole run: every step and evaluation in the log, the best and the last kept', async () => {
  const dir = await folder();
  const { result, store } = await run(dir);
  expect(result.end).toBe('done');
  expect(result.progress).toMatchObject({ step: 14, best: { step: 8, score: 100 }, worse: 2, evaluated: 14 });
  const log = await lines(dir);
  expect(log.filter((line) => 'terms' in line).map((line) => line.step)).toEqual(
    Array.from({ length: 14 }, (_, i) => i + 1),
  );
  expect(log.filter((line) => 'mIoU' in line).map((line) => line.step)).toEqual([4, 8, 12, 14]);
  for (const line of (await readFile(`${dir}/metrics.jsonl`, 'utf8')).trimEnd().split('\n')) {
    const { step, loss, lr, seconds } = JSON.parse(line);
    for (const value of [step, loss, lr, seconds]) expect(value).toEqual(expect.any(Number));
  }
  expect(await store.steps()).toEqual([14, 12, 8]);
});

describe('a run that was stopped and goes on', () => {
  test('does what an unbroken one does, wherever it was stopped', async () => {
    const whole = await folder();
    const wanted = await run(whole);
    const log = await lines(whole);
    await holds(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }), async (stops) => {
        const dir = await folder();
        for (const stopAfter of stops) await run(dir, { stopAfter });
        const { result, state } = await run(dir);
        expect(result.progress).toMatchObject({ ...wanted.result.progress, seconds: expect.any(Number) });
        for (const { name } of toyStored) expect(state.get(name)).toEqual(wanted.state.get(name));
        expect(await lines(dir)).toEqual(log);
      }),
      { seed: 4, numRuns: 8 },
    );
  });

  test('says that it was stopped, and after which step', async () => {
    const dir = await folder();
    const { result, store } = await run(dir, { stopAfter: 5 });
    expect(result).toMatchObject({ end: 'SIGTERM', progress: { step: 5 } });
    expect((await store.steps())[0]).toBe(5);
  });

  test('makes up for an evaluation that was cut short', async () => {
    const dir = await folder();
    const stopped = await run(dir, {
      stopAfter: 8,
      evaluate: async (step) => (step === 8 ? undefined : { score: 0, figures: {} }),
    });
    expect(stopped.result).toMatchObject({ end: 'SIGTERM', progress: { step: 8, evaluated: 4 } });
    const evaluated: number[] = [];
    await run(dir, {
      evaluate: async (step) => {
        evaluated.push(step);
        return { score: 1, figures: {} };
      },
    });
    expect(evaluated).toEqual([8, 12, 14]);
  });

  test('logs an evaluation once that was made up for and then lost', async () => {
    const dir = await folder();
    await run(dir, { stopAfter: 8, evaluate: async (step) => (step === 8 ? undefined : { score: 1, figures: {} }) });
    const killed = run(dir, {
      evaluate: async () => ({ score: 0, figures: { mIoU: 0 } }),
      onEvaluation: () => {
        throw new Error('killed');
      },
    });
    await expect(killed).rejects.toThrow('killed');
    await run(dir, { evaluate: async () => ({ score: 0, figures: { mIoU: 0 } }) });
    expect((await lines(dir)).filter((line) => 'mIoU' in line).map(({ step }) => step)).toEqual([8, 12, 14]);
  });

  test('a run that is done has nothing to do', async () => {
    const dir = await folder();
    await run(dir);
    const before = await readFile(`${dir}/metrics.jsonl`, 'utf8');
    const { result } = await run(dir, {
      batches: () => {
        throw new Error('no step is left');
      },
    });
    expect(result.end).toBe('done');
    expect(await readFile(`${dir}/metrics.jsonl`, 'utf8')).toBe(before);
  });
});

test('an early stop after so many evaluations without a better one', async () => {
  const { result } = await run(await folder(), { earlyStop: 1 });
  expect(result).toMatchObject({ end: 'early stop', progress: { step: 12, best: { step: 8 } } });
});

test('checkpoints that the plan wants too often are put off; those of the best weights and of the end are not', async () => {
  const { store } = await run(await folder(), { checkpointSeconds: { most: Infinity, least: 1e6 } });
  expect(await store.steps()).toEqual([14, 8]);
});

test('a checkpoint is due after a time, whatever the step', async () => {
  const saved: number[] = [];
  const dir = await folder();
  await run(dir, {
    evaluate: undefined,
    plan: { ...plan, checkpointEvery: 0 },
    checkpointSeconds: { most: 0, least: 0 },
    onStep: async () => void saved.push(...(await new CheckpointStore(dir).steps())),
  });
  expect(new Set(saved).size).toBeGreaterThan(5);
});

test('a score that is no number is never the best', async () => {
  const { result, store } = await run(await folder(), { evaluate: async () => ({ score: Number.NaN, figures: {} }) });
  expect(result.progress.best).toBe(null);
  expect(await store.steps()).toEqual([14, 12]);
});

test('bad data end a run in good order: what was reached is kept', async () => {
  const dir = await folder();
  async function* until6(step: number) {
    for (let at = step; at <= 6; at++) yield [toyFeeds(at)];
    throw new UserError('a picture is missing');
  }
  await expect(run(dir, { batches: until6 })).rejects.toThrow('a picture is missing');
  expect((await new CheckpointStore(dir).steps())[0]).toBe(6);
});

describe('a loss that is scaled', () => {
  /** Steps that a scaled loss skips, of which the numbers are not finite. */
  const skipping = (isSkipped: (step: number) => boolean, scale: number) => (backend: TrainingBackend) => ({
    ...backend,
    step: async (feeds: Parameters<TrainingBackend['step']>[0], scalars: Parameters<TrainingBackend['step']>[1]) => {
      const skipped = isSkipped(scalars.step);
      const numbers = skipped ? { loss: Number.NaN, terms: {}, gradientNorm: Number.POSITIVE_INFINITY } : undefined;
      return { ...(numbers ?? (await backend.step(feeds, scalars))), scaling: { scale, skipped } };
    },
  });

  test('a skipped step does not end the run, is in the log, and in checkpoints its loss is that before', async () => {
    const dir = await folder();
    const { result, store } = await run(dir, { failing: skipping((step) => step % 3 === 0, 1024), stopAfter: 6 });
    expect(result.progress.step).toBe(6);
    const log = (await lines(dir)).filter((line) => 'loss_scale' in line);
    expect(log.map(({ step, loss_scale, skipped }) => [step, loss_scale, skipped])).toEqual(
      [1, 2, 3, 4, 5, 6].map((step) => [step, 1024, step % 3 === 0]),
    );
    expect(log[2]).toMatchObject({ loss: null, gradient_norm: null });
    expect((await store.latest(() => {}))!.progress.last!.loss).toBe(log[4]!.loss);
  });

  test('a scale that would fall below 1 ends it, with the reason', async () => {
    const failed = run(await folder(), { failing: skipping((step) => step === 3, 1) });
    await expect(failed).rejects.toMatchObject({
      step: 3,
      what: 'the gradients are not finite even with a loss scale of 1, which would fall below 1',
    });
    const { result } = await run(await folder(), { failing: skipping((step) => step === 3, 2) });
    expect(result.end).toBe('done');
  });
});

describe('numbers that are not finite', () => {
  test('a loss that is NaN ends the run, and is in no checkpoint', async () => {
    const dir = await folder();
    const failed = run(dir, { broken: true, learningRate: () => 0.7 });
    await expect(failed).rejects.toThrow(NonFiniteStep);
    await expect(failed).rejects.toMatchObject({ what: 'the loss is NaN' });
    const store = new CheckpointStore(dir);
    for (const step of await store.steps()) {
      const checkpoint = (await store.latest(() => {}))!;
      for (const data of (await store.load(checkpoint, toyStored)).values())
        expect(data.every(Number.isFinite)).toBe(true);
      expect(step).toBeGreaterThan(0);
    }
    for (const line of await lines(dir)) expect(line.loss).toEqual(expect.any(Number));
  });

  test('nor does a step that could not be run leave one', async () => {
    const dir = await folder();
    const failure = new RunFailure('an index is out of range');
    const failing = (backend: TrainingBackend): TrainingBackend => ({
      ...backend,
      step: async (feeds, scalars) => {
        if (scalars.step === 5) throw failure;
        return backend.step(feeds, scalars);
      },
    });
    const failed = run(dir, { failing });
    await expect(failed).rejects.toMatchObject({ step: 5, what: 'it cannot be computed', failure });
    expect(await new CheckpointStore(dir).steps()).toEqual([4, 3]);
  });

  test('nor is state that became so in an update whose loss was fine', async () => {
    const dir = await folder();
    const failed = run(dir, { learningRate: (step) => (step === 6 ? 1e39 : 0.01) });
    await expect(failed).rejects.toMatchObject({ step: 6, what: 'weight:w is not finite after the update' });
    expect(await new CheckpointStore(dir).steps()).toEqual([4, 3]);
  });
});
