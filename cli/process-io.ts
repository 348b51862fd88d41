import { processSignals } from '../runtime/process/signals.ts';
import type { Clock, Io } from './io.ts';

/** The streams, working folder, environment and signals of the process. */
export const processIo: Io = {
  get stdout() {
    return process.stdout;
  },
  get stderr() {
    return process.stderr;
  },
  get cwd() {
    return process.cwd();
  },
  environment: process.env,
  signals: processSignals,
};

export const processClock: Clock = { now: () => performance.now() };
