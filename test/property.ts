import fc, { type IAsyncProperty, type IProperty } from 'fast-check';
import { drawnSeed } from './seed.ts';

/** How a property is drawn: its own seed, unless fresh ones are asked for, and how often. */
export interface Drawn {
  readonly seed: number;
  readonly numRuns?: number;
}

/** Holds a property against drawn values; the only way in which tests do. A failure names its seed and its path. */
export function holds<Values>(property: IProperty<Values>, drawn: Drawn): void;
export function holds<Values>(property: IAsyncProperty<Values>, drawn: Drawn): Promise<void>;
export function holds<Values>(
  property: IProperty<Values> | IAsyncProperty<Values>,
  drawn: Drawn,
): void | Promise<void> {
  return fc.assert(property as IProperty<Values>, { ...drawn, seed: drawnSeed(drawn.seed) });
}
