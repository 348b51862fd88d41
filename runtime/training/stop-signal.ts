import type { StopSignal } from '../process/signals.ts';
import { surroundings } from '../process/surroundings.ts';

export type { StopSignal } from '../process/signals.ts';

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const satisfies Record<StopSignal, number>;

/** 128 and the number of the signal, as shells count. */
export function exitCodeOf(signal: StopSignal): number {
  return exitCodes[signal];
}

/** Whether the user has asked for an end. */
export interface StopRequest {
  readonly signal: StopSignal | undefined;
  /** Signals go back to what they do by default. */
  release(): void;
}

/** Hears SIGINT and SIGTERM: the first asks for an end in good order, a second one ends the process at once. */
export function listenForStop(onFirst: (signal: StopSignal) => void): StopRequest {
  const { signals } = surroundings();
  let asked: StopSignal | undefined;
  const handle = (signal: StopSignal) => {
    if (asked !== undefined) {
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
