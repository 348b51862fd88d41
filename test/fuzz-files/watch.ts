import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault, Place, Share } from './work.ts';

/** What the files of one reader came to. */
export interface Tally {
  /** How many were read. */
  files: number;
  accepted: number;
  refused: number;
  readonly faults: Fault[];
  /** That processes took, all together. */
  seconds: number;
  /** The most memory of a process that read them, in bytes. */
  memory: number;
  /** The longest that one of them took, in milliseconds. */
  longest: number;
}

export interface WatchOptions {
  /** Processes at a time. */
  readonly jobs: number;
  /** Starts a process that does a share, keeps its place in that file, and sends its faults. */
  start(share: Share, place: string): ChildProcess;
  /** Milliseconds that one file may take. */
  readonly patience: number;
  /** Bytes that a process may have. */
  memory(reader: string): number;
  /** Called several times a second with the number of files that have been read. */
  progress(done: number): void;
}

/** Milliseconds between two looks at a process. */
const look = 200;
/** Of a reader: so many are enough to mend first. */
const mostFaults = 200;

/**
 * Does shares in processes, and goes on behind a file at which one ends, does not go on, or takes too much memory: that file
 * is a fault.
 */
export async function watch(shares: readonly Share[], options: WatchOptions): Promise<ReadonlyMap<string, Tally>> {
  const tallies = new Map<string, Tally>();
  const folder = mkdtempSync(join(tmpdir(), 'crobc-watch-'));
  const waiting = [...shares];
  const running = new Map<Share, Place>();
  let finished = 0;
  const tick = setInterval(() => {
    options.progress([...running].reduce((sum, [{ from }, { number }]) => sum + number - from, finished));
  }, look);
  const worker = async (job: number) => {
    for (let share = waiting.shift(); share; share = waiting.shift()) {
      const tally = tallies.get(share.reader) ?? nothing();
      tallies.set(share.reader, tally);
      const started = performance.now();
      const end = await one(share, join(folder, String(job)), tally, options, (place) => running.set(share, place));
      running.delete(share);
      tally.seconds += (performance.now() - started) / 1000;
      tally.files += Math.min(end.number + 1, share.to) - share.from;
      const rest = { ...share, from: end.number + 1 };
      if (end.fault === undefined) finished += share.to - share.from;
      else {
        finished += rest.from - share.from;
        tally.faults.push({ number: end.number, message: end.fault });
        if (rest.from < rest.to && tally.faults.length < mostFaults) waiting.unshift(rest);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: options.jobs }, (_, job) => worker(job)));
  } finally {
    clearInterval(tick);
    rmSync(folder, { recursive: true, force: true });
  }
  return tallies;
}

function nothing(): Tally {
  return { files: 0, accepted: 0, refused: 0, faults: [], seconds: 0, memory: 0, longest: 0 };
}

/** Where a process ended; `fault` is undefined where it did its share. */
interface End {
  readonly number: number;
  readonly fault: string | undefined;
}

/** So many times the patience with a file is what a process may take to begin, on a machine with other work. */
const beginning = 40;

function one(
  share: Share,
  placeFile: string,
  tally: Tally,
  { start, patience, memory }: WatchOptions,
  at: (place: Place) => void,
): Promise<End> {
  return new Promise((done, fail) => {
    rmSync(placeFile, { force: true });
    const child = start(share, placeFile);
    let [place, since]: [Place, number] = [nowhere(share), Date.now()];
    let begun = false;
    let fault: string | undefined;
    const stop = (why: string) => {
      fault = why;
      child.kill('SIGKILL');
    };
    const see = () => {
      const now = placeIn(placeFile);
      if (now && (!begun || now.number !== place.number)) since = Date.now();
      begun ||= now !== undefined;
      place = now ?? place;
      at(place);
    };
    const timer = setInterval(() => {
      see();
      if (Date.now() - since > (begun ? patience : beginning * patience))
        stop(`it is not read within ${patience / 1000} s`);
      // The file before has taken it.
      else if (place.memory > memory(share.reader)) stop('');
    }, look);
    child.on('message', (found: Fault) => {
      if (tally.faults.length < mostFaults) tally.faults.push(found);
    });
    child.on('error', fail);
    child.on('close', (code, signal) => {
      clearInterval(timer);
      see();
      tally.accepted += place.accepted;
      tally.refused += place.refused;
      tally.memory = Math.max(tally.memory, place.memory);
      tally.longest = Math.max(tally.longest, place.longest);
      const tooMuch = place.memory > memory(share.reader);
      if (tooMuch) done({ number: place.number - 1, fault: `the process has ${megabytes(place.memory)} MB` });
      else if (fault !== undefined || code !== 0)
        done({ number: place.number, fault: fault ?? `the process ends with ${signal ?? code}` });
      else done({ number: share.to, fault: undefined });
    });
  });
}

function nowhere({ from }: Share): Place {
  return { number: from, accepted: 0, refused: 0, memory: 0, longest: 0 };
}

/** Undefined before the process has begun. */
function placeIn(file: string): Place | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Place;
  } catch {
    return undefined;
  }
}

export function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
