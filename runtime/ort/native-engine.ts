import { surroundings } from '../process/surroundings.ts';
import {
  type Bound,
  type BoundRun,
  type CapturingSession,
  type DeviceTensor,
  NativeDevice,
  NativeFailure,
  type NoNative,
  type Provider,
  ShapedRuns,
  type Tensor,
} from './c-api/device.ts';
import { cudaGraphsAreOff } from './cuda-graphs.ts';
import type { Engine, EngineModel, EngineSettings, Residence, Resident } from './engine.ts';
import { loadFailure, nativeMessage, runFailure } from './failures.ts';
import type { Feeds, HostTensor } from './host-tensor.ts';
import { copyArrays, residentArray } from './node-engine.ts';
import { TINY_MODEL } from './tiny-model.ts';

export interface NativeSettings extends EngineSettings {
  /**
   * A setting so that tests without a GPU take the way of one: the CPU provider allocates memory and copies like any
   * device.
   */
  readonly residence?: Residence;
  /** Also for tests: how often a model runs on the CPU where CUDA's provider would capture a run. */
  readonly firstRuns?: number;
}

/** Opens an engine of onnxruntime's C API. Throws a UserError for a value of CROBC_CUDA_GRAPHS that means nothing. */
export async function openNativeEngine(
  device: 'cpu' | 'cuda',
  note: string | undefined,
  { tf32 = true, residence = device === 'cpu' ? 'arrays' : 'device', firstRuns }: NativeSettings = {},
): Promise<Engine | NoNative> {
  const provider: Provider =
    device === 'cuda'
      ? { device, tf32 }
      : { device, staged: residence === 'device', ...(firstRuns === undefined ? {} : { firstRuns }) };
  // A value that means nothing is an error of the user, and no reason to do without graphs.
  if (residence === 'device') cudaGraphsAreOff(surroundings().environment);
  const opened = await NativeDevice.open(provider).catch(missing);
  if ('missing' in opened) return opened;
  const native = opened;
  /** The tensors of onnxruntime for what is resident. */
  const tensors = new Map<Resident, Tensor>();
  const known = (resident: Resident, tensor: Tensor): Resident => {
    tensors.set(resident, tensor);
    return resident;
  };
  const tensorOf = (resident: Resident): Tensor => {
    const tensor = tensors.get(resident);
    if (tensor === undefined) throw new Error('bug in crobc: a tensor is of another engine');
    return tensor;
  };
  const all = (residents: Readonly<Record<string, Resident>>) =>
    Object.fromEntries(Object.entries(residents).map(([name, one]) => [name, tensorOf(one)]));
  const arrays = (hosts: Feeds) =>
    Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, native.array(host)]));

  const onDevice = (host: HostTensor, tensor: DeviceTensor): Resident =>
    known(
      {
        host,
        upload: () => tensor.write(host.data),
        download: () => tensor.readInto(host.data),
        part: (from, part) => onDevice(part, tensor.part(from, part.shape)),
      },
      tensor,
    );

  const attempt = <T>(what: () => T): T => {
    try {
      return what();
    } catch (error) {
      return failed(error);
    }
  };

  const inArray = (host: HostTensor): Resident => {
    const resident = residentArray(host);
    return known({ ...resident, part: (_from, part) => inArray(part) }, native.array(host));
  };

  const engine: Engine = {
    device,
    note,
    residence,
    async hold(host) {
      if (residence === 'arrays') return inArray(host);
      const tensor = attempt(() => native.allocate(host));
      await tensor.write(host.data);
      return onDevice(host, tensor);
    },
    async copy(copies) {
      if (residence === 'arrays') return copyArrays(copies);
      const onDevice = (resident: Resident) => tensorOf(resident) as DeviceTensor;
      await native.copy(copies.map(({ from, to }) => ({ from: onDevice(from), to: onDevice(to) })));
    },
    array: (type) => attempt(() => native.pinned(type)),
    async open(model, { threads, planMemory, captured = false }): Promise<EngineModel> {
      const options = { planMemory, ...(threads === undefined ? {} : { threads }) };
      try {
        if (captured && faultOfCapture === undefined)
          return modelOf(await native.openCapturing(model, options), 'captured');
        return modelOf({ session: await native.open(model, options), uncaptured: faultOfCapture }, 'plain');
      } catch (error) {
        throw error instanceof NativeFailure ? loadFailure(error, 'the model') : error;
      }
    },
    release: () => native.release(),
  };
  let faultOfCapture: string | undefined;
  const fault = residence === 'arrays' ? undefined : await faultOfState(engine, 'plain');
  if (fault !== undefined) {
    await engine.release();
    return { missing: fault };
  }
  if (residence === 'device') faultOfCapture = await faultOfState(engine, 'captured');
  return engine;

  function modelOf({ session, uncaptured }: CapturingSession, how: 'captured' | 'plain'): EngineModel {
    const isCaptured = how === 'captured' && uncaptured === undefined;
    const runsOf = (bound: Bound): BoundRun | ShapedRuns =>
      isCaptured ? new ShapedRuns(session, bound, (type) => native.array(native.pinned(type))) : session.bind(bound);
    let last: Returned | undefined;
    return {
      inputs: session.inputs.map(({ name }) => name),
      uncaptured,
      bind({ inputs, outputs, reads, writes }) {
        const run = runsOf({
          inputs: { ...all(inputs), ...arrays(reads) },
          outputs: { ...all(outputs), ...arrays(writes) },
        });
        return async (feeds) => {
          await run.run(feeds).catch(failed);
        };
      },
      async run(inputs, feeds, output) {
        if (last === undefined || last.output !== output || !sameMembers(last.inputs, inputs)) {
          await last?.run.release();
          last = {
            inputs: { ...inputs },
            output,
            run: runsOf({ inputs: all(inputs), outputs: {}, fetched: [output] }),
          };
        }
        const results = await last.run.run(feeds).catch(failed);
        return results[output]!;
      },
      release: () => session.release(),
    };
  }
}

/** What the last run that returned an output was bound to: the next one mostly is as well. */
interface Returned {
  readonly inputs: Readonly<Record<string, Resident>>;
  readonly output: string;
  readonly run: BoundRun | ShapedRuns;
}

function sameMembers<T>(one: Readonly<Record<string, T>>, other: Readonly<Record<string, T>>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/** Why models do not update a part of a tensor on the device in place, run after run; undefined if they do. */
async function faultOfState(engine: Engine, how: 'plain' | 'captured'): Promise<string | undefined> {
  const memory = Float32Array.of(1, 2, 3, 4, 5);
  const runs = how === 'plain' ? 'runs' : 'captured runs';
  try {
    // y = x + x.
    const options = { threads: 1, planMemory: true, captured: how === 'captured' };
    const model = await engine.open(Buffer.from(TINY_MODEL, 'base64'), options);
    const whole = await engine.hold({ dtype: 'f32', shape: [5], data: memory });
    const part = whole.part(1, { dtype: 'f32', shape: [3], data: memory.subarray(1, 4) });
    const run = model.bind({ inputs: { x: part }, outputs: { y: part }, reads: {}, writes: {} });
    // The second run is captured, the others are repetitions of it.
    for (let times = 0; times < 4; times++) await run({});
    memory.fill(0);
    await whole.download();
    await model.release();
  } catch (error) {
    return `${runs} on the device fail: ${nativeMessage((error as Error).message)}`;
  }
  return memory.join() === '1,32,48,64,5' ? undefined : `${runs} do not update state on the device as they should`;
}

function failed(error: unknown): never {
  throw error instanceof NativeFailure ? runFailure(error) : error;
}

function missing(error: unknown): NoNative {
  if (error instanceof NativeFailure) return { missing: nativeMessage(error.message) };
  throw error;
}
