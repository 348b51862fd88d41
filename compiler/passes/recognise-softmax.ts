import type { NodeOf } from '../ir/graph.ts';
import { finding, named, type Operand, oneOf, operators, value, where } from './patterns/construct.ts';
import { type Rule, rewrite, rule } from './rule.ts';

const { div, exp, log, reduce_max, softmax, stop_gradient, sub, sum } = operators;
const x = value('x');

/** Returns the axis of a reduction along one axis that is kept as 1. */
function keptAxis({ attributes: { axes, keep } }: NodeOf<'sum' | 'reduce_max'>): number | undefined {
  return keep && axes.length === 1 ? axes[0] : undefined;
}

/** Matches a sum along one `axis` that keeps the axis. */
function sumAlongAxis<P extends Operand>(of: P) {
  return finding(sum(of), 'axis', 'the sum runs along one axis and keeps it', (_, node) => keptAxis(node));
}

const maximum = named('maximum', reduce_max(x));
/** x - max(x), which does not change softmax. */
const shifted = named('shifted', sub(x, oneOf(stop_gradient(maximum), maximum)));
const alongAxis = 'the maximum runs along the axis of the sum and keeps it';

const shiftedPowers = named('powers', exp(shifted));
const powers = named('powers', exp(x));

/** e^x / Σe^x, with or without the maximum subtracted first. */
const softmaxWrittenOut = rule(
  'softmax-written-out',
  'gradients',
  rewrite(
    where(
      div(shiftedPowers, sumAlongAxis(shiftedPowers)),
      alongAxis,
      ({ maximum, axis }) => keptAxis(maximum) === axis,
    ),
    ({ x, axis }, { build }) => build.softmax(x, axis),
  ),
  rewrite(div(powers, sumAlongAxis(powers)), ({ x, axis }, { build }) => build.softmax(x, axis)),
);

/** x - log Σe^x, with or without the maximum subtracted first. */
const logSoftmaxWrittenOut = rule(
  'log-softmax-written-out',
  'gradients',
  rewrite(
    where(sub(shifted, log(sumAlongAxis(exp(shifted)))), alongAxis, ({ maximum, axis }) => keptAxis(maximum) === axis),
    ({ x, axis }, { build }) => build.logSoftmax(x, axis),
  ),
  rewrite(sub(x, log(sumAlongAxis(exp(x)))), ({ x, axis }, { build }) => build.logSoftmax(x, axis)),
);

const logOfSoftmax = rule(
  'log-of-softmax',
  'gradients',
  rewrite(log(named('inner', softmax(x))), ({ x, inner }, { build }) => build.logSoftmax(x, inner.attributes.axis)),
);

/** Recognises softmax that is written out. */
export const softmaxRules: readonly Rule[] = [softmaxWrittenOut, logSoftmaxWrittenOut, logOfSoftmax];
