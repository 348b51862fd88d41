/** Whether a translation unit with these kernels, by their mangled names, stays. */
export function isKept(kernels: readonly string[]): boolean;
/** Leaves out, in place, what is not for a compute capability such as 90. Returns bytes of kernels, and containers that stay. */
export function slimProvider(
  bytes: Buffer,
  arch: number,
): { readonly kept: number; readonly of: number; readonly containers: number };
