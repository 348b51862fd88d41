import { createHash, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { link, lstat, readdir, rm, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileError } from '../files/file-error.ts';
import { parseJson } from '../files/parse-json.ts';
import { readText, readTextSync } from '../files/read-file.ts';
import { cut } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';

const lockName = '.lock';

/** The process that holds a lock. The start time distinguishes it from a later process with the same id. */
interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly host: string;
}

/** One attempt to take locks. Every attempt writes a different text, so the text of a lock identifies its creator. */
interface Contender {
  readonly file: string;
  readonly text: string;
}

type Outcome = { readonly kind: 'held' } | { readonly kind: 'busy'; readonly holder: Holder; readonly taking: boolean };

/** A lock of this process on a folder. */
export interface RunLock {
  release(): Promise<void>;
  /** Releases synchronously, before a signal ends the process. */
  releaseNow(): void;
}

/**
 * Locks a run's folder against other runs. Takes over a lock of a process that no longer exists. Throws a UserError
 * that names the process that holds the lock.
 */
export async function lockRun(dir: string): Promise<RunLock> {
  const lock = join(dir, lockName);
  const id = randomUUID();
  const own: Holder = { pid: process.pid, started: startOf(process.pid) ?? '', host: hostname() };
  const contender: Contender = { file: join(dir, `${lockName}.${id}`), text: `${JSON.stringify({ ...own, id })}\n` };
  try {
    await writeFile(contender.file, contender.text);
    const outcome = await acquire(lock, contender);
    if (outcome.kind === 'busy') throw busyError(dir, lock, outcome);
    await removeLeftovers(dir).catch(() => undefined);
  } catch (error) {
    throw fileError('write', lock, error);
  } finally {
    await rm(contender.file, { force: true }).catch(() => undefined);
  }
  return {
    async release() {
      if ((await readText(lock, 'record').catch(() => '')) === contender.text) await rm(lock, { force: true });
    },
    releaseNow() {
      try {
        if (readTextSync(lock, 'record') === contender.text) rmSync(lock, { force: true });
      } catch {
        // The process is about to end; its lock is then stale.
      }
    },
  };
}

/**
 * Takes the lock at a path. A lock is a hard link to a contender's file, so it appears with its
 * complete text, and for only one contender.
 *
 * The right to remove a stale lock is itself a lock, whose name is derived from the stale text. Only its holder may
 * remove that text, and no later lock has the same text. So a lock that is found stale while the right is held cannot
 * be replaced before it is removed. A contender that dies while it holds the right leaves a stale lock, which is taken
 * over in the same way.
 */
async function acquire(path: string, contender: Contender): Promise<Outcome> {
  for (;;) {
    if (await linked(contender.file, path)) return { kind: 'held' };
    const found = await read(path);
    if (found === undefined) continue;
    const holder = holderOf(found);
    if (holder && isAlive(holder)) return { kind: 'busy', holder, taking: false };

    const right = `${path}.${createHash('sha256').update(found).digest('hex').slice(0, 16)}`;
    const claimed = await acquire(right, contender);
    if (claimed.kind === 'busy') return { ...claimed, taking: true };
    try {
      if ((await read(path)) === found) await unlink(path);
    } finally {
      await unlink(right);
    }
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Returns the text of a lock; undefined if it has been removed. */
async function read(path: string): Promise<string | undefined> {
  try {
    if (!(await lstat(path)).isFile()) throw new UserError(`${path} is not a regular file: remove it`);
    return await readText(path, 'record');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes files of killed contenders beside the lock. Only the holder of the lock may call it. */
async function removeLeftovers(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!name.startsWith(`${lockName}.`)) continue;
    const holder = holderOf((await read(join(dir, name))) ?? '');
    if (holder && !isAlive(holder)) await rm(join(dir, name), { force: true });
  }
}

function busyError(dir: string, lock: string, { holder, taking }: Outcome & { kind: 'busy' }): UserError {
  if (taking) return new UserError(`${dir} is in use by another run that begins just now: choose another -o`);
  // Processes on another host cannot be checked; a restarted container has a new host name.
  const elsewhere =
    holder.host === hostname()
      ? ['', '']
      : [` on ${cut(holder.host)}`, `; where that machine or container is gone, delete ${lock}`];
  return new UserError(
    `${dir} is in use by another run (process ${holder.pid}${elsewhere[0]}): wait for it, or choose another -o${elsewhere[1]}`,
  );
}

function holderOf(text: string): Holder | undefined {
  try {
    const { pid, started, host } = parseJson(text) as Partial<Holder>;
    return typeof pid === 'number' && typeof started === 'string' && typeof host === 'string'
      ? { pid, started, host }
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether the holder still runs. A holder on another machine (shared disk) counts
 * as alive, since this cannot be checked.
 */
function isAlive({ pid, started, host }: Holder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return now === undefined || started === '' || now === started;
}

/**
 * Returns the start time of a process in ticks since the machine started; undefined if the system does not report it.
 */
function startOf(pid: number): string | undefined {
  try {
    const text = readTextSync(`/proc/${pid}/stat`, 'record');
    // The second field, the name in parentheses, may contain anything; the start time is the 22nd field.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
