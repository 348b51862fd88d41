// Measures how the times of `crobc check` and `crobc build` grow with the number of operators.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crobc, statistics, timed } from './process.mjs';

/** Layers in a block, and operators of a layer: a product, a transposed weight, a sum, a maximum. */
const [layers, operators] = [250, 4];
const blocks = [1, 3, 10, 30, 100];

/** Returns the times of whole processes for models of 1,000 to 100,000 operators. */
export async function scaling({ out, repeats, say }) {
  const folder = join(out, 'scale');
  mkdirSync(folder, { recursive: true });
  const results = [];
  for (const high of blocks) {
    const file = join(folder, `deep-${high}.crob`);
    writeFileSync(file, source(high));
    say(`scale: ${(high * layers * operators).toLocaleString('en')} operators`);
    const check = [];
    const build = [];
    for (let i = 0; i < repeats; i++) {
      check.push((await timed(process.execPath, [crobc, 'check', file])).seconds);
      build.push((await timed(process.execPath, [crobc, 'build', file, '--no-weights', '--out', folder])).seconds);
    }
    results.push({ operators: high * layers * operators, check: statistics(check), build: statistics(build) });
  }
  rmSync(folder, { recursive: true });
  return results;
}

/** A model of `high` blocks of layers, each with weights of its own. */
function source(high) {
  return `use std.linear.{Linear}

module Block(dim: int, deep: int) {
  layers = [Linear(dim, dim) for i in 0..deep]

  forward(x: f32[B, dim]) -> f32[B, dim] {
    let y = x
    for layer in layers {
      y = relu(layer(y))
    }
    return y
  }
}

module Tower(dim: int, high: int) {
  blocks = [Block(dim, ${layers}) for i in 0..high]

  forward(x: f32[B, dim]) -> f32[B, dim] {
    let y = x
    for block in blocks {
      y = block(y)
    }
    return y
  }
}

model Deep {
  tower = Tower(8, ${high})
  input x: f32[B, 8]
  output out = tower(x)
}
`;
}
