import { loadAllFinite } from './finite-kernel.ts';

let kernel: ReturnType<typeof loadAllFinite> | 'not loaded' = 'not loaded';

/** Whether no number is NaN or infinite. */
export function allFinite(data: ArrayLike<number>): boolean {
  if (!(data instanceof Float32Array)) return allFinitePlain(data);
  if (kernel === 'not loaded') kernel = loadAllFinite();
  return kernel ? kernel(data) : allFinitePlain(data);
}

/** The same for other numbers, and where vector instructions are not supported. */
export function allFinitePlain(data: ArrayLike<number>): boolean {
  // v - v is 0 for finite numbers, else NaN. The sum is NaN if any term is, and a loop without branches is fast.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! - data[i]!;
  return sum === 0;
}
