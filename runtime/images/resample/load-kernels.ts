import { kernelBytes } from './kernels.ts';

/** The kernels with their memory; addresses are offsets in it. */
export interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
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

/** The part of WebAssembly's API that is needed: TypeScript declares it for browsers alone. */
interface Engine {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Kernels };
}

/**
 * Compiles the kernels. Returns undefined where they cannot run: without vector instructions, or in a Node.js without
 * WebAssembly (`--jitless`).
 */
export function loadKernels(): Kernels | undefined {
  const { WebAssembly: engine } = globalThis as { readonly WebAssembly?: Engine };
  if (engine === undefined) return undefined;
  const bytes = kernelBytes();
  if (!engine.validate(bytes)) return undefined;
  return new engine.Instance(new engine.Module(bytes)).exports;
}
