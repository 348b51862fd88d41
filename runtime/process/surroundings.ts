import { AsyncLocalStorage } from 'node:async_hooks';
import { processSignals, type Signals } from './signals.ts';
import type { Environment, TerminalStream } from './terminal.ts';

/** The parts of the process that a run uses: standard error, environment variables, signals and the clock. */
export interface Surroundings {
  readonly stderr: TerminalStream;
  readonly environment: Environment;
  readonly signals: Signals;
  /** A time in milliseconds with an arbitrary origin; only differences are meaningful. */
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

/** Returns the surroundings of the current async context; by default those of the process. */
export function surroundings(): Surroundings {
  return entered.getStore() ?? ofProcess;
}

/** Runs `work` with other surroundings, so that several runs in one process do not affect each other. */
export function within<T>(there: Surroundings, work: () => Promise<T>): Promise<T> {
  return entered.run(there, work);
}
