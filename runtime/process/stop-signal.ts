import type { StopSignal } from './signals.ts';
import { surroundings } from './surroundings.ts';

export type { StopSignal } from './signals.ts';

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const satisfies Record<StopSignal, number>;

/** Returns 128 plus the signal number, as shells do. */
export function exitCodeOf(signal: StopSignal): number {
  return exitCodes[signal];
}

/** The user's request to stop, if there is one. */
export interface StopRequest {
  readonly signal: StopSignal | undefined;
  /** Restores the default handling of signals. */
  release(): void;
}

/**
 * Handles SIGINT and SIGTERM: the first one requests a stop, the second one ends the process immediately, after
 * `onSecond`.
 */
export function listenForStop(onFirst: (signal: StopSignal) => void, onSecond?: () => void): StopRequest {
  const { signals } = surroundings();
  let asked: StopSignal | undefined;
  const handle = (signal: StopSignal) => {
    if (asked !== undefined) {
      onSecond?.();
      signals.end(exitCodeOf(signal));
      return;
    }
    asked = signal;
    onFirst(signal);
  };
  const handlers = (Object.keys(exitCodes) as StopSignal[]).map((signal) => [signal, () => handle(signal)] as const);
  for (const [signal, handler] of handlers) signals.on(signal, handler);
  return {
    get signal() {
      return asked;
    },
    release() {
      for (const [signal, handler] of handlers) signals.off(signal, handler);
    },
  };
}
