import type { Signals } from '../runtime/process/signals.ts';
import type { Environment, TerminalStream } from '../runtime/process/terminal.ts';

/** What a command has of the process that it runs in. A test brings its own. */
export interface Io {
  /** What a command gives. */
  readonly stdout: TerminalStream;
  /** Messages, notes and progress. */
  readonly stderr: TerminalStream;
  /** The process's working folder: the operating system looks up relative paths there. */
  readonly cwd: string;
  readonly environment: Environment;
  readonly signals: Signals;
}

export interface Clock {
  /** Milliseconds since some moment; only differences mean something. */
  now(): number;
}

/** One run of crobc: the words after `crobc`, and what it runs with. */
export interface Invocation extends Io {
  readonly argv: readonly string[];
  readonly clock: Clock;
}
