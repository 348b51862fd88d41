import { type Checked, nothingChecked, recheck } from '../../compiler/check/recheck.ts';
import { diskHost, isShipped, readSource } from '../../runtime/files/source-host.ts';
import { type CheckedFiles, withUnread } from '../checked-files.ts';
import { folderOfPattern, foundFiles, isPattern } from '../found-files.ts';
import type { Invocation, Io } from '../io.ts';
import { plural } from '../messages.ts';
import { complain } from '../print.ts';
import { WatchedFolders } from '../watched-folders.ts';

/**
 * `crobc check --watch`: checks files, and again what depends on a file that changes, until a signal. `print` prints
 * what was found, compared with the lock file if there is one, and returns the number of errors. Returns 130 or 143, as
 * of a program that ends by the signal.
 */
export async function watchCheck(
  io: Invocation,
  paths: readonly string[],
  lock: string | undefined,
  print: (checked: CheckedFiles) => number,
): Promise<number> {
  const roots = (paths.length > 0 ? paths : ['.']).map((path) => (isPattern(path) ? folderOfPattern(path) : path));
  const folders = new WatchedFolders();
  let before: Checked = nothingChecked;
  let unusable = '';
  let locked: string | undefined;
  /** Prints nothing if everything is as it was. */
  const pass = async (isFirst: boolean): Promise<void> => {
    const start = io.clock.now();
    const found = await foundFiles(paths);
    const now = recheck(diskHost(), found.files, before);
    const checked = withUnread(found, now.checks, now.missing);
    const lines = [...checked.unusable.values()].join('\n');
    const lockText = lock === undefined ? undefined : textOrReason(lock);
    const isChanged =
      now.isChanged || now.checks.length !== before.checks.length || lines !== unusable || lockText !== locked;
    before = now;
    unusable = lines;
    locked = lockText;
    const read = now.checks.flatMap(({ texts }) => [...texts.keys()]).filter((file) => !isShipped(file));
    folders.watch([...roots, ...(lock === undefined ? [] : [lock]), ...new Set(read)]);
    if (!isFirst && !isChanged) return;
    if (!isFirst) complain(io, '');
    const errors = print(checked);
    const seconds = ((io.clock.now() - start) / 1000).toFixed(2);
    const rest = now.again.length < found.files.length ? `${now.again.length} of ` : '';
    complain(
      io,
      `checked ${rest}${plural(found.files.length, 'file')} in ${seconds} s: ${errors === 0 ? 'no errors' : plural(errors, 'error')}; waiting for changes`,
    );
  };
  const stop = stopSignal(io);
  try {
    for (let isFirst = true; ; isFirst = false) {
      await pass(isFirst);
      const code = await Promise.race([folders.change(), stop.code]);
      if (code !== undefined) return code;
    }
  } finally {
    folders.close();
    stop.ignore();
  }
}

/** Returns the text of a file, or why it cannot be read. */
function textOrReason(path: string): string {
  const read = readSource(path);
  return typeof read === 'string' ? read : read.message;
}

/** Returns the exit code that a signal asks for, once there is one. */
function stopSignal({ signals }: Io): { readonly code: Promise<number>; ignore(): void } {
  let ignore = () => {};
  const code = new Promise<number>((end) => {
    const interrupted = () => end(130);
    const terminated = () => end(143);
    signals.on('SIGINT', interrupted);
    signals.on('SIGTERM', terminated);
    ignore = () => {
      signals.off('SIGINT', interrupted);
      signals.off('SIGTERM', terminated);
    };
  });
  return { code, ignore };
}
