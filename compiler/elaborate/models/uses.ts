import type { Span } from '../../../grammar/span.ts';

/** A declaration of a model under evaluation. */
export interface Asking {
  readonly name: string;
  /** Whether it is from a base, so that it may refer to what a variant removed. */
  readonly inherited: boolean;
}

/** A use of a declaration that a variant removed. */
export interface GoneUse {
  readonly name: string;
  readonly takenOut: Span;
  readonly span: Span;
}

/** Records which declarations of a model use which others while they are evaluated. */
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

  /** Whether the user of a removed declaration may be unneeded; `needed` decides that at the end. */
  mayGo(use: GoneUse): boolean {
    const asking = this.#asking.at(-1);
    if (!asking?.inherited) return false;
    this.#gone.set(asking.name, [...(this.#gone.get(asking.name) ?? []), use]);
    return true;
  }

  namesGone({ name }: Asking): boolean {
    return this.#gone.has(name);
  }

  /** Returns the uses of removed declarations that the given declarations depend on. */
  needed(askers: Iterable<string>): readonly GoneUse[] {
    if (this.#gone.size === 0) return [];
    return [...this.reached(askers)].flatMap((name) => this.#gone.get(name) ?? []);
  }

  /** Returns the given declarations and all that they depend on, directly or indirectly. */
  reached(askers: Iterable<string>): ReadonlySet<string> {
    const reached = new Set(askers);
    for (const name of reached) for (const asked of this.#asked.get(name) ?? []) reached.add(asked);
    return reached;
  }
}
