import { visible } from '../../compiler/diagnostics/visible.ts';
import { duration } from './duration.ts';
import { hidesProgress } from './hides-progress.ts';
import type { ProgressOptions } from './progress.ts';
import { progressReceiver } from './received-progress.ts';
import { addStatusLine, writeLine } from './status-line.ts';
import { surroundings } from './surroundings.ts';
import { drawsStatus } from './terminal.ts';

/** Work of which nobody knows how far it is. */
export interface Stage {
  /** Once, at the end or on failure. */
  finish(): void;
}

const PATIENCE_MS = 2_000;
const LINE_AFTER_MS = 10_000;

/**
 * Says on standard error what is being done. On a terminal: at once, with the time from two seconds on, and goes away at the
 * end. Elsewhere: a line, if it takes more than ten seconds. Work that never lets timers run shows no time, and no line.
 */
export function startStage(
  label: string,
  options: Pick<ProgressOptions, 'stream' | 'environment' | 'now'> = {},
): Stage {
  const own = surroundings();
  const { stream = own.stderr, environment = own.environment, now = own.now } = options;
  if (progressReceiver() || hidesProgress(environment, stream)) return { finish: () => undefined };
  const started = now();
  if (!drawsStatus(stream, environment)) {
    const timer = setTimeout(() => writeLine(`${label} …`, stream), LINE_AFTER_MS);
    timer.unref();
    return { finish: () => clearTimeout(timer) };
  }
  const text = () => {
    const took = now() - started;
    return visible(took < PATIENCE_MS ? `${label} …` : `${label} … ${duration(took)}`);
  };
  const line = addStatusLine((columns) => text().slice(0, columns), stream);
  const timer = setInterval(() => line.draw(), 1_000);
  timer.unref();
  return {
    finish() {
      clearInterval(timer);
      line.remove();
    },
  };
}

/** Says what is being done while it is. */
export async function during<T>(label: string, work: () => Promise<T>): Promise<T> {
  const stage = startStage(label);
  try {
    return await work();
  } finally {
    stage.finish();
  }
}

/** As `during`, for work that does not wait for anything. */
export function whileAt<T>(label: string, work: () => T): T {
  const stage = startStage(label);
  try {
    return work();
  } finally {
    stage.finish();
  }
}
