import type { NoNative } from './c-api/device.ts';
import { type DeviceTensor, NativeDevice, NativeFailure, type NativeSession, type Tensor } from './c-api/device.ts';
import type { Engine, EngineModel, EngineSettings, Resident } from './engine.ts';
import { residentArray } from './node-engine.ts';
import { type Feeds, type HostTensor, loadFailure, nativeMessage, runFailure, TINY_MODEL } from './session.ts';

/** Where state is: in arrays of this process, or in memory that onnxruntime allocates on the device. */
export type Residence = 'arrays' | 'device';

export interface NativeSettings extends EngineSettings {
  /**
   * A setting so that tests without a GPU take the way of one: the CPU provider allocates memory and copies like any
   * device.
   */
  readonly residence?: Residence;
}

/** Opens an engine of onnxruntime's C API. */
export async function openNativeEngine(
  device: 'cpu' | 'cuda',
  note: string | undefined,
  { tf32 = true, residence = device === 'cpu' ? 'arrays' : 'device' }: NativeSettings = {},
): Promise<Engine | NoNative> {
  const opened = await NativeDevice.open(device === 'cpu' ? { device } : { device, tf32 }).catch(missing);
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
        async copyFrom(other) {
          const from = tensorOf(other);
          if (from.memory !== 'device') throw new Error('bug in crobc: a tensor is not on the device');
          await tensor.copyFrom(from as DeviceTensor);
        },
        part: (from, part) => onDevice(part, tensor.part(from, part.shape)),
      },
      tensor,
    );

  const allocate = (host: HostTensor): DeviceTensor => {
    try {
      return native.allocate(host);
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
    async hold(host) {
      if (residence === 'arrays') return inArray(host);
      const tensor = allocate(host);
      await tensor.write(host.data);
      return onDevice(host, tensor);
    },
    async open(model, { threads, planMemory }): Promise<EngineModel> {
      const session = await native
        .open(model, { planMemory, ...(threads === undefined ? {} : { threads }) })
        .catch((error) => {
          throw error instanceof NativeFailure ? loadFailure(error, 'the model') : error;
        });
      return modelOf(session);
    },
    release: () => native.release(),
  };
  const fault = residence === 'arrays' ? undefined : await faultOfState(engine);
  if (fault === undefined) return engine;
  await engine.release();
  return { missing: fault };

  function modelOf(session: NativeSession): EngineModel {
    return {
      inputs: session.inputs.map(({ name }) => name),
      bind({ inputs, outputs, reads, writes }) {
        const run = session.bind({
          inputs: { ...all(inputs), ...arrays(reads) },
          outputs: { ...all(outputs), ...arrays(writes) },
        });
        return async (feeds) => {
          await run.run(feeds).catch(failed);
        };
      },
      async run(inputs, feeds, output) {
        const run = session.bind({ inputs: all(inputs), outputs: {}, fetched: [output] });
        try {
          const results = await run.run(feeds).catch(failed);
          return results[output]!;
        } finally {
          await run.release();
        }
      },
      release: () => session.release(),
    };
  }
}

/** Why models do not update a part of a tensor on the device in place, run after run; undefined if they do. */
async function faultOfState(engine: Engine): Promise<string | undefined> {
  const memory = Float32Array.of(1, 2, 3, 4, 5);
  try {
    // y = x + x.
    const model = await engine.open(Buffer.from(TINY_MODEL, 'base64'), { threads: 1, planMemory: true });
    const whole = await engine.hold({ dtype: 'f32', shape: [5], data: memory });
    const part = whole.part(1, { dtype: 'f32', shape: [3], data: memory.subarray(1, 4) });
    const run = model.bind({ inputs: { x: part }, outputs: { y: part }, reads: {}, writes: {} });
    await run({});
    await run({});
    memory.fill(0);
    await whole.download();
    await model.release();
  } catch (error) {
    return `state on the device fails: ${nativeMessage((error as Error).message)}`;
  }
  return memory.join() === '1,8,12,16,5' ? undefined : 'state on the device is not updated as it should be';
}

function failed(error: unknown): never {
  throw error instanceof NativeFailure ? runFailure(error) : error;
}

function missing(error: unknown): NoNative {
  if (error instanceof NativeFailure) return { missing: nativeMessage(error.message) };
  throw error;
}
