import type { ReleaseCall } from './calls.ts';
import type { Native } from './native.ts';

/**
 * An object of onnxruntime and its owner. What is owned is released first, so any order of `release` calls is safe; and
 * a released object cannot be passed to onnxruntime, which would end the process. What a call on another thread uses is
 * held until it returns: if it is released meanwhile, it goes then, and its owner after it.
 */
export class Handle {
  readonly #kind: string;
  readonly #native: Native;
  readonly #releasing: ReleaseCall;
  readonly #owner: Handle | undefined;
  readonly #owned = new Set<Handle>();
  #pointer: bigint | undefined;
  #released = false;
  #holds = 0;

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
    if (this.#pointer === undefined || this.#released) throw this.#usedAfterRelease();
    return this.#pointer;
  }

  get released(): boolean {
    return this.#released;
  }

  /** Releases what it owns, the newest first, and then the object itself. Does nothing the second time. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const owned of [...this.#owned].reverse()) owned.release();
    this.#freeIfUnused();
  }

  /** Releases what it owns and the object itself at once, when no thread makes a call any more. */
  releaseNow(): void {
    this.#released = true;
    for (const owned of [...this.#owned].reverse()) owned.releaseNow();
    this.#free();
  }

  /** Keeps the object until the function that it returns is called. Throws if the object is released. */
  hold(): () => void {
    if (this.#released) throw this.#usedAfterRelease();
    this.#holds++;
    return () => {
      this.#holds--;
      this.#freeIfUnused();
    };
  }

  #freeIfUnused(): void {
    if (this.#released && this.#holds === 0 && this.#owned.size === 0) this.#free();
  }

  #free(): void {
    if (this.#pointer === undefined) return;
    this.#native.release(this.#releasing, this.#pointer);
    this.#pointer = undefined;
    if (!this.#owner) return;
    this.#owner.#owned.delete(this);
    this.#owner.#freeIfUnused();
  }

  #adopt(owned: Handle): void {
    if (this.#released) throw this.#usedAfterRelease();
    this.#owned.add(owned);
  }

  #usedAfterRelease(): Error {
    return new Error(`bug in crobc: ${this.#kind} is used after its release`);
  }
}
