/** What asks a run to end: Ctrl-C, and what ends services and jobs. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** How a run hears of signals, and how it ends at once. A process has its own; a test brings a stand-in. */
export interface Signals {
  on(signal: StopSignal, handler: () => void): void;
  off(signal: StopSignal, handler: () => void): void;
  /** Ends the process with this status, whatever is left to do. */
  end(status: number): void;
}

export const processSignals: Signals = {
  on: (signal, handler) => void process.on(signal, handler),
  off: (signal, handler) => void process.off(signal, handler),
  end: (status) => process.exit(status),
};
