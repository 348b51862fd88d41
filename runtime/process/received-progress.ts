import { AsyncLocalStorage } from 'node:async_hooks';

/** The progress of a task, for a program that displays it itself. */
export interface ProgressReport {
  readonly task: string;
  readonly done: number;
  readonly total: number;
  /** A few words, such as the loss; may be empty. */
  readonly note: string;
}

type Receiver = (report: ProgressReport) => void;

const receivers = new AsyncLocalStorage<Receiver>();

/** Passes all progress within `run` to `receive` instead of displaying it. */
export function receiveProgress<T>(receive: Receiver, run: () => Promise<T>): Promise<T> {
  return receivers.run(receive, run);
}

/** Returns the receiver of the current async context; undefined if progress is displayed. */
export function progressReceiver(): Receiver | undefined {
  return receivers.getStore();
}
