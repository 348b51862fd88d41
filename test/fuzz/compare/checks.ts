/** What went wrong with a program: the kind is what stays the same while it is made smaller. */
export interface Failure {
  readonly kind: string;
  readonly detail: string;
}

export type Counts = Record<string, number>;

export class Failed extends Error {
  readonly kind: string;
  constructor(kind: string, detail: string) {
    super(detail);
    this.kind = kind;
  }
}

/** Counts the comparisons of one program, and ends them with the first that does not hold. */
export class Checks {
  readonly counts: Counts = {};
  /** For `runLanes`. */
  readonly noise: number;

  constructor(noise: number) {
    this.noise = noise;
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** What must not throw: whatever it throws is a failure of this kind. */
  async sound<T>(kind: string, run: () => T | Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof Failed) throw error;
      throw new Failed(kind, error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }

  /** Fails where something is to be said. */
  hold(kind: string, what: string | undefined): void {
    if (what !== undefined) throw new Failed(kind, what);
  }
}
