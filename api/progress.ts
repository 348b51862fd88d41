import { receiveProgress } from '../runtime/process/received-progress.ts';

/** The progress of a task. */
export interface ProgressReport {
  /** The name of the task: `weights`, `training`. */
  readonly task: string;
  readonly done: number;
  readonly total: number;
  /** A short text, such as the loss; may be empty. */
  readonly note: string;
}

/** Options of functions that may take long. */
export interface ProgressOptions {
  /** Called during the work. Nothing is printed, whether it is given or not. */
  readonly onProgress?: (report: ProgressReport) => void;
}

/** @internal */
export function withProgress<T>({ onProgress }: ProgressOptions, run: () => Promise<T>): Promise<T> {
  return receiveProgress((report) => onProgress?.(report), run);
}
