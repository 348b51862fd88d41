import type { Feeds, HostTensor } from '../host-tensor.ts';
import type { Bound, BoundRun } from './bound-run.ts';
import type { NativeSession } from './session.ts';
import type { ArrayTensor, TensorType } from './tensor.ts';

/** The most shapes of feeds for which runs are captured: each captured run keeps memory on the device. */
const MOST_CAPTURED = 8;

/** What is known of some shapes of feeds. */
type Shapes = { readonly kind: 'ran once'; readonly fetched: Readonly<Record<string, TensorType>> } | Captured;

/** A captured run, and the arrays for the outputs that it fetches. */
interface Captured {
  readonly kind: 'captured';
  readonly run: BoundRun;
  readonly fetched: Readonly<Record<string, ArrayTensor>>;
}

/**
 * Bound tensors with feeds of any shapes, for any number of runs, one after the other. Runs with the same shapes are
 * captured from the second one on, as most models get the same shapes again and again, or all others once.
 */
export class ShapedRuns {
  readonly #session: NativeSession;
  readonly #array: (type: TensorType) => ArrayTensor;
  readonly #bound: Bound;
  readonly #plain: BoundRun;
  readonly #byShapes = new Map<string, Shapes>();
  #captured = 0;

  constructor(session: NativeSession, bound: Bound, array: (type: TensorType) => ArrayTensor) {
    this.#session = session;
    this.#array = array;
    this.#bound = bound;
    this.#plain = session.bind(bound);
  }

  /** As of a BoundRun. */
  async run(feeds: Feeds = {}): Promise<Readonly<Record<string, HostTensor>>> {
    const key = JSON.stringify(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
    const known = this.#byShapes.get(key);
    if (known === undefined || (known.kind === 'ran once' && this.#captured === MOST_CAPTURED)) {
      const results = await this.#plain.run(feeds);
      const types = Object.entries(results).map(([name, { dtype, shape }]) => [name, { dtype, shape }] as const);
      this.#byShapes.set(key, { kind: 'ran once', fetched: Object.fromEntries(types) });
      return results;
    }
    const { run, fetched } = known.kind === 'captured' ? known : this.#capture(key, known.fetched);
    await run.run(feeds);
    return Object.fromEntries(
      Object.entries(fetched).map(([name, { host }]) => [name, { ...host, data: host.data.slice() }]),
    );
  }

  async release(): Promise<void> {
    await this.#plain.release();
    for (const one of this.#byShapes.values()) {
      if (one.kind !== 'captured') continue;
      await one.run.release();
      for (const array of Object.values(one.fetched)) array.release();
    }
  }

  #capture(key: string, types: Readonly<Record<string, TensorType>>): Captured {
    const fetched = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, this.#array(type)]));
    const { inputs, outputs } = this.#bound;
    const run = this.#session.bind({ inputs, outputs: { ...outputs, ...fetched }, captured: true });
    this.#captured++;
    const made = { kind: 'captured', run, fetched } as const;
    this.#byShapes.set(key, made);
    return made;
  }
}
