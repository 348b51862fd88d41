import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { timed } from './process.mjs';

/**
 * The environment in which PyTorch multiplies matrices fastest, and the speeds in GFLOP/s without and with it. MKL
 * avoids its fast path on processors not made by Intel unless `mkl_serv_intel_cpu_true` returns 1. With a C compiler,
 * this is tried.
 */
export async function fastestPyTorch(python, threads, folder) {
  const speed = async (env) =>
    Number((await timed(python, ['bench/reference.py', 'matmul', String(threads)], env)).printed.trim());
  const stock = { env: {}, gflops: await speed({}) };
  const source = join(folder, 'mkl.c');
  const library = join(folder, 'mkl.so');
  writeFileSync(source, 'int mkl_serv_intel_cpu_true(void) { return 1; }\n');
  try {
    await timed('cc', ['-shared', '-fPIC', '-o', library, source]);
  } catch {
    return { env: {}, gflops: { stock: stock.gflops } };
  }
  const env = { LD_PRELOAD: library };
  const gflops = { stock: stock.gflops, allowed: await speed(env) };
  return { env: gflops.allowed > gflops.stock ? env : {}, gflops };
}
