import type { Span } from '../../../grammar/span.ts';

/** Something of a model that is being evaluated. */
export interface Asking {
  readonly name: string;
  /** Whether a base wrote it, so that it may name what a variant took out. */
  readonly inherited: boolean;
}

/** A use of something that a variant took out. */
export interface GoneUse {
  readonly name: string;
  readonly takenOut: Span;
  readonly span: Span;
}

/** Who asks for what while the names of a model get their values. */
export class Uses {
  /** Innermost last. */
  readonly #asking: Asking[] = [];
  readonly #asked = new Map<string, Set<string>>();
  readonly #gone = new Map<string, GoneUse[]>();

  within<T>(asking: Asking, make: () => T): T {
    this.#asking.push(asking);
    this.#asked.set(asking.name, new Set());
    const made = make();
    this.#asking.pop();
    return made;
  }

  note(name: string): void {
    const asking = this.#asking.at(-1);
    if (asking) this.#asked.get(asking.name)!.add(name);
  }

  /** Whether it is possible that nothing needs its user: `needed` decides that at the end. */
  mayGo(use: GoneUse): boolean {
    const asking = this.#asking.at(-1);
    if (!asking?.inherited) return false;
    this.#gone.set(asking.name, [...(this.#gone.get(asking.name) ?? []), use]);
    return true;
  }

  namesGone({ name }: Asking): boolean {
    return this.#gone.has(name);
  }

  /** The uses that some of the askers cannot do without. */
  needed(askers: Iterable<string>): readonly GoneUse[] {
    if (this.#gone.size === 0) return [];
    return [...this.reached(askers)].flatMap((name) => this.#gone.get(name) ?? []);
  }

  /** The askers, and all that they have asked for, directly or not. */
  reached(askers: Iterable<string>): ReadonlySet<string> {
    const reached = new Set(askers);
    for (const name of reached) for (const asked of this.#asked.get(name) ?? []) reached.add(asked);
    return reached;
  }
}
