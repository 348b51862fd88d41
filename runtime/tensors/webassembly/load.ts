/** The memory of a module that `moduleBytes` made. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part of WebAssembly's API that is needed: TypeScript declares it for browsers alone. */
interface Engine {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/**
 * Compiles a module; its exports are taken to be of type `E`. Returns undefined where it cannot run: without vector
 * instructions, or in a Node.js without WebAssembly (`--jitless`).
 */
export function loadModule<E extends { readonly memory: Memory }>(bytes: Uint8Array): E | undefined {
  const { WebAssembly: engine } = globalThis as { readonly WebAssembly?: Engine };
  if (engine === undefined || !engine.validate(bytes)) return undefined;
  return new engine.Instance(new engine.Module(bytes)).exports as E;
}
