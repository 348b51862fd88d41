import { product } from '../dims/dim.ts';
import { extent } from '../graphs/scalar.ts';
import type { CompositeName } from '../ir/names.ts';
import { at } from '../ops/typing.ts';
import { geluGradient } from './gelu.ts';
import { gridSampleGradient } from './grid-sample.ts';
import { maxPoolGradient } from './max-pool.ts';
import { layerNormGradient } from './norm.ts';
import { keptAxes } from './repeat.ts';
import { type GradientRow, ofOne } from './rule.ts';

/** Gradients of composite operators, written out where they are shorter than the gradient of the definition. */
export const compositeGradients: { readonly [O in CompositeName]: GradientRow<O> } = {
  mean: {
    gradient: ofOne(({ build, x, dy, attributes: { axes } }) => {
      const n = extent(build, x, product(axes.map((axis) => at(x.type.shape, axis))));
      return build.broadcast(keptAxes(build, build.div(dy, n), x.type.shape, axes), x.type.shape);
    }),
  },
  softmax: {
    gradient: ofOne(({ build, y, dy, attributes: { axis } }) =>
      build.mul(y, build.sub(dy, build.sum(build.mul(dy, y), [axis], true))),
    ),
  },
  log_softmax: {
    gradient: ofOne(({ build, y, dy, attributes: { axis } }) =>
      build.sub(dy, build.mul(build.exp(y), build.sum(dy, [axis], true))),
    ),
  },
  layer_norm: { gradient: layerNormGradient },
  gelu: { gradient: geluGradient },
  max_pool2d: {
    gradient: maxPoolGradient,
    kinks: 'The first of the largest elements of a window gets it, row by row.',
  },
  grid_sample: {
    gradient: gridSampleGradient,
    kinks: 'In `at`, at a whole position: the slope towards larger positions.',
  },
};
