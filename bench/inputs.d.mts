import type { Feeds } from '../runtime/ort/session.ts';

/** Sizes of a batch: `H` and `W` of images, `T` of sentences. */
export type Sizes = Readonly<Record<string, number>>;

/** Inputs of referring models by their names. Deterministic, and a smaller batch is the beginning of a larger one. */
export function inputsOf(names: readonly string[], sizes: Sizes): Feeds;
