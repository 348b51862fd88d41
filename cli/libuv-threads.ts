/** The number of threads that libuv starts by itself. */
const usual = 4;

/**
 * Lets libuv have a thread for each core: they decode images and read files. It reads the variable when it first needs a
 * thread; whoever has set it keeps the value.
 */
export function sizeThreadPool(environment: Record<string, string | undefined>, cores: number): void {
  if (cores > usual) environment.UV_THREADPOOL_SIZE ??= String(cores);
}
