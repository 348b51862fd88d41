import type { Value } from '../ir/graph.ts';
import type { ReduceName } from '../ir/names.ts';
import { keptAxes } from './repeat.ts';
import { type GradientRow, ofOne } from './rule.ts';
import { topkGradient } from './topk.ts';

/** Gradients of reductions. */
export const reduceGradients: { readonly [O in ReduceName]: GradientRow<O> } = {
  sum: {
    gradient: ofOne(({ build, x, dy, attributes: { axes } }) =>
      build.broadcast(keptAxes(build, dy, x.type.shape, axes), x.type.shape),
    ),
  },
  reduce_max: {
    // The largest elements share dy evenly.
    gradient: ofOne(({ build, x, y, dy, attributes: { axes } }) => {
      const kept = (reduced: Value) => keptAxes(build, reduced, x.type.shape, axes);
      const isLargest = build.cast(build.eq(x, kept(y)), x.type.dtype);
      return build.mul(isLargest, build.div(kept(dy), build.sum(isLargest, axes, true)));
    }),
    kinks: 'The largest elements share it evenly.',
  },
  topk: { gradient: topkGradient, kinks: 'Of equal elements, those at the lower indices are chosen, and get it.' },
};
