/** Signals that ask a run to stop: SIGINT from Ctrl-C, SIGTERM from service and job managers. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Subscribes to signals, and ends the process. Tests use a substitute. */
export interface Signals {
  on(signal: StopSignal, handler: () => void): void;
  off(signal: StopSignal, handler: () => void): void;
  /** Exits immediately with this status. */
  end(status: number): void;
}

export const processSignals: Signals = {
  on: (signal, handler) => void process.on(signal, handler),
  off: (signal, handler) => void process.off(signal, handler),
  end: (status) => process.exit(status),
};
