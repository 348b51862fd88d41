import { visible } from '../../compiler/diagnostics/visible.ts';
import { duration } from './duration.ts';
import type { ProgressOptions } from './progress.ts';
import { progressReceiver } from './received-progress.ts';
import { addStatusLine, writeLine } from './status-line.ts';
import { surroundings } from './surroundings.ts';
import { drawsStatus, hidesProgress } from './terminal.ts';

/** Displays that work is running whose progress is unknown. */
export interface Stage {
  /** Call it once, at the end or on failure. */
  finish(): void;
}

const PATIENCE_MS = 2_000;
const LINE_AFTER_MS = 10_000;

/**
 * Displays the current work on standard error. On a terminal: immediately, with the elapsed time after two seconds;
 * removed at the end. Elsewhere: one line after ten seconds. Synchronous work shows no time and no line, because timers
 * do not run.
 */
export function startStage(
  label: string,
  options: Pick<ProgressOptions, 'stream' | 'environment' | 'now'> = {},
): Stage {
  const own = surroundings();
  const { stream = own.stderr, environment = own.environment, now = own.now } = options;
  if (progressReceiver() || hidesProgress(environment)) return { finish: () => undefined };
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

/** Displays `label` while `work` runs. */
export async function during<T>(label: string, work: () => Promise<T>): Promise<T> {
  const stage = startStage(label);
  try {
    return await work();
  } finally {
    stage.finish();
  }
}

/** Like `during`, for synchronous work. */
export function whileAt<T>(label: string, work: () => T): T {
  const stage = startStage(label);
  try {
    return work();
  } finally {
    stage.finish();
  }
}
