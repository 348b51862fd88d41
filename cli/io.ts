import type { Signals } from '../runtime/process/signals.ts';
import type { Environment, TerminalStream } from '../runtime/process/terminal.ts';

/** The parts of the process that a command uses. Tests pass their own. */
export interface Io {
  /** The result of a command. */
  readonly stdout: TerminalStream;
  /** Messages, notes and progress. */
  readonly stderr: TerminalStream;
  /** The working folder of the process, against which the operating system resolves relative paths. */
  readonly cwd: string;
  readonly environment: Environment;
  readonly signals: Signals;
}

export interface Clock {
  /** A time in milliseconds with an arbitrary origin; only differences are meaningful. */
  now(): number;
}

/** One run of crobc: its command line without `crobc`, and its environment. */
export interface Invocation extends Io {
  readonly argv: readonly string[];
  readonly clock: Clock;
}
