import { newElements } from './elements.ts';
import type { Engine, EngineModel, Resident, ResidentCopy } from './engine.ts';
import type { Feeds, HostTensor } from './host-tensor.ts';
import { openNodeSession } from './node-session.ts';
import type { Device } from './session-types.ts';

/** An engine of onnxruntime-node, whose tensors are all arrays of this process. */
export function openNodeEngine(device: Device, note: string | undefined): Engine {
  return {
    device,
    note,
    residence: 'arrays',
    hold: async (host) => residentArray(host),
    copy: copyArrays,
    array: ({ dtype, shape }) => ({ dtype, shape, data: newElements(dtype, shape) }),
    async open(model, { threads, planMemory, captured = false }): Promise<EngineModel> {
      const options = { device, note, planMemory, ...(threads === undefined ? {} : { threads }) };
      const session = await openNodeSession(model, options);
      return {
        inputs: session.inputs.map(({ name }) => name),
        uncaptured: captured ? 'onnxruntime-node has no CUDA graphs' : undefined,
        bind: ({ inputs, outputs, reads, writes }) =>
          session.prepare({
            feeds: { ...hosts(inputs), ...reads },
            into: { ...hosts(outputs), ...writes },
          }),
        async run(inputs, feeds, output) {
          const results = await session.run({ ...hosts(inputs), ...feeds }, { wanted: [output] });
          return results[output]!;
        },
        release: () => session.release(),
      };
    },
    release: async () => undefined,
  };
}

/** A tensor whose only memory is its array. */
export function residentArray(host: HostTensor): Resident {
  return {
    host,
    upload: async () => undefined,
    download: async () => undefined,
    part: (_from, part) => residentArray(part),
  };
}

/** Copies tensors whose only memory is their arrays. */
export async function copyArrays(copies: readonly ResidentCopy[]): Promise<void> {
  for (const { from, to } of copies) (to.host.data as Float32Array).set(from.host.data as Float32Array);
}

function hosts(residents: Readonly<Record<string, Resident>>): Feeds {
  return Object.fromEntries(Object.entries(residents).map(([name, { host }]) => [name, host]));
}
