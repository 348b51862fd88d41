import type { LibraryHandle } from 'koffi';
import { loadKoffi } from './load-koffi.ts';

/** Memory of a GPU in bytes. */
export interface DeviceMemory {
  readonly total: number;
  /** What is left beside other processes and what CUDA itself takes in this one. */
  readonly free: number;
}

/** Why the memory of the GPU is not known: one line. */
export interface NoDeviceMemory {
  readonly missing: string;
}

/** NVIDIA's driver: by the linker's name, and where WSL has it. */
const drivers = process.platform === 'win32' ? ['nvcuda.dll'] : ['libcuda.so.1', '/usr/lib/wsl/lib/libcuda.so.1'];

/** Stays loaded: what the driver started does not end with it. */
let driver: LibraryHandle | undefined;

/**
 * Returns the memory of the first GPU that CUDA shows to this process, from the driver. It takes a moment, because the
 * driver makes a context first.
 */
export function deviceMemory(): DeviceMemory | NoDeviceMemory {
  const koffi = loadKoffi();
  if ('missing' in koffi) return koffi;
  driver ??= firstLoaded(koffi.load);
  if (!driver) return { missing: `${drivers[0]} of NVIDIA's driver is not there` };
  try {
    return readMemory(driver);
  } catch (error) {
    if (error instanceof DriverFailure) return { missing: error.message };
    throw error;
  }
}

function firstLoaded(load: (path: string) => LibraryHandle): LibraryHandle | undefined {
  for (const path of drivers) {
    try {
      return load(path);
    } catch {
      // The driver may be at the next path.
    }
  }
  return undefined;
}

class DriverFailure extends Error {}

/** Calls of CUDA's driver API, which has a version in some names. Each gives 0 or the number of an error. */
function readMemory(library: LibraryHandle): DeviceMemory {
  const call = (declaration: string, ...args: readonly unknown[]) => {
    const code = library.func(declaration)(...args) as number;
    if (code === 0) return;
    const name = /(\w+)\(/.exec(declaration)?.[1];
    throw new DriverFailure(`${name} of NVIDIA's driver gave error ${code}`);
  };
  const [device, context] = [new Int32Array(1), new BigUint64Array(1)];
  const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
  call('int cuInit(unsigned int flags)', 0);
  call('int cuDeviceGet(void *device, int ordinal)', device, 0);
  call('int cuDevicePrimaryCtxRetain(void *context, int device)', context, device[0]);
  try {
    call('int cuCtxSetCurrent(uintptr_t context)', context[0]);
    try {
      call('int cuMemGetInfo_v2(void *free, void *total)', free, total);
    } finally {
      call('int cuCtxSetCurrent(uintptr_t context)', 0n);
    }
  } finally {
    call('int cuDevicePrimaryCtxRelease_v2(int device)', device[0]);
  }
  return { total: Number(total[0]), free: Number(free[0]) };
}
