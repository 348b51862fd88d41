import { constant, product } from '../dims/dim.ts';
import type { Builder } from '../graphs/builder.ts';
import type { Value } from '../ir/graph.ts';

/** The label of the operators that compute the norm. */
export const normLabel = 'norm of the gradients';

/**
 * Returns the norm of all gradients together, f32[]: the root of the sum of all squares. `path` is the path of the
 * weight.
 */
export function globalNorm(
  build: Builder,
  gradients: readonly { readonly path: string; readonly gradient: Value }[],
): Value {
  // One concatenation of all sums, so that one node waits for all gradients, and they can be computed in the order of
  // the backward pass. Gradients are reshaped rather than sums: a backend computes a view only when it is read, which
  // would put its sum behind all others.
  const ones = gradients.map(({ path, gradient }) => {
    build.origin = { span: undefined, path, label: normLabel };
    const { shape } = gradient.type;
    const matrix = shape.length === 2 ? gradient : build.reshape(gradient, [constant(1), product(shape)]);
    return build.sum(build.mul(matrix, matrix), [0, 1], true);
  });
  build.origin = { span: undefined, path: '', label: normLabel };
  if (ones.length === 0) return build.full(0, 'f32', []);
  return build.sqrt(build.sum(build.concat(ones, 0), [0, 1]));
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
