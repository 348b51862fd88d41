import { extent, scalar } from '../graphs/scalar.ts';
import { at } from '../ops/typing.ts';
import { once, operand, perInput } from './rule.ts';

/**
 * With n = (x - mean)/deviation and g = dy·scale: dx = (g - mean(g) - n·mean(g·n))/deviation. The means over a row are
 * computed as products with a vector.
 */
export const layerNormGradient = perInput<'layer_norm'>(({ build, inputs, dy, attributes: { eps } }) => {
  const [x, scale, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
  const last = x.type.shape.length - 1;
  const rows = [...x.type.shape.keys()].slice(0, last);
  const size = at(x.type.shape, last);
  const columns = (y: typeof x) => (rows.length === 0 ? y : build.sum(y, rows));
  const centred = once(() => build.sub(x, build.mean(x, [last], true)));
  const inverse = once(() => {
    const variance = build.mean(build.mul(centred(), centred()), [last], true);
    return build.div(scalar(build, x, 1), build.sqrt(build.add(variance, scalar(build, x, eps))));
  });
  const normal = once(() => build.mul(centred(), inverse()));
  const product = once(() => build.mul(dy, normal()));
  return [
    () => {
      const share = build.div(scale, extent(build, x, size));
      const meanOf = (y: typeof x) => build.sum(build.mul(y, share), [last], true);
      const along = build.add(build.mul(normal(), meanOf(product())), meanOf(dy));
      return build.mul(build.sub(build.mul(dy, scale), along), inverse());
    },
    () => build.reshape(columns(product()), scale.type.shape),
    () => build.reshape(columns(dy), bias.type.shape),
  ];
});
