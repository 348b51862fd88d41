import type { NodeOf, Value } from '../ir/graph.ts';
import { named, number, type Operand, once, operators, value, where } from './patterns/construct.ts';
import type { NumberTest } from './patterns/pattern.ts';
import { type Rule, rewrite, rule } from './rule.ts';

const { add, div, layer_norm, mean, mul, sqrt, sub } = operators;
const x = value('x');

/** Matches a mean along the last axis that keeps the axis. */
function lastMean<P extends Operand>(of: P) {
  return where(
    mean(of),
    'the mean runs along the last axis and keeps it',
    (_, { attributes: { axes, keep }, inputs }) => {
      return keep && axes.length === 1 && inputs.every(({ type }) => axes[0] === type.shape.length - 1);
    },
  );
}

const epsilon: NumberTest = {
  text: 'a finite number of at least 0',
  accepts: (number) => number >= 0 && Number.isFinite(number),
};

const centred = named('centred', sub(x, lastMean(x)));

/** (x - mean) / sqrt(variance + eps), along the last axis. */
const normalisation = rule(
  'normalisation',
  'gradients',
  rewrite(div(centred, sqrt(add(lastMean(mul(centred, centred)), number('eps', epsilon)))), ({ x, eps }, { build }) => {
    const last = x.type.shape.slice(-1);
    const { dtype } = x.type;
    return build.layerNorm(x, build.full(1, dtype, last), build.full(0, dtype, last), eps.number);
  }),
);

const vector = value('vector');
const perChannel = 'the vector has a number for each channel';

function isPerChannel({ type }: Value, norm: NodeOf<'layer_norm'>): boolean {
  const channels = norm.outputs[0].type.shape.at(-1);
  const [size, ...others] = type.shape;
  return others.length === 0 && size !== undefined && size.key === channels?.key;
}

const bias = number('bias', { text: '0', accepts: (number) => number === 0 });

/** Merges a scale into a normalisation that has none. */
const scaleOfNorm = rule(
  'scale-of-norm',
  'gradients',
  rewrite(
    where(mul(vector, once(named('norm', layer_norm(x, 1, bias)))), perChannel, ({ vector, norm }) =>
      isPerChannel(vector, norm),
    ),
    ({ x, vector, bias, norm }, { build }) => build.layerNorm(x, vector, bias.value, norm.attributes.eps),
  ),
);

/** Merges a bias into a normalisation that has none. */
const biasOfNorm = rule(
  'bias-of-norm',
  'gradients',
  rewrite(
    where(add(vector, once(named('norm', layer_norm(x, value('scale'), 0)))), perChannel, ({ vector, norm }) =>
      isPerChannel(vector, norm),
    ),
    ({ x, scale, vector, norm }, { build }) => build.layerNorm(x, scale, vector, norm.attributes.eps),
  ),
);

/** Recognises layer normalisation that is written out. */
export const normRules: readonly Rule[] = [normalisation, scaleOfNorm, biasOfNorm];
