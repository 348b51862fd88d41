import type { ReleaseCall } from './calls.ts';
import type { Native } from './native.ts';

/**
 * An object of onnxruntime and its owner. What is owned is released first, so any order of `release` calls is safe; and
 * a released object cannot be passed to onnxruntime, which would end the process.
 */
export class Handle {
  readonly #kind: string;
  readonly #native: Native;
  readonly #releasing: ReleaseCall;
  readonly #owner: Handle | undefined;
  readonly #owned = new Set<Handle>();
  #pointer: bigint | undefined;

  constructor(
    native: Native,
    options: { readonly kind: string; readonly by: ReleaseCall; readonly owner: Handle | undefined },
    pointer: bigint,
  ) {
    this.#native = native;
    this.#kind = options.kind;
    this.#releasing = options.by;
    this.#owner = options.owner;
    this.#pointer = pointer;
    if (options.owner) options.owner.#adopt(this);
  }

  /** Throws if the object is released. */
  get pointer(): bigint {
    if (this.#pointer === undefined) throw new Error(`bug in crobc: ${this.#kind} is used after its release`);
    return this.#pointer;
  }

  get released(): boolean {
    return this.#pointer === undefined;
  }

  /** Releases what it owns, the newest first, and then the object itself. Does nothing the second time. */
  release(): void {
    if (this.#pointer === undefined) return;
    for (const owned of [...this.#owned].reverse()) owned.release();
    this.#native.release(this.#releasing, this.#pointer);
    this.#pointer = undefined;
    if (this.#owner) this.#owner.#owned.delete(this);
  }

  #adopt(owned: Handle): void {
    if (this.#pointer === undefined) throw new Error(`bug in crobc: ${this.#kind} is used after its release`);
    this.#owned.add(owned);
  }
}
