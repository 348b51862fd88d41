import { receiveProgress } from '../runtime/process/received-progress.ts';

/** How far a task is. */
export interface ProgressReport {
  /** What is done: `weights`, `training`. */
  readonly task: string;
  readonly done: number;
  readonly total: number;
  /** A few words, such as the loss; empty without any. */
  readonly note: string;
}

/** For what may take long. */
export interface ProgressOptions {
  /** Called as the work goes on. Nothing is printed in either case. */
  readonly onProgress?: (report: ProgressReport) => void;
}

/** @internal */
export function withProgress<T>({ onProgress }: ProgressOptions, run: () => Promise<T>): Promise<T> {
  return receiveProgress((report) => onProgress?.(report), run);
}
