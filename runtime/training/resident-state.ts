import type { StepGraph } from '../../compiler/training/step-graph.ts';
import type { Engine, Resident, ResidentCopy } from '../ort/engine.ts';
import type { StepParts } from './backend.ts';
import { elementsOf } from './state.ts';

interface Place {
  readonly pack: Resident;
  /** The first element. */
  readonly from: number;
}

/** Longer tensors are cleared piece by piece, so that the zeros take at most 4 MiB. */
const mostZeros = 1 << 20;

/**
 * The state of a training on the device of an engine. The tensors of a pack are parts of one piece of memory, here and
 * on the device.
 */
export class ResidentState {
  /** The arrays of this process by name: the state itself on the CPU, else what was downloaded last. */
  readonly arrays: ReadonlyMap<string, Float32Array>;
  readonly #engine: Engine;
  readonly #packs: ReadonlyMap<string, Resident>;
  /** Where the tensors in packs are. */
  readonly #places: ReadonlyMap<string, Place>;
  readonly #tensors = new Map<string, Resident>();
  /** All that has memory of its own: packs, and tensors in no pack. */
  readonly #whole: Resident[];
  /** What is set to zero at each step, so that its elements matter to no other step. */
  readonly #cleared = { names: new Set<string>(), memory: new Set<Resident>() };

  /** Takes the initial state. The tensors of packs are moved into new arrays. */
  static async hold(
    engine: Engine,
    state: ReadonlyMap<string, Float32Array>,
    steps: StepParts<StepGraph>,
  ): Promise<ResidentState> {
    const arrays = new Map(state);
    const packs = new Map<string, Resident>();
    const places = new Map<string, Place>();
    for (const graph of 'whole' in steps ? [steps.whole] : [steps.accumulate, steps.update])
      for (const { name, parts, size } of graph.packs) {
        if (packs.has(name)) continue;
        const memory = new Float32Array(size);
        const froms = new Map<string, number>();
        let end = 0;
        for (const part of parts) {
          const data = state.get(part)!;
          memory.set(data, end);
          arrays.set(part, memory.subarray(end, end + data.length));
          froms.set(part, end);
          end += data.length;
        }
        const pack = await engine.hold({ dtype: 'f32', shape: [size], data: memory });
        packs.set(name, pack);
        for (const [part, from] of froms) places.set(part, { pack, from });
      }
    return new ResidentState(engine, { arrays, packs, places });
  }

  private constructor(
    engine: Engine,
    {
      arrays,
      packs,
      places,
    }: {
      readonly arrays: ReadonlyMap<string, Float32Array>;
      readonly packs: ReadonlyMap<string, Resident>;
      readonly places: ReadonlyMap<string, Place>;
    },
  ) {
    this.#engine = engine;
    this.arrays = arrays;
    this.#packs = packs;
    this.#places = places;
    this.#whole = [...packs.values()];
  }

  pack(name: string): Resident {
    const pack = this.#packs.get(name);
    if (pack === undefined) throw new Error(`bug in crobc: no pack ${name}`);
    return pack;
  }

  /** A tensor of the state. */
  async tensor(name: string, shape: readonly number[]): Promise<Resident> {
    const known = this.#tensors.get(name);
    if (known) return known;
    const data = this.arrays.get(name);
    if (data?.length !== elementsOf(shape))
      throw new Error(`bug in crobc: ${data?.length} elements for the state ${name}`);
    const host = { dtype: 'f32', shape, data } as const;
    const place = this.#places.get(name);
    const held = place ? place.pack.part(place.from, host) : await this.#engine.hold(host);
    if (!place) this.#whole.push(held);
    this.#tensors.set(name, held);
    return held;
  }

  /** Brings the elements of all tensors into `arrays`. */
  async download(): Promise<void> {
    for (const one of this.#whole) await one.download();
  }

  /** Returns the tensors that are not cleared at each step, with their present elements. */
  async read(): Promise<ReadonlyMap<string, Float32Array>> {
    for (const one of this.#whole) if (!this.#cleared.memory.has(one)) await one.download();
    return new Map([...this.arrays].filter(([name]) => !this.#cleared.names.has(name)));
  }

  /** Takes the given tensors; others are unchanged. */
  async write(values: ReadonlyMap<string, Float32Array>): Promise<void> {
    await this.download();
    for (const [name, data] of values) {
      const held = this.arrays.get(name);
      if (held?.length !== data.length) throw new Error(`bug in crobc: no state ${name} of ${data.length} elements`);
      if (held !== data) held.set(data);
    }
    for (const one of this.#whole) await one.upload();
  }

  /** Returns what sets tensors to zero. On a device, this copies zeros that stay there. */
  async clearing(
    tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
  ): Promise<() => Promise<void>> {
    const held: Resident[] = [];
    for (const { name, shape } of tensors) {
      held.push(await this.tensor(name, shape));
      this.#cleared.names.add(name);
    }
    if (this.#engine.residence === 'arrays')
      return async () => {
        for (const { host } of held) (host.data as Float32Array).fill(0);
      };
    const whole = this.#mergedPacks(tensors, held);
    for (const one of whole) this.#cleared.memory.add(one);
    const longest = Math.min(mostZeros, Math.max(0, ...whole.map(({ host }) => host.data.length)));
    if (longest === 0) return async () => undefined;
    const array = new Float32Array(longest);
    const zeros = await this.#engine.hold({ dtype: 'f32', shape: [longest], data: array });
    const copies = whole.flatMap((to) => {
      const data = to.host.data as Float32Array;
      const pieces: ResidentCopy[] = [];
      for (let from = 0; from < data.length; from += longest) {
        const piece = data.subarray(from, from + longest);
        const type = { dtype: 'f32', shape: [piece.length] } as const;
        pieces.push({
          from: zeros.part(0, { ...type, data: array.subarray(0, piece.length) }),
          to: to.part(from, { ...type, data: piece }),
        });
      }
      return pieces;
    });
    return () => this.#engine.copy(copies);
  }

  /** The given tensors, with a pack in the place of its parts where all of them are given. */
  #mergedPacks(tensors: readonly { readonly name: string }[], held: readonly Resident[]): readonly Resident[] {
    const given = new Set(tensors.map(({ name }) => name));
    const others = [...this.#places].filter(([name]) => !given.has(name));
    const partly = new Set(others.map(([, { pack }]) => pack));
    const whole = tensors.map(({ name }, i) => {
      const pack = this.#places.get(name)?.pack;
      return pack === undefined || partly.has(pack) ? held[i]! : pack;
    });
    return [...new Set(whole)];
  }
}
