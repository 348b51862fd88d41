import { UserError } from '../files/user-error.ts';

/** What is wrong with a line of a data set's file. */
export interface Problem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** What happens to a sample that is wrong: it is left out and counted, or nothing goes on. */
export type OnBad = 'skip' | 'stop';

/** Problems that are shown one by one before they are only counted. */
const SHOWN = 10;

export function problemLine({ file, line, text }: Problem): string {
  return `${file}:${line}: ${text}`;
}

/** Problems as a user sees them: under `stop` the first is thrown as a UserError, under `skip` ten are reported. */
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
    if (this.#onBad === 'stop') throw new UserError(`${line} (--on-bad skip would go on without it)`);
    this.#count++;
    if (this.#count <= SHOWN) this.#report(line);
  }

  /** Once, at the end: how many there were beyond the ten. */
  finish(): void {
    if (this.#count > SHOWN) this.#report(`and ${this.#count - SHOWN} more problems like these`);
  }
}
