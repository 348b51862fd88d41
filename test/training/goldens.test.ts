// slow: ten steps of each model

import { beforeAll, describe, expect, test } from 'vitest';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { compileTraining, type Training } from '../../compiler/training/compile-training.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { type StepGraph, stepNames } from '../../compiler/training/step-graph.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { encodeOnnx } from '../../runtime/onnx/onnx-file.ts';
import { type Feeds, openSession } from '../../runtime/ort/session.ts';
import { openOnnxBackend } from '../../runtime/training/onnx-backend.ts';
import { scheduleFactor } from '../../runtime/training/schedule.ts';
import { openTfjsBackend } from '../../runtime/training/tfjs-backend.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { positionsOf, product, startOf, uniformOf } from './formula.ts';
import { batchOf, f32, readTrainingGolden, smallBatchOf, type TrainingGolden, under } from './golden.ts';

type StateMap = ReadonlyMap<string, Float32Array>;

const at = temporaryFolder();
let golden: TrainingGolden;
beforeAll(async () => {
  golden = await readTrainingGolden();
});

function crobim(overrides: readonly string[] = []): Training {
  const { B, H, W, T, topk } = golden.sizes;
  const { training, diagnostics } = compileTraining(diskHost(), 'models/crobim.crob', {
    model: 'CroBIM_micro',
    recipe: 'micro',
    dims: new Map(Object.entries({ B, H, W, T })),
    overrides: [`lgfa.topk = ${topk}`, ...overrides],
  });
  expect(diagnostics).toEqual([]);
  return training!;
}

/** State before the first step, with every weight where PyTorch's golden started. */
function startState({ state }: StepGraph): Map<string, Float32Array> {
  return new Map(
    state.map(({ name, kind, path, shape }) => {
      const data = new Float32Array(product(shape));
      if (kind === 'buffer') data.fill(Number(path.endsWith('running_var')));
      return [name, kind === 'weight' || kind === 'average' ? startOf(path, shape) : data];
    }),
  );
}

describe('gradients of CroBIM_micro are those of PyTorch', () => {
  const entries = new Map<string, { readonly given: Float32Array; readonly shape: readonly number[] }>();
  let loss: Record<string, number>;
  let norm = 0;

  beforeAll(async () => {
    const step = trainingStep(differentiate(crobim()), { part: 'accumulate' });
    const state = step.state.map(({ name, shape }) => [name, shape] as const);
    const values = startState(step);
    const feeds = {
      ...batchOf(golden.sizes, 0),
      ...Object.fromEntries(state.map(([n, s]) => [n, f32(s, values.get(n)!)])),
    };
    const results = await runOnce(step, feeds);
    for (const { kind, path, next, shape } of step.state) {
      if (kind !== 'gradient') continue;
      const given = results[next!]!.data as Float32Array;
      entries.set(path, { given, shape });
      norm = Math.hypot(norm, lengthOf(given));
    }
    loss = Object.fromEntries(
      [stepNames.loss, 'term:ce', 'term:dice'].map((name) => [name, (results[name]!.data as Float32Array)[0]!]),
    );
  });

  test('for every weight that PyTorch has, and no other', () => {
    expect([...entries.keys()].sort()).toEqual([...under(golden, 'gradient:').keys()].sort());
    expect(golden.gradients.none).toEqual([]);
  });

  test('loss, terms and global norm', () => {
    const { loss: wanted, terms, norm: length } = golden.gradients;
    expect(off(loss[stepNames.loss]!, wanted)).toBeLessThan(2e-6);
    expect(off(loss['term:ce']!, terms.ce!)).toBeLessThan(2e-6);
    expect(off(loss['term:dice']!, terms.dice!)).toBeLessThan(2e-6);
    expect(off(norm, length)).toBeLessThan(1e-5);
  });

  test('norm, sum and entries of each', () => {
    const faults: string[] = [];
    for (const [path, [length, sum, largest, ...wanted]] of under(golden, 'gradient:')) {
      const { given, shape } = entries.get(path)!;
      const at = positionsOf(path, product(shape));
      // Weights that change nothing, such as biases before a norm, have a gradient of rounding errors.
      const rounding = 1e-7 * golden.gradients.norm;
      const compare = (what: string, a: number, b: number, scale: number) => {
        if (Math.abs(a - b) > 1e-4 * scale + rounding) faults.push(`${path}: ${what} ${a}, in PyTorch ${b}`);
      };
      compare('norm', lengthOf(given), length!, length!);
      compare(
        'sum',
        given.reduce((a, b) => a + b, 0),
        sum!,
        length! * Math.sqrt(given.length),
      );
      for (const [i, b] of wanted.entries()) compare(`entry ${at[i]}`, given[at[i]!]!, b, largest!);
    }
    expect(faults).toEqual([]);
  });
});

describe.each([0, 1])('ten steps of AdamW have the losses that PyTorch has, in run %i', (index) => {
  let run: TrainingGolden['runs'][number];
  let training: Training;
  beforeAll(() => {
    run = golden.runs[index]!;
    training = crobim(run.clip === null ? [] : [`recipe.clip = ${run.clip}`]);
  });
  const opening = (packed: boolean) => {
    const whole = trainingStep(differentiate(training), { packed });
    return { steps: { whole }, inference: training.inference, state: startState(whole), seed: 0 };
  };

  test('in onnxruntime, to 1e-5, with the weights at the end', async () => {
    const opened = opening(true);
    const start = new Map([...opened.state].map(([name, data]) => [name, data.slice()]));
    // Sums over repeated rows are made in other ways with several threads.
    const backend = await openOnnxBackend({ ...opened, device: 'cpu', threads: 1 + index });
    try {
      for (const [i, wanted] of run.steps.entries()) {
        const learningRate = run.lr * scheduleFactor(scheduleOf(run), i, run.steps.length);
        expect(off(learningRate, wanted.learning_rate), 'learning rate').toBeLessThan(1e-12);
        const found = await backend.step([batchOf(golden.sizes, i + 1)], { learningRate, step: i + 1 });
        expect(off(found.loss, wanted.loss), `loss of step ${i + 1}`).toBeLessThan(1e-5);
        expect(off(found.terms.ce!, wanted.terms.ce!), `ce of step ${i + 1}`).toBeLessThan(1e-5);
        expect(off(found.gradientNorm, wanted.gradient_norm), `norm of step ${i + 1}`).toBeLessThan(1e-3);
      }
      expect(movedOtherwise(start, await backend.read(), index)).toEqual([]);
    } finally {
      await backend.release();
    }
  });

  // One of the two does: both differ in settings alone, which are in the graph.
  test.runIf(index === 1)('in TensorFlow.js, to 1e-3', async () => {
    const backend = await openTfjsBackend({ ...opening(false), model: 'CroBIM_micro', folder: at('.') });
    try {
      for (const [i, wanted] of run.steps.entries()) {
        const found = await backend.step([batchOf(golden.sizes, i + 1)], {
          learningRate: wanted.learning_rate,
          step: i + 1,
        });
        expect(off(found.loss, wanted.loss), `loss of step ${i + 1}`).toBeLessThan(1e-3);
        expect(off(found.gradientNorm, wanted.gradient_norm), `norm of step ${i + 1}`).toBeLessThan(1e-2);
      }
    } finally {
      await backend.release();
    }
  });

  /** Weights whose end, or whose way there, has another norm than in PyTorch. */
  function movedOtherwise(start: StateMap, end: StateMap, index: number): string[] {
    const faults: string[] = [];
    for (const [path, [length, way]] of under(golden, `moved:${index}:`)) {
      // AdamW makes steps of rounding errors where they are all that a gradient is.
      if (golden.tensors.get(`gradient:${path}`)![0]! < 1e-9 * golden.gradients.norm) continue;
      const [before, now] = [start.get(`weight:${path}`)!, end.get(`weight:${path}`)!];
      const moved = lengthOf(now.map((x, i) => x - before[i]!));
      const walked = run.steps.reduce((sum, { learning_rate }) => sum + learning_rate, 0) * Math.sqrt(now.length);
      // So it does with the keys' part of these, which softmax does not see.
      const within = 1e-5 * length! + (path.endsWith('.qkv.bias') ? 1e-3 * walked : 0);
      if (Math.abs(lengthOf(now) - length!) > within)
        faults.push(`${path}: norm ${lengthOf(now)}, in PyTorch ${length}`);
      // Steps of about the learning rate whose signs alternate nearly cancel: what is left is held against their lengths.
      if (Math.abs(moved - way!) > 1e-3 * (way! + walked))
        faults.push(`${path}: moved by ${moved}, in PyTorch by ${way}`);
    }
    return faults;
  }
});

test('batch norm, dropout, drop path, SGD and averages are those of PyTorch, given the same draws', async () => {
  const { training, diagnostics } = compileTraining(diskHost(), 'test/goldens/training.crob', {
    dims: new Map(),
    overrides: [],
  });
  expect(diagnostics).toEqual([]);
  const step = trainingStep(differentiate(training!));
  const state = startState(step);
  for (const [i, wanted] of golden.regularised.losses.entries()) {
    const draws = step.draws.map(({ name, shape }) => {
      const kind = shape.length === 4 ? 'elements' : 'samples';
      return [name, f32(shape, uniformOf(`${kind} ${i + 1}`, product(shape)))] as const;
    });
    expect(draws).toHaveLength(2);
    const held = step.state.map(({ name, shape }) => [name, f32(shape, state.get(name)!)] as const);
    const results = await runOnce(step, {
      ...smallBatchOf(i + 1),
      ...Object.fromEntries([...draws, ...held]),
      [stepNames.learningRate]: f32([], Float32Array.of(0.1)),
      [stepNames.number]: { dtype: 'i32', shape: [], data: Int32Array.of(i + 1) },
    });
    expect(off((results[stepNames.loss]!.data as Float32Array)[0]!, wanted), `loss of step ${i + 1}`).toBeLessThan(
      2e-6,
    );
    for (const { name, next } of step.state)
      if (next !== undefined) state.set(name, results[next]!.data as Float32Array);
  }
  const ends = under(golden, 'regularised:');
  expect([...ends.keys()].filter((name) => !state.has(name))).toEqual([]);
  for (const [name, wanted] of ends) {
    const largest = Math.max(...wanted.map(Math.abs));
    const worst = Math.max(...wanted.map((x, i) => Math.abs(x - state.get(name)![i]!)));
    expect(worst / largest, name).toBeLessThan(1e-5);
  }
});

async function runOnce(step: StepGraph, feeds: Feeds) {
  const emitted = emitOnnx(step.graph, { producerVersion: '' });
  const noWeights = {
    read(path: string): never {
      throw new Error(`a step graph holds no weights: ${path}`);
    },
  };
  const session = await openSession(await encodeOnnx(emitted, noWeights), { device: 'cpu', threads: 1 });
  try {
    const known = new Set(session.inputs.map(({ name }) => name));
    return await session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => known.has(name))));
  } finally {
    await session.release();
  }
}

function scheduleOf({ warmup }: TrainingGolden['runs'][number]) {
  return [
    { kind: 'warmup', steps: warmup },
    { kind: 'poly', power: 0.9, end: 0 },
  ] as const;
}

/** How far a number is from the wanted one, as a part of it. */
function off(given: number, wanted: number): number {
  return Math.abs(given - wanted) / Math.abs(wanted);
}

function lengthOf(values: Float32Array): number {
  let squares = 0;
  for (const x of values) squares += x * x;
  return Math.sqrt(squares);
}
