const signals = { SIGINT: 130, SIGTERM: 143 } as const;
export type StopSignal = keyof typeof signals;

/** 128 and the number of the signal, as shells count. */
export function exitCodeOf(signal: StopSignal): number {
  return signals[signal];
}

/** Whether the user has asked for an end. */
export interface StopRequest {
  readonly signal: StopSignal | undefined;
  /** Signals go back to what they do by default. */
  release(): void;
}

/** Hears SIGINT and SIGTERM: the first asks for an end in good order, a second one ends the process at once. */
export function listenForStop(onFirst: (signal: StopSignal) => void): StopRequest {
  let asked: StopSignal | undefined;
  const handle = (signal: StopSignal) => {
    if (asked !== undefined) process.exit(exitCodeOf(signal));
    asked = signal;
    onFirst(signal);
  };
  const handlers = (Object.keys(signals) as StopSignal[]).map((signal) => [signal, () => handle(signal)] as const);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return {
    get signal() {
      return asked;
    },
    release() {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
  };
}
