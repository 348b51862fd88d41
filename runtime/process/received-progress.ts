import { AsyncLocalStorage } from 'node:async_hooks';

/** How far a task is, for a program that shows it itself. */
export interface ProgressReport {
  readonly task: string;
  readonly done: number;
  readonly total: number;
  /** A few words, such as the loss; empty without any. */
  readonly note: string;
}

type Receiver = (report: ProgressReport) => void;

const receivers = new AsyncLocalStorage<Receiver>();

/** Hands the progress of all that `run` does to `receive`, and shows none of it. */
export function receiveProgress<T>(receive: Receiver, run: () => Promise<T>): Promise<T> {
  return receivers.run(receive, run);
}

/** Who receives the progress of what runs now; undefined where it is shown. */
export function progressReceiver(): Receiver | undefined {
  return receivers.getStore();
}
