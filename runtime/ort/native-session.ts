import { ArrayPool, orOrdinary } from './array-pool.ts';
import {
  type Bound,
  type BoundRun,
  type CapturingSession,
  misfitOf,
  NativeDevice,
  NativeFailure,
  type NativeSession,
  type NoNative,
  type Provider,
  ShapedRuns,
} from './c-api/device.ts';
import { loadFailure, nativeMessage, RunFailure, runFailure } from './failures.ts';
import type { Feeds } from './host-tensor.ts';
import { joined, type Session, type SessionOptions } from './session-types.ts';

export interface NativeSessionSettings extends SessionOptions {
  readonly device: 'cpu' | 'cuda';
  /** Why this device, if the user did not choose it. */
  readonly note: string | undefined;
}

/**
 * Opens a model by onnxruntime's C API. On CUDA, runs with the same shapes are captured as CUDA graphs. Throws a
 * UserError for a model that cannot be opened. `provider` is a parameter so that tests without a GPU take the way of one.
 */
export async function openNativeSession(
  model: string | Uint8Array,
  settings: NativeSessionSettings,
  provider: Provider = settings.device === 'cpu' ? { device: 'cpu' } : { device: 'cuda', tf32: settings.tf32 ?? true },
): Promise<Session | NoNative> {
  const device = await sharedDevice(provider);
  if ('missing' in device) return device;
  const named = typeof model === 'string' ? model : 'the model';
  // A model that runs once is not worth capturing.
  const isRepeated = settings.optimised !== false;
  let opened: CapturingSession;
  try {
    opened = isRepeated
      ? await device.openCapturing(model, { ...settings, named })
      : { session: await device.open(model, { ...settings, named }), uncaptured: 'it runs once' };
  } catch (error) {
    throw error instanceof NativeFailure ? loadFailure(error, named) : error;
  }
  const why =
    settings.device === 'cuda' && isRepeated && opened.uncaptured !== undefined
      ? `runs are not CUDA graphs: ${opened.uncaptured}`
      : undefined;
  const tf32 = provider.device === 'cuda' && provider.tf32;
  return sessionOf(device, opened, { device: settings.device, note: joined([settings.note, why]), tf32 });
}

/** Devices that sessions share, by their providers: opening one takes longer than opening a small model. */
const devices = new Map<string, Promise<NativeDevice | NoNative>>();

function sharedDevice(provider: Provider): Promise<NativeDevice | NoNative> {
  const key = JSON.stringify(provider);
  const known = devices.get(key);
  if (known) return known;
  const opened = NativeDevice.open(provider).catch((error): NoNative => {
    devices.delete(key);
    if (error instanceof NativeFailure) return { missing: nativeMessage(error.message) };
    throw error;
  });
  devices.set(key, opened);
  return opened;
}

function sessionOf(
  device: NativeDevice,
  { session, uncaptured }: CapturingSession,
  { device: name, note, tf32 }: Pick<Session, 'device' | 'note' | 'tf32'>,
): Session {
  const runsOf = (bound: Bound): BoundRun | ShapedRuns =>
    uncaptured === undefined
      ? new ShapedRuns(session, bound, (type) => device.array(device.pinned(type)))
      : session.bind(bound);
  const feedArrays = device.copiesArrays
    ? new ArrayPool(orOrdinary((type) => failingAtOnce(() => device.pinned(type))))
    : undefined;
  const arrays = (hosts: Feeds) =>
    Object.fromEntries(Object.entries(hosts).map(([port, host]) => [port, device.array(host)]));
  /** What is bound for runs that return all their outputs, by the names of these. */
  const returning = new Map<string, BoundRun | ShapedRuns>();
  /** Runs of a binding are one after the other. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(what: () => Promise<T>): Promise<T> => {
    const turn = last.then(what);
    last = turn.catch(() => undefined);
    return turn;
  };

  return {
    device: name,
    note,
    tf32,
    inputs: session.inputs,
    outputs: session.outputs,
    arrays: feedArrays,
    run: (feeds, { wanted, into = {} } = {}) =>
      inTurn(() =>
        failing(async () => {
          const names = wanted ?? session.outputs.map(({ name: output }) => output);
          expectFeeds(session, feeds);
          expectOutputs(session, names);
          const given = Object.fromEntries(names.flatMap((port) => (into[port] ? [[port, into[port]]] : [])));
          if (Object.keys(given).length === 0) {
            const key = JSON.stringify(names);
            const known = returning.get(key) ?? runsOf({ inputs: {}, outputs: {}, fetched: names });
            returning.set(key, known);
            return await known.run(feeds);
          }
          expectFit(session, 'outputs', given);
          const outputs = arrays(given);
          const fetched = names.filter((port) => !Object.hasOwn(given, port));
          const run = session.bind({ inputs: {}, outputs, fetched });
          try {
            const results = await run.run(feeds);
            return Object.fromEntries(names.map((port) => [port, given[port] ?? results[port]!]));
          } finally {
            await run.release();
            for (const tensor of Object.values(outputs)) tensor.release();
          }
        }),
      ),
    prepare({ feeds, into }) {
      const run = runsOf({ inputs: arrays(feeds), outputs: arrays(into) });
      return (more) =>
        inTurn(() =>
          failing(async () => {
            expectFeeds(session, { ...feeds, ...more });
            await run.run(more);
          }),
        );
    },
    async release() {
      await last;
      feedArrays?.close();
      await session.release();
    },
  };
}

/** Throws a RunFailure unless there is a tensor that fits for each input, and no other. */
function expectFeeds(session: NativeSession, feeds: Feeds): void {
  const missing = session.inputs.find(({ name }) => !Object.hasOwn(feeds, name));
  if (missing) throw misfit(`the input ${missing.name} is missing`);
  expectFit(session, 'inputs', feeds);
}

function expectFit(session: NativeSession, side: 'inputs' | 'outputs', tensors: Feeds): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    const why = misfitOf(session[side], name, tensor);
    if (why !== undefined) throw misfit(why);
    const { shape, data } = tensor;
    if (data.length !== shape.reduce((product, size) => product * size, 1))
      throw misfit(`${name} has ${data.length} elements for the shape [${shape.join(', ')}]`);
  }
}

function expectOutputs({ outputs }: NativeSession, wanted: readonly string[]): void {
  const other = wanted.find((name) => !outputs.some((port) => port.name === name));
  if (other !== undefined) throw misfit(`the model has no ${other}`);
}

function misfit(why: string): RunFailure {
  return new RunFailure(`the model cannot run with these inputs: ${why}`);
}

function failingAtOnce<T>(what: () => T): T {
  try {
    return what();
  } catch (error) {
    throw error instanceof NativeFailure ? runFailure(error) : error;
  }
}

async function failing<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof NativeFailure ? runFailure(error) : error;
  }
}
