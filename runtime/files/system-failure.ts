import { reasonOf } from './file-error.ts';

/**
 * Returns one line for an error of the operating system (a file, a folder, a native library or memory) that was thrown
 * anywhere in a command; undefined for all other errors.
 */
export function systemFailure(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === 'ERR_DLOPEN_FAILED') return `cannot load a native library: ${firstLine(error)}`;
  if (code === 'ERR_MEMORY_ALLOCATION_FAILED' || (error instanceof RangeError && outOfMemory.test(error.message)))
    return `out of memory: ${firstLine(error)}; use smaller sizes or batches, or a machine with more`;
  if (typeof syscall !== 'string' || code === undefined) return undefined;
  const action = writing.has(syscall) ? 'write' : 'read';
  return path === undefined
    ? `cannot ${action} a file: ${reasonOf(error)}`
    : `cannot ${action} ${path}: ${reasonOf(error)}`;
}

/** V8's messages when it cannot allocate a buffer or a string. */
const outOfMemory =
  /^(Invalid typed array length|Array buffer allocation failed|Invalid string length|WebAssembly\.Memory)/;

const writing: ReadonlySet<string> = new Set([
  'write',
  'mkdir',
  'rename',
  'unlink',
  'rm',
  'rmdir',
  'link',
  'symlink',
  'copyfile',
  'ftruncate',
  'fsync',
]);

function firstLine({ message }: Error): string {
  return message.split('\n')[0]!;
}
