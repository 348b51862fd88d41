import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openToAppend } from '../../files/open-file.ts';
import { readBytes } from '../../files/read-file.ts';
import { cut } from '../../files/shown.ts';
import { UserError } from '../../files/user-error.ts';
import type { StopSignal } from '../../process/stop-signal.ts';
import { surroundings } from '../../process/surroundings.ts';
import { type ProgramLine, programLine } from './program-lines.ts';

/** A training program that runs in processes of its own. */
export interface RunningProgram {
  /** Asks the program to stop after its step; ends all its processes if it has not begun to train. */
  stop(signal: StopSignal): void;
  /** Ends all its processes at once. */
  kill(): void;
  /** Resolves at its end. Rejects with a UserError if it failed. */
  readonly ended: Promise<void>;
}

export interface ProgramCommand {
  readonly python: string;
  readonly words: readonly string[];
  /** The file that takes its standard error. */
  readonly log: string;
}

/**
 * Starts a program, in a process group of its own: a terminal sends its Ctrl-C to crobc alone, which passes it on.
 * `onLine` takes what it reports, and `onText` what else it prints.
 */
export async function runProgram(
  { python, words, log }: ProgramCommand,
  onLine: (line: ProgramLine) => void,
  onText: (text: string) => void,
): Promise<RunningProgram> {
  const { environment } = surroundings();
  const { handle: errors, stats: before } = await openToAppend(log, 'log');
  const child = spawn(python, words, {
    // Half-written bytecode of an earlier build of the same size would be taken for this one's.
    env: { ...environment, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', errors.fd],
    detached: true,
  });
  let first: number | undefined;
  let failure: string | undefined;
  const { stdout } = child;
  if (!stdout) throw new Error('bug in crobc: the program has no standard output');
  const lines = createInterface({ input: stdout });
  lines.on('line', (text) => {
    const line = programLine(text);
    if (line?.event === 'start') first = line.pid;
    if (line?.event === 'error') failure ??= line.text;
    else if (line) onLine(line);
    else if (text !== '') onText(text);
  });
  const kill = () => signalTo(-child.pid!, 'SIGKILL');
  const closed = Promise.all([once(child, 'close'), once(lines, 'close')]);
  const ended = closed
    .then(async ([[code, signal]]) => {
      if (failure !== undefined) throw new UserError(failure);
      if (code !== 0) throw new UserError(await unexplained(log, before.size, code, signal));
    })
    .finally(() => errors.close());
  // A failure is also reported where nobody waits for the end yet.
  ended.catch(() => undefined);
  return {
    stop: (signal) => (first === undefined ? kill() : signalTo(first, signal)),
    kill,
    ended,
  };
}

/** Sends a signal to a process, or to a group by its negative id, that may have ended already. */
function signalTo(pid: number, signal: StopSignal | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The message for a program that ended without saying why; its part of the log begins at byte `from`. */
async function unexplained(log: string, from: number, code: number | null, signal: string | null): Promise<string> {
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  const bytes = await readBytes(log, 'log').catch(() => Buffer.alloc(0));
  const text = bytes.subarray(from).toString();
  const reason = text.split('\n').find((line) => /^[\w.]*(Error|Exception|Interrupt)\b/.test(line.trim()));
  const why = reason === undefined ? '' : `: ${cut(reason.trim(), 300)}`;
  return `the training program ended ${how}${why}; ${log} has what it printed`;
}

/** The file of a run's folder that has the standard error of its program. */
export function programLog(out: string): string {
  return join(out, 'program.log');
}
