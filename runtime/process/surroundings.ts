import { AsyncLocalStorage } from 'node:async_hooks';
import { processSignals, type Signals } from './signals.ts';
import type { Environment, TerminalStream } from './terminal.ts';

/** What a run sees of the process that it is in: where progress and notes go, what the user has set, the time, signals. */
export interface Surroundings {
  readonly stderr: TerminalStream;
  readonly environment: Environment;
  readonly signals: Signals;
  /** Milliseconds since some moment; only differences mean something. */
  now(): number;
}

const ofProcess: Surroundings = {
  get stderr() {
    return process.stderr;
  },
  get environment() {
    return process.env;
  },
  signals: processSignals,
  now: () => performance.now(),
};

const entered = new AsyncLocalStorage<Surroundings>();

/** Those of the run that calls; the process's own where none were entered. */
export function surroundings(): Surroundings {
  return entered.getStore() ?? ofProcess;
}

/** Runs `work` in other surroundings than the process's: several runs of a process do not meet. */
export function within<T>(there: Surroundings, work: () => Promise<T>): Promise<T> {
  return entered.run(there, work);
}
