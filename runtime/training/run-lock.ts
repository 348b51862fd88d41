import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileError } from '../file-error.ts';
import { UserError } from '../user-error.ts';

const lockName = '.lock';

/** Who holds a folder. A process is told from a later one of the same id by when it started. */
interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly host: string;
}

/**
 * Takes a run's folder, so that no two runs write to it; the function gives it back. A lock that a process left behind
 * that is gone is taken over. Throws a UserError that names the process that has it.
 */
export async function lockRun(dir: string): Promise<() => Promise<void>> {
  const lock = join(dir, lockName);
  const own: Holder = { pid: process.pid, started: startOf(process.pid) ?? '', host: hostname() };
  const text = `${JSON.stringify(own)}\n`;
  const mine = join(dir, `${lockName}.${process.pid}`);
  try {
    // A link appears with its content, so that nobody reads half a lock.
    await writeFile(mine, text);
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        await link(mine, lock);
        return async () => {
          if ((await readFile(lock, 'utf8').catch(() => '')) === text) await rm(lock, { force: true });
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const found = await readFile(lock, 'utf8').catch(() => undefined);
      if (found === undefined) continue;
      const holder = holderOf(found);
      if (holder && isAlive(holder)) {
        // Of a process elsewhere nobody here can tell whether it lives: a container that is started again has another name.
        const elsewhere =
          holder.host === own.host
            ? ['', '']
            : [` on ${holder.host}`, `; where that machine or container is gone, delete ${lock}`];
        throw new UserError(
          `${dir} is in use by another run (process ${holder.pid}${elsewhere[0]}): wait for it, or choose another -o${elsewhere[1]}`,
        );
      }
      await takeAway(lock, found, `${mine}.stale`);
    }
  } catch (error) {
    throw fileError('write', lock, error);
  } finally {
    await rm(mine, { force: true }).catch(() => undefined);
  }
  throw new UserError(`${dir} is in use by another run that begins just now: choose another -o`);
}

/** Removes a stale lock, and not one that somebody else put there in the meantime. */
async function takeAway(lock: string, stale: string, aside: string): Promise<void> {
  try {
    await rename(lock, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8').catch(() => '')) !== stale) await link(aside, lock).catch(() => undefined);
  await rm(aside, { force: true });
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
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name, in parentheses, and may hold anything; the start is the 22nd field.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
