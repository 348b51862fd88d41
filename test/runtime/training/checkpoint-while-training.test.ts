import { mkdir, readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import type { Residence } from '../../../runtime/ort/engine.ts';
import { openNativeEngine } from '../../../runtime/ort/native-engine.ts';
import type { StopSignal } from '../../../runtime/process/stop-signal.ts';
import type { TrainingBackend } from '../../../runtime/training/backend.ts';
import { CheckpointStore } from '../../../runtime/training/checkpoint.ts';
import { beginning, type LoopParts, trainLoop } from '../../../runtime/training/loop.ts';
import { openMetricsLog } from '../../../runtime/training/metrics-log.ts';
import { NonFiniteStep } from '../../../runtime/training/non-finite-step.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { toyFeeds, toyInference, toyLoop, toyState, toySteps, toyStored } from './toy.ts';

const at = temporaryFolder();
let runs = 0;
async function folder(): Promise<string> {
  const dir = at(`run-${runs++}`);
  await mkdir(dir);
  return dir;
}

const plan = { perStep: 3, stepsPerEpoch: 4, steps: 9, evaluateEvery: 0, checkpointEvery: 3 };

async function* batches(step: number) {
  for (let at = step; ; at++) yield [toyFeeds(at), toyFeeds(100 + at)];
}

/** Saves of some steps wait until they are let go; `events` has the beginnings and ends of all among the steps. */
class GatedStore extends CheckpointStore {
  readonly events: string[];
  readonly #fails: (step: number) => boolean;
  readonly #gates = new Map<number, { readonly open: () => void; readonly opened: Promise<void> }>();

  constructor(dir: string, events: string[], fails: (step: number) => boolean) {
    super(dir);
    this.events = events;
    this.#fails = fails;
  }

  hold(step: number): void {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gates.set(step, { open, opened });
  }

  letGo(step: number): void {
    this.#gates.get(step)!.open();
  }

  override async save(...parts: Parameters<CheckpointStore['save']>): Promise<string> {
    const [{ step }] = parts;
    this.events.push(`save ${step}`);
    await this.#gates.get(step)?.opened;
    if (this.#fails(step)) {
      this.events.push(`failed ${step}`);
      throw new UserError('the disk is full');
    }
    const path = await super.save(...parts);
    this.events.push(`saved ${step}`);
    return path;
  }
}

interface Options extends Partial<LoopParts> {
  readonly residence?: Residence;
  readonly fails?: (step: number) => boolean;
  readonly onEvent?: (event: string, store: GatedStore, stop: { signal: StopSignal | undefined }) => void;
  readonly wrap?: (backend: TrainingBackend) => TrainingBackend;
}

async function run(
  dir: string,
  { residence = 'device', fails = () => false, onEvent, wrap, ...changes }: Options = {},
) {
  const events: string[] = [];
  const store = new GatedStore(dir, events, fails);
  const checkpoint = await store.latest((line) => expect.unreachable(line));
  const state = toyState();
  if (checkpoint) for (const [name, data] of await store.load(checkpoint, toyStored)) state.set(name, data);
  const engine = await openNativeEngine('cpu', undefined, { residence });
  if ('missing' in engine) throw new Error(engine.missing);
  const backend = await openOnnxBackend(
    { steps: toySteps({ times: 2 }), inference: toyInference(), state, seed: 5, device: 'cpu', threads: 1 },
    async () => engine,
  );
  const from = checkpoint?.progress ?? beginning;
  const metrics = await openMetricsLog(`${dir}/metrics.jsonl`, from);
  const stop: { signal: StopSignal | undefined } = { signal: undefined };
  const tell = (event: string) => {
    events.push(event);
    onEvent?.(event, store, stop);
  };
  onEvent?.('begin', store, stop);
  try {
    const result = await trainLoop({
      backend: wrap?.(backend) ?? backend,
      plan,
      ...toyLoop,
      batches,
      evaluate: undefined,
      from,
      store,
      metrics,
      stop,
      onStep: (step) => tell(`step ${step}`),
      onEvaluation: (step) => tell(`evaluated ${step}`),
      ...changes,
    });
    return { result, events };
  } catch (error) {
    return { error, events };
  } finally {
    await metrics.close();
    await backend.release();
  }
}

/** The tensors' files of all checkpoints of a run. */
async function tensorFiles(dir: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const step of await readdir(`${dir}/checkpoints`))
    for (const name of ['weights', 'state'])
      files.set(`${step}/${name}`, (await readFile(`${dir}/checkpoints/${step}/${name}.safetensors`)).toString('hex'));
  return files;
}

function expectInOrder(events: readonly string[], order: readonly string[]): void {
  expect(events.filter((event) => order.includes(event))).toEqual(order);
}

describe('state that stays on the device', () => {
  test('is written while steps go on, with the bits of its own step', async () => {
    const [live, aside] = [await folder(), await folder()];
    const wanted = await run(live, { residence: 'arrays' });
    const { result, events } = await run(aside, {
      onEvent: (event, store) => {
        if (event === 'begin') for (const step of [3, 6]) store.hold(step);
        if (event === 'step 5') store.letGo(3);
        if (event === 'step 8') store.letGo(6);
      },
    });
    expect(result).toMatchObject({ end: 'done', progress: { step: 9 } });
    expect(await tensorFiles(aside)).toEqual(await tensorFiles(live));
    expect(wanted.result!.progress.last).toEqual(result!.progress.last);
    expectInOrder(events, ['step 5', 'saved 3', 'save 6', 'saved 6', 'save 9', 'saved 9']);
    expectInOrder(events, ['step 8', 'saved 6', 'save 9']);
    expect(events.at(-1)).toBe('saved 9');
  });

  test('waits with the next checkpoint until the last one is whole', async () => {
    const { events } = await run(await folder(), {
      onEvent: (event, store) => {
        if (event === 'begin') store.hold(3);
        // Nothing else than the save is left to wait for when step 6 is due to be saved.
        if (event === 'step 6') setTimeout(() => store.letGo(3), 20);
      },
    });
    expectInOrder(events, ['step 6', 'saved 3', 'save 6', 'saved 6', 'save 9']);
  });

  test('can be evaluated meanwhile, and the best checkpoint stays', async () => {
    const trained = async (dir: string, options: Options) => {
      const predictions: Buffer[] = [];
      let predict: TrainingBackend['predict'] | undefined;
      const { result, error, events } = await run(dir, {
        plan: { ...plan, evaluateEvery: 2 },
        earlyStop: 3,
        wrap: (backend) => {
          ({ predict } = backend);
          return backend;
        },
        // The evaluation of step 2 is the best one.
        evaluate: async (step) => {
          const { data } = await predict!({ image: toyFeeds(7).image! });
          predictions.push(Buffer.from((data as Float32Array).slice().buffer));
          return { score: 1 / step, figures: {} };
        },
        ...options,
      });
      expect(error).toBeUndefined();
      return { result: result!, events, predictions };
    };
    const [live, aside] = [await folder(), await folder()];
    const wanted = await trained(live, { residence: 'arrays' });
    const { result, events, predictions } = await trained(aside, {
      onEvent: (event, store) => {
        if (event === 'begin') store.hold(3);
        if (event === 'evaluated 4') store.letGo(3);
      },
    });
    expectInOrder(events, ['step 3', 'step 4', 'evaluated 4', 'saved 3']);
    expect(predictions).toHaveLength(4);
    expect(predictions).toEqual(wanted.predictions);
    expect(result).toMatchObject({ end: 'early stop', progress: { step: 8, best: { step: 2 } } });
    expect(await new CheckpointStore(aside).steps()).toEqual([8, 6, 2]);
    expect(await tensorFiles(aside)).toEqual(await tensorFiles(live));
  });

  test('is whole when a signal ends the run, which goes on from it', async () => {
    const [whole, dir] = [await folder(), await folder()];
    await run(whole);
    const { result, events } = await run(dir, {
      onEvent: (event, store, stop) => {
        if (event === 'begin') store.hold(3);
        if (event !== 'step 4') return;
        stop.signal = 'SIGINT';
        setTimeout(() => store.letGo(3), 20);
      },
    });
    expect(result).toMatchObject({ end: 'SIGINT', progress: { step: 4 } });
    expectInOrder(events, ['step 4', 'saved 3', 'save 4', 'saved 4']);
    expect((await run(dir)).result).toMatchObject({ end: 'done' });
    expect((await tensorFiles(dir)).get('step-00000009/state')).toBe(
      (await tensorFiles(whole)).get('step-00000009/state'),
    );
  });

  test('a disk that fails ends the run before the next checkpoint, with a second try', async () => {
    const dir = await folder();
    const { error, events } = await run(dir, {
      fails: (step) => step === 3,
      onEvent: (event, store) => {
        if (event === 'begin') store.hold(3);
        if (event === 'step 4') store.letGo(3);
      },
    });
    expect(error).toEqual(new UserError('the disk is full'));
    expect(events.filter((event) => /^(save|failed)/.test(event)).slice(0, 2)).toEqual(['save 3', 'failed 3']);
    const [last] = await new CheckpointStore(dir).steps();
    expect(events.slice(-2)).toEqual([`save ${last}`, `saved ${last}`]);
    expect(events).not.toContain('step 7');
    expect((await run(dir)).result).toMatchObject({ end: 'done', progress: { step: 9 } });
  });

  test('a disk that fails at the end, or always, is the error of the run', async () => {
    const last = await run(await folder(), { fails: (step) => step === 9 });
    expect(last.error).toEqual(new UserError('the disk is full'));
    const dir = await folder();
    const always = await run(dir, { fails: () => true });
    expect(always.error).toEqual(new UserError('the disk is full'));
    expect(await new CheckpointStore(dir).steps()).toEqual([]);
  });

  test.each([
    ['is the error of the run', undefined],
    ['comes before that of a step which it made fail', 5],
  ])('that is not finite is never written, and %s', async (_, failing) => {
    const dir = await folder();
    let step = 0;
    const { error, events } = await run(dir, {
      plan: { ...plan, checkpointEvery: 2 },
      wrap: (backend) => ({
        ...backend,
        step: async (feeds, scalars) => {
          ({ step } = scalars);
          const result = await backend.step(feeds, scalars);
          return step === failing ? { ...result, loss: Number.NaN } : result;
        },
        read: async () => {
          const state = await backend.read();
          return step < 4 ? state : new Map([...state, ['weight:w', Float32Array.of(1, Number.POSITIVE_INFINITY)]]);
        },
      }),
    });
    expect(error).toBeInstanceOf(NonFiniteStep);
    expect(error).toMatchObject({ step: 4, what: 'weight:w is not finite after the update' });
    expect(events.filter((event) => event.startsWith('save'))).toEqual(['save 2', 'saved 2']);
    expect(await new CheckpointStore(dir).steps()).toEqual([2]);
  });

  test('is whole before the search for a number that is not finite begins', async () => {
    const dir = await folder();
    const { error, events } = await run(dir, {
      onEvent: (event, store) => {
        if (event === 'begin') store.hold(3);
        if (event === 'step 4') setTimeout(() => store.letGo(3), 20);
      },
      wrap: (backend) => ({
        ...backend,
        step: async (feeds, scalars) => {
          const result = await backend.step(feeds, scalars);
          return scalars.step === 5 ? { ...result, loss: Number.NaN } : result;
        },
      }),
    });
    expect(error).toBeInstanceOf(NonFiniteStep);
    expect(events.at(-1)).toBe('saved 3');
    expect(await new CheckpointStore(dir).steps()).toEqual([3]);
  });
});

test('state in arrays, which steps change, is written before the next step', async () => {
  const { events } = await run(await folder(), {
    residence: 'arrays',
    onEvent: (event, store) => {
      if (event === 'begin') store.hold(3);
      if (event === 'step 3') setTimeout(() => store.letGo(3), 20);
    },
  });
  expect(events.slice(2, 6)).toEqual(['step 3', 'save 3', 'saved 3', 'step 4']);
});
