import { CommanderError } from 'commander';
import { reasonOf } from '../runtime/files/file-error.ts';
import { systemFailure } from '../runtime/files/system-failure.ts';
import { UsageError } from '../runtime/files/usage-error.ts';
import { UserError } from '../runtime/files/user-error.ts';
import { commandLine } from './command-line.ts';
import type { Clock, Invocation, Io } from './io.ts';
import { complain, printRendered } from './print.ts';
import { processClock, processIo } from './process-io.ts';

/**
 * Runs a command line (the words after `crobc`) and returns the exit code: 0 success, 1 errors in the sources or the
 * data, 2 wrong usage, 3 a bug in crobc, 130 or 143 if a signal ended a training after it saved its state. Several runs
 * with their own streams can run at the same time in one process; they share its working folder.
 */
export async function run(argv: readonly string[], io: Io, clock: Clock): Promise<number> {
  const { stdout, stderr, cwd, environment, signals } = io;
  const invocation = { argv, stdout, stderr, cwd, environment, signals, clock };
  // The process's own Io is the default. Any other is passed through an async context, which takes time to set up.
  if (io === processIo) return parsed(invocation);
  const { within } = await import('../runtime/process/surroundings.ts');
  return within({ stderr, environment, signals, now: () => clock.now() }, () => parsed(invocation));
}

async function parsed(io: Invocation): Promise<number> {
  let status = 0;
  const { CROBC_PROGRESS: progress } = io.environment;
  if (progress && progress !== 'off')
    complain(io, `note: CROBC_PROGRESS is ${progress}, which means nothing: \`off\` turns progress off`);
  const program = commandLine(io, (code) => {
    status = code;
  });
  try {
    await program.parseAsync(io.argv, { from: 'user' });
    return status;
  } catch (error) {
    return failed(error, io);
  }
}

/** Prints why a command failed; returns the exit code. */
function failed(e: unknown, io: Io): number {
  // Commander throws for help and version too, which are not errors; it has printed its other errors already.
  if (e instanceof CommanderError) return e.exitCode === 0 ? 0 : 2;
  if (e instanceof UsageError) {
    complain(io, `error: ${e.message}`);
    return 2;
  }
  const reason = e instanceof UserError ? e.message : systemFailure(e);
  if (reason !== undefined) {
    complain(io, `crobc: ${reason}`);
    return 1;
  }
  printRendered(
    io,
    `crobc: ${(e as Error).message}\n${(e as Error).stack ?? ''}\nThis is a bug in crobc: please report it with the file and the command that led here.\n`,
  );
  return 3;
}

/** Runs the command line of the process and sets its exit code. */
export async function main(): Promise<void> {
  // When the reader of a pipe closes it, as `head` does, output stops and the command continues.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      process.exitCode ||= error.code === 'EPIPE' ? 0 : 1;
      if (error.code !== 'EPIPE' && stream === process.stdout)
        complain(processIo, `crobc: cannot write the output: ${reasonOf(error)}`);
    });
  }
  const status = await run(process.argv.slice(2), processIo, processClock);
  if (status !== 0 || process.exitCode === undefined) process.exitCode = status;
}
