import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Reader } from './reader.ts';
import { trial } from './trial.ts';

/** A part of the work, for one process. */
export interface Share {
  readonly reader: string;
  /** Numbers of files: `from` and those before `to`. */
  readonly from: number;
  readonly to: number;
}

/** How far a process is. */
export interface Place {
  /** The file that is being read. */
  readonly number: number;
  readonly accepted: number;
  readonly refused: number;
  /** The most memory that the process has had so far, in bytes. */
  readonly memory: number;
  /** The longest that one file took so far, in milliseconds. */
  readonly longest: number;
}

/** A file that did not end in a value or in a line. */
export interface Fault {
  readonly number: number;
  readonly message: string;
}

/**
 * Reads the files of a share, one after the other. Before each, the place goes to a file, so that it is known when the
 * process does not live on.
 */
export async function work(
  { from, to }: Share,
  reader: Reader,
  { place, report }: { readonly place: string; report(fault: Fault): void },
): Promise<void> {
  const folder = temporaryFolder();
  const descriptor = openSync(place, 'w');
  let now: Place = { number: from, accepted: 0, refused: 0, memory: 0, longest: 0 };
  const keep = () => writeSync(descriptor, JSON.stringify(now).padEnd(200), 0);
  try {
    keep();
    const opened = await reader.open(folder);
    for (let number = from; number < to; number++) {
      const started = performance.now();
      const outcome = await trial(opened, number);
      const longest = Math.max(now.longest, performance.now() - started);
      const memory = Math.max(now.memory, memoryPeak());
      if (outcome.kind === 'fault') report({ number, message: outcome.message });
      now = {
        number: number + 1,
        accepted: now.accepted + (outcome.kind === 'accepted' ? 1 : 0),
        refused: now.refused + (outcome.kind === 'refused' ? 1 : 0),
        memory,
        longest,
      };
      keep();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A new folder, in memory where the system has such a place: flushing files to a disk would take most of the time. */
export function temporaryFolder(): string {
  const memory = '/dev/shm';
  return mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'crobc-fuzz-'));
}

/** The most memory of this process so far, in bytes; what it has now where the system does not say. */
function memoryPeak(): number {
  const status = '/proc/self/status';
  const peak = existsSync(status) ? /VmHWM:\s*(\d+) kB/.exec(readFileSync(status, 'utf8'))?.[1] : undefined;
  return peak === undefined ? process.memoryUsage.rss() : Number(peak) * 1024;
}
