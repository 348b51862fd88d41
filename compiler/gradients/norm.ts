import { scalar } from '../graphs/scalar.ts';
import { once, operand, perInput } from './rule.ts';

/** With n = (x - mean)/deviation and g = dy·scale: dx = (g - mean(g) - n·mean(g·n))/deviation. */
export const layerNormGradient = perInput<'layer_norm'>(({ build, inputs, dy, attributes: { eps } }) => {
  const [x, scale, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
  const last = x.type.shape.length - 1;
  const rows = [...x.type.shape.keys()].slice(0, last);
  const columns = (y: typeof x) => (rows.length === 0 ? y : build.sum(y, rows));
  const centred = once(() => build.sub(x, build.mean(x, [last], true)));
  const deviation = once(() => {
    const variance = build.mean(build.mul(centred(), centred()), [last], true);
    return build.sqrt(build.add(variance, scalar(build, x, eps)));
  });
  const normal = once(() => build.div(centred(), deviation()));
  return [
    () => {
      const scaled = build.mul(dy, scale);
      const mean = build.mean(scaled, [last], true);
      const along = build.mul(normal(), build.mean(build.mul(scaled, normal()), [last], true));
      return build.div(build.sub(build.sub(scaled, mean), along), deviation());
    },
    () => build.reshape(columns(build.mul(dy, normal())), scale.type.shape),
    () => build.reshape(columns(dy), bias.type.shape),
  ];
});
