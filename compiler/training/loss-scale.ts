import { constant } from '../dims/dim.ts';
import type { Builder } from '../graphs/builder.ts';
import type { Value } from '../ir/graph.ts';

/**
 * Dynamic scaling of the loss for f16, whose least normal number is 6e-5: gradients are computed of the loss times a
 * scale. A step whose gradients are not all finite changes no weight and halves the scale; after enough finite steps in
 * sequence, the scale is doubled. As torch.amp.GradScaler, with its default values.
 */
export const lossScaling = { initial: 2 ** 16, growth: 2, backoff: 0.5, interval: 2000, most: 2 ** 127 } as const;

/** The state of the scaling, f32[1] each: the scale, finite steps since it changed, and all skipped steps. */
export const scalerPaths = ['scale', 'growth', 'skipped'] as const;
export type ScalerPath = (typeof scalerPaths)[number];
export type ScalerState = Readonly<Record<ScalerPath, Value>>;

/** The value of a state of the scaling before the first step. */
export function initialScaler(path: string): number {
  return path === 'scale' ? lossScaling.initial : 0;
}

/** Returns a state, f32[1], as a number, f32[]. */
export function scalerNumber(build: Builder, state: Value): Value {
  return build.reshape(state, []);
}

/** Returns whether all these numbers, f32[], are finite: bool[]. */
export function allFinite(build: Builder, numbers: readonly Value[]): Value {
  const infinity = build.full(Number.POSITIVE_INFINITY, 'f32', []);
  return numbers.map((number) => build.lt(build.abs(number), infinity)).reduce((all, one) => build.and(all, one));
}

/** Returns the state after a step whose gradients were finite or not. */
export function nextScaler(build: Builder, { scale, growth, skipped }: ScalerState, finite: Value): ScalerState {
  const number = (n: number) => build.full(n, 'f32', [constant(1)]);
  const grown = build.add(growth, number(1));
  const isDue = build.eq(grown, number(lossScaling.interval));
  const larger = build.min(build.mul(scale, number(lossScaling.growth)), number(lossScaling.most));
  return {
    scale: build.select(finite, build.select(isDue, larger, scale), build.mul(scale, number(lossScaling.backoff))),
    growth: build.select(finite, build.select(isDue, number(0), grown), number(0)),
    skipped: build.select(finite, skipped, build.add(skipped, number(1))),
  };
}
