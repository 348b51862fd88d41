import { seedOf } from '../../../compiler/ops/random.ts';
import { type Draw, draws } from '../../draws.ts';
import { make, type Tensor } from '../meaning/tensors.ts';
import type { Input, Program, Values } from '../program/tree.ts';

/** Values of an input or weight: the same for the same seed and name. All are float32 numbers. */
export function drawValues(
  seed: number,
  { name, values, type: { dtype } }: Pick<Input, 'name' | 'values' | 'type'>,
  shape: readonly number[],
): Tensor {
  const draw = draws(seed ^ seedOf(name));
  const own = values === 'smooth' && isGrid(seed) ? 'grid' : values;
  return make(dtype, shape, () => element(draw, own));
}

/** Whether inputs and weights all hold halves, so that elements are equal again and again. */
const isGrid = (seed: number): boolean => seed % 3 === 0;

export function drawWeight(seed: number, path: string, shape: readonly number[]): Tensor {
  const draw = draws(seed ^ seedOf(path));
  const values: Values = isGrid(seed) || draw.once(3) ? 'grid' : 'smooth';
  return make('f32', shape, () => element(draw, values));
}

/** What sits at kinks and ties, at 0, and below the smallest normal number. */
const special = [0, 0, 1, -1, 0.5, -0.5, 2, 1e-40, -1e-40, 1.4e-45, 1e-30, 1e4, -0];

function element(draw: Draw, values: Values): number {
  switch (values) {
    case 'smooth':
      return Math.fround(draw.below(4_000_001) / 1e6 - 2);
    case 'grid':
      return (draw.below(9) - 4) / 2;
    case 'special':
      return Math.fround(draw.of(special));
    case 'index':
      return draw.below(9) - 3;
    case 'bits':
      return draw.below(2);
  }
}

/** A dim of the model, or one of its parameters as the variants leave it. */
export function sizesOf(
  { model: net, variants }: Program,
  sizes: ReadonlyMap<string, number>,
): (name: string) => number {
  const params = new Map(net.params.map(({ name, value }) => [name, value]));
  for (const { lines } of variants)
    for (const { path, value } of lines)
      if (path.length === 1 && value.kind === 'literal') params.set(path[0], value.value);
  return (name) => sizes.get(name) ?? Number(params.get(name));
}
