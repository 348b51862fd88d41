import { asConstant, type Dim } from '../dims/dim.ts';
import type { Value } from '../ir/graph.ts';
import type { Builder } from './builder.ts';

/** Appends a scalar of x's dtype. */
export function scalar(build: Builder, x: Value, value: number): Value {
  return build.full(value, x.type.dtype, []);
}

/** Appends the size `dim` as a scalar of x's dtype. */
export function extent(build: Builder, x: Value, dim: Dim): Value {
  const known = asConstant(build.facts.normalize(dim));
  return known === undefined ? build.cast(build.dim(dim), x.type.dtype) : scalar(build, x, known);
}
