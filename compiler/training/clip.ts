import { constant } from '../dims/dim.ts';
import type { Builder } from '../graphs/builder.ts';
import type { Value } from '../ir/graph.ts';

/**
 * Returns the norm of all gradients together, f32[]: the root of the sum of all squares. `path` is the path of the
 * weight.
 */
export function globalNorm(
  build: Builder,
  gradients: readonly { readonly path: string; readonly gradient: Value }[],
): Value {
  const label = 'norm of the gradients';
  // Sums keep their axes, so that sums of one rank are concatenated without a reshape of each.
  const byRank = new Map<number, Value[]>();
  for (const { path, gradient } of gradients) {
    build.origin = { span: undefined, path, label };
    const rank = gradient.type.shape.length;
    const axes = Array.from({ length: rank }, (_, axis) => axis);
    const square = build.mul(gradient, gradient);
    const one = rank === 0 ? build.reshape(square, [constant(1)]) : build.sum(square, axes, true);
    const alike = byRank.get(Math.max(1, rank));
    if (alike) alike.push(one);
    else byRank.set(Math.max(1, rank), [one]);
  }
  build.origin = { span: undefined, path: '', label };
  const sums = [...byRank].map(([rank, ones]) =>
    build.sum(
      build.concat(ones, 0),
      Array.from({ length: rank }, (_, axis) => axis),
    ),
  );
  if (sums.length === 0) return build.full(0, 'f32', []);
  return build.sqrt(sums.reduce((total, one) => build.add(total, one)));
}

/**
 * Returns the factor that clips gradients, as in torch.nn.utils.clip_grad_norm_: min(1, clip / (norm + 1e-6)); 1
 * without a limit.
 */
export function clipScale(build: Builder, norm: Value, clip: number | undefined): Value {
  if (clip === undefined) return oneBehind(build, norm);
  const one = build.full(1, 'f32', []);
  return build.min(build.div(build.full(clip, 'f32', []), build.add(norm, build.full(1e-6, 'f32', []))), one);
}

/**
 * Returns a 1 that depends on `value`, f32[]: min(1, max(1, value)). It is NaN if the value is NaN, and no pass folds
 * it to 1. A product with it is not computed before `value`.
 */
export function oneBehind(build: Builder, value: Value): Value {
  const one = build.full(1, 'f32', []);
  return build.min(build.max(value, one), one);
}
