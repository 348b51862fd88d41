import { UserError } from '../files/user-error.ts';

/** A problem with a line of a data set's file. */
export interface Problem {
  readonly file: string;
  /** Line number, from 1. */
  readonly line: number;
  readonly text: string;
  /** What would avoid it, where a run stops. */
  readonly hint?: string;
}

/** How bad samples are handled: skipped and counted, or the first one throws. */
export type OnBad = 'skip' | 'stop';

/** Maximum number of problems that are reported one by one; the others are counted. */
const SHOWN = 10;

export function problemLine({ file, line, text }: Problem): string {
  return `${file}:${line}: ${text}`;
}

/** Reports problems: `stop` throws the first one as a UserError, `skip` reports ten. */
export class Problems {
  readonly #onBad: OnBad;
  readonly #report: (problem: string) => void;
  #count = 0;

  constructor(onBad: OnBad, report: (problem: string) => void) {
    this.#onBad = onBad;
    this.#report = report;
  }

  get count(): number {
    return this.#count;
  }

  add(problem: Problem): void {
    const line = problemLine(problem);
    if (this.#onBad === 'stop')
      throw new UserError(`${line} (${problem.hint ?? '--on-bad skip would go on without it'})`);
    this.#count++;
    if (this.#count <= SHOWN) this.#report(line);
  }

  /** Reports the number of problems beyond the first ten. Call it once at the end. */
  finish(): void {
    if (this.#count > SHOWN) this.#report(`and ${this.#count - SHOWN} more problems like these`);
  }
}
