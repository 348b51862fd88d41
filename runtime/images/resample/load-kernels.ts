import { loadModule, type Memory } from '../../tensors/webassembly/load.ts';
import { kernelBytes } from './kernels.ts';

/** The kernels with their memory; addresses are offsets in it. */
export interface Kernels {
  readonly memory: Memory;
  filterRow(from: number, table: number, taps: number, red: number, green: number, blue: number, end: number): void;
  filterColumns(
    from: number,
    stride: number,
    weights: number,
    weightsEnd: number,
    to: number,
    end: number,
    statistics: number,
  ): void;
}

/** Compiles the kernels. Returns undefined where they cannot run. */
export function loadKernels(): Kernels | undefined {
  return loadModule<Kernels>(kernelBytes());
}
