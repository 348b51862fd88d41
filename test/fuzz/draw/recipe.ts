import type { Draw } from '../../draws.ts';
import { binary, num, reduced, ref, tensor, unary } from '../program/build.ts';
import { namesIn } from '../program/size.ts';
import type { Expr, Group, Input, Let, Program, Recipe } from '../program/tree.ts';

/** A recipe for a program that has weights; undefined where it has none. */
export function drawRecipe({ model, modules }: Program, draw: Draw): Recipe | undefined {
  if (!modules.some(({ weights }) => weights.some(({ buffer }) => !buffer))) return undefined;
  const dims = new Set(
    model.inputs.flatMap(({ type }) => type.shape.flatMap(namesIn)).filter((name) => /^[A-Z]/.test(name)),
  );
  const inputs: Input[] = [];
  const terms: Let[] = [];
  for (const { name, value } of model.outputs) {
    if (value.type.dtype !== 'f32') continue;
    const all = value.type.shape.map((_, i) => i);
    const y = ref(name, value.type);
    terms.push({
      name: `of_${name}`,
      value: reduced(draw.of(['mean', 'sum', 'mean', 'amax'] as const), distance(y, draw, inputs), all),
    });
  }
  if (terms.length === 0) return undefined;
  const parts = draw.shuffled(model.parts.map(({ name }) => name));
  const [first, second] = parts;
  const groups: readonly Group[] =
    first && draw.once(3)
      ? [{ part: first, lr: draw.of([0.1, 0.5]), weightDecay: draw.once(2) ? draw.of([0, 0.25]) : undefined }]
      : [];
  return {
    sizes: [...dims].map((name) => [name, 1 + draw.below(3)] as const),
    inputs,
    terms,
    optimizer: draw.once(2)
      ? {
          kind: 'AdamW',
          weightDecay: draw.of([0, 0.01, 0.5]),
          beta1: draw.of([0.9, 0, 0.5]),
          beta2: draw.of([0.999, 0.5, 0]),
          eps: draw.of([1e-8, 0.01, 0.1]),
        }
      : { kind: 'SGD', weightDecay: draw.of([0, 0.1]), momentum: draw.of([0, 0.75]) },
    clip: draw.once(3) ? draw.of([0.1, 1, 100]) : undefined,
    ema: draw.once(4) ? draw.of([0.5, 0.75]) : undefined,
    accumulate: draw.once(4) ? 2 : 1,
    groups,
    fixed: second && draw.once(6) ? [second] : [],
  };
}

/** How far an output is from where it is to be, element by element. */
function distance(y: Expr, draw: Draw, inputs: Input[]): Expr {
  // A recipe names dims, and no parameters of its model.
  const isKnown = y.type.shape.every((axis) => namesIn(axis).every((name) => /^[A-Z]/.test(name)));
  switch (draw.below(isKnown ? 5 : 4)) {
    case 0:
      return unary('square', y);
    case 1:
      return unary('abs', y);
    case 2:
      return unary('softplus', y);
    case 3:
      return unary('relu', binary('add', y, num(0.5)));
    default: {
      const target: Input = {
        name: `target${inputs.length}`,
        type: tensor('f32', y.type.shape),
        fed: 'f32',
        values: draw.of(['smooth', 'grid'] as const),
      };
      inputs.push(target);
      return unary('square', binary('sub', y, ref(target.name, target.type)));
    }
  }
}
