import { byteSize } from '../runtime/files/byte-size.ts';
import { readTextSync } from '../runtime/files/read-file.ts';
import { UserError } from '../runtime/files/user-error.ts';

const GiB = 2 ** 30;

/**
 * Minimum address space of each command, measured on two cores with models of a few weights: Node.js, native libraries,
 * and the heaps and stacks of threads, most of it reserved and never used. With less, native code ends the process, or
 * an intact image counts as damaged. Commands that are not listed need only what Node.js needs.
 */
const least: ReadonlyMap<string, number> = new Map([
  ['build', 1.7 * GiB],
  ['predict', 1.5 * GiB],
  ['eval', 2.25 * GiB],
  ['train', 2.75 * GiB],
  ['compare', 2.75 * GiB],
  ['data check', 1.5 * GiB],
  ['data stats', 1.5 * GiB],
  ['data synth', 1.5 * GiB],
]);

/** Throws if a command needs more address space than the process may use (`ulimit -v`; only Linux reports it). */
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
    // A container may hide the file; then the limit is unknown.
    return Number.POSITIVE_INFINITY;
  }
}

/** Parses the soft limit from Linux's table, in bytes; infinite if there is none. */
export function softLimit(limits: string): number {
  const soft = /^Max address space +(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
