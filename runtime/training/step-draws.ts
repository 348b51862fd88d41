import type { Engine } from '../ort/engine.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';
import { type DrawKey, fillDraw } from './draws.ts';

/** Arrays for all draws of a micro-batch. */
interface DrawSet {
  readonly feeds: Readonly<Record<string, HostTensor>>;
  /** What they were filled for. */
  of: DrawKey | undefined;
}

/**
 * The random numbers of a step graph. Where runs leave the processor free, there are two sets of arrays in turns, so
 * that the numbers of the next micro-batch are made during a run. Where they do not, there is one, which stays bound.
 */
export class StepDraws {
  readonly names: ReadonlySet<string>;
  /** Arrays that every run reads. */
  readonly bound: Feeds;
  readonly #sets: readonly DrawSet[];
  /** The set of the next micro-batch. */
  #next = 0;

  constructor(engine: Engine, draws: readonly { readonly name: string; readonly shape: readonly number[] }[]) {
    this.names = new Set(draws.map(({ name }) => name));
    this.#sets = Array.from({ length: engine.residence === 'device' ? 2 : 1 }, () => ({
      feeds: Object.fromEntries(draws.map(({ name, shape }) => [name, engine.array({ dtype: 'f32', shape })])),
      of: undefined,
    }));
    this.bound = this.#sets.length === 1 ? this.#sets[0]!.feeds : {};
  }

  /** Returns what to feed to a run, besides what is bound. It stays as it is until the numbers after the next are made. */
  take(key: DrawKey): Feeds {
    const set = this.#sets[this.#next]!;
    fill(set, key);
    this.#next = (this.#next + 1) % this.#sets.length;
    return this.#sets.length === 1 ? {} : set.feeds;
  }

  /** Makes the numbers that will be taken next, during a run that reads those taken last. */
  prepare(key: DrawKey): void {
    if (this.#sets.length > 1) fill(this.#sets[this.#next]!, key);
  }
}

function fill(set: DrawSet, key: DrawKey): void {
  const { of } = set;
  if (of && of.seed === key.seed && of.step === key.step && of.micro === key.micro) return;
  for (const [name, { data }] of Object.entries(set.feeds)) fillDraw(data as Float32Array, name, key);
  set.of = key;
}
