import { byteSize } from '../runtime/files/byte-size.ts';
import { readTextSync } from '../runtime/files/read-file.ts';
import { UserError } from '../runtime/files/user-error.ts';

const GiB = 2 ** 30;

/**
 * Address space that a command takes at least, measured on two cores with models of a few weights: Node.js, native libraries, and
 * the heaps and stacks of threads, most of it reserved and never used. Where it does not suffice, native code ends the process, or
 * a whole picture counts as damaged. Other commands take what Node.js takes.
 */
const least: ReadonlyMap<string, number> = new Map([
  ['build', 1.7 * GiB],
  ['predict', 1.5 * GiB],
  ['eval', 2.25 * GiB],
  ['train', 2.75 * GiB],
  ['data check', 1.5 * GiB],
  ['data stats', 1.5 * GiB],
  ['data synth', 1.5 * GiB],
]);

/** Refuses a command that needs more addresses than the process may have: `ulimit -v`, which Linux alone tells. */
export function requireAddressSpace(command: string, allowed: () => number = limit): void {
  const needed = least.get(command);
  if (needed === undefined) return;
  const most = allowed();
  if (most >= needed) return;
  throw new UserError(
    `${command} takes ${byteSize(needed)} of address space or more, and this process may have ${byteSize(most)} ` +
      '(ulimit -v): raise that limit; what bounds memory itself is a container',
  );
}

function limit(): number {
  if (process.platform !== 'linux') return Number.POSITIVE_INFINITY;
  try {
    return softLimit(readTextSync('/proc/self/limits', 'bytes'));
  } catch {
    // A container may hide it; then nothing is known.
    return Number.POSITIVE_INFINITY;
  }
}

/** Of the table that Linux gives, in bytes; infinite where there is none. */
export function softLimit(limits: string): number {
  const soft = /^Max address space +(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
