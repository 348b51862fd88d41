import { createHash, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { link, lstat, readdir, rm, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileError } from '../files/file-error.ts';
import { readText, readTextSync } from '../files/read-file.ts';
import { cut } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';

const lockName = '.lock';

/** Who holds a lock. The start time distinguishes a process from a later one with the same id. */
interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly host: string;
}

/** One attempt to take locks: no two attempts write the same text, so a lock's text identifies who made it. */
interface Contender {
  readonly file: string;
  readonly text: string;
}

type Outcome = { readonly kind: 'held' } | { readonly kind: 'busy'; readonly holder: Holder; readonly taking: boolean };

/** A folder that is locked for this process. */
export interface RunLock {
  release(): Promise<void>;
  /** Before a signal ends the process. */
  releaseNow(): void;
}

/**
 * Locks a run's folder against other runs. A lock left behind by a process that no
 * longer exists is taken over. Throws a UserError that names the process that holds the folder.
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
        // The process ends, and a lock of a process that is gone is stale.
      }
    },
  };
}

/**
 * Takes the lock at a path. A lock is a hard link to a contender's file, so it appears with its whole text, and for one
 * contender only.
 *
 * The right to remove a stale lock is itself a lock, whose name is made from the stale text. Its holder alone may remove
 * that text, and no later lock has the same text: so a lock that is found stale while the right is held cannot be
 * replaced before it is removed. A contender that dies with the right leaves a stale lock, which is taken in the same way.
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

/** The text of a lock; undefined where it has been removed. */
async function read(path: string): Promise<string | undefined> {
  try {
    if (!(await lstat(path)).isFile()) throw new UserError(`${path} is not a regular file: remove it`);
    return await readText(path, 'record');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes what contenders that were killed have left beside the lock; for its holder. */
async function removeLeftovers(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!name.startsWith(`${lockName}.`)) continue;
    const holder = holderOf((await read(join(dir, name))) ?? '');
    if (holder && !isAlive(holder)) await rm(join(dir, name), { force: true });
  }
}

function busyError(dir: string, lock: string, { holder, taking }: Outcome & { kind: 'busy' }): UserError {
  if (taking) return new UserError(`${dir} is in use by another run that begins just now: choose another -o`);
  // Whether a process on another host is alive cannot be found out here: a container that is started again has another name.
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
    const { pid, started, host } = JSON.parse(text) as Partial<Holder>;
    return typeof pid === 'number' && typeof started === 'string' && typeof host === 'string'
      ? { pid, started, host }
      : undefined;
  } catch {
    return undefined;
  }
}

/** On another machine (a shared disk) there is no telling, and the lock counts. */
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

/** When a process started, in ticks since the machine did; undefined where the system does not say. */
function startOf(pid: number): string | undefined {
  try {
    const text = readTextSync(`/proc/${pid}/stat`, 'record');
    // The second field is the name, in parentheses, and may hold anything; the start is the 22nd field.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
