import { product } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Value } from '../ir/graph.ts';
import { identicalShapes } from '../ir/shapes.ts';
import { elements } from '../ops/cost.ts';
import { broadcastTogether } from './broadcasts.ts';
import { Indices } from './indices.ts';
import { isOne } from './match.ts';
import { named, once, operators, value, where } from './patterns/construct.ts';
import { type Rule, rewrite, rule } from './rule.ts';
import { isLess } from './work.ts';

const { add, matmul, mean, sub } = operators;
const [x, y, bias] = [value('x'), value('y'), value('bias')];
const mixed = named('mixed', matmul(x, y));

/** A·Y + b as A·(Y + b), where the rows of A sum to 1 and are more than those of Y: behind the softmax of attention. */
const biasOfMixture = rule(
  'bias-of-mixture',
  'gradients',
  rewrite(
    where(
      where(
        add(once(mixed), bias),
        'the bias is the same for all rows and makes the product no larger',
        ({ mixed, bias: { type } }, { outputs: [sum] }, { facts }) => {
          const rows = type.shape.at(-2);
          return (
            (rows === undefined || isOne(facts, rows)) && identicalShapes(mixed.outputs[0].type.shape, sum.type.shape)
          );
        },
      ),
      'each row of x sums to 1, and y is smaller than the product',
      ({ x, y, bias }, { outputs: [sum] }, site) => {
        if (!rowsSumToOne(x, site.facts)) return false;
        const shifted = product(broadcastTogether(site.facts, [y.type.shape, bias.type.shape]));
        return isLess(shifted, elements(sum.type), site);
      },
    ),
    ({ x, y, bias }, { build }) => build.matmul(x, build.add(y, bias)),
  ),
);

/** Whether a softmax along the last axis is all that made a value, besides views. */
function rowsSumToOne(value: Value, facts: Facts): boolean {
  if (!isSoftmax(value)) return false;
  const indices = new Indices(facts);
  let axes = indices.of(value.type.shape);
  const last = axes.at(-1) ?? [];
  for (let at = value; ; ) {
    const { node } = at;
    switch (node.op) {
      case 'transpose':
      case 'reshape': {
        const beneath = indices.beneath(node, axes);
        if (beneath === undefined) return false;
        axes = beneath;
        at = node.inputs[0]!;
        break;
      }
      case 'softmax': {
        const [over, whole] = indices.settled([axes[node.attributes.axis]!, last]) as [typeof last, typeof last];
        return over.length > 0 && over.length === whole.length && over.every((index, i) => index === whole[i]);
      }
      default:
        return false;
    }
  }
}

/** The same without a look at axes: most products have no softmax. */
function isSoftmax({ node }: Value): boolean {
  if (node.op === 'transpose' || node.op === 'reshape') return isSoftmax(node.inputs[0]!);
  return node.op === 'softmax';
}

/**
 * A·Y less the mean of its rows, as A less the mean of its own rows, times Y, where A is smaller: A has few columns. Nothing is
 * lost where the rows are nearly equal, since the difference is taken before the product is rounded.
 */
const centreBeforeProduct = rule(
  'centre-before-product',
  'gradients',
  rewrite(
    where(
      sub(mixed, named('centre', mean(mixed))),
      'the mean is that of the rows, nothing else reads the product, and x is smaller than it',
      ({ mixed, centre, x }, _, site) => {
        const [result] = mixed.outputs;
        const { axes, keep } = centre.attributes;
        const ofRows = keep && axes.length === 1 && axes[0] === result.type.shape.length - 2;
        return ofRows && site.uses(result) === 2 && isLess(elements(x.type), elements(result.type), site);
      },
    ),
    ({ x, y }, { build }) => {
      const centred = build.sub(x, build.mean(x, [x.type.shape.length - 2], true));
      return build.matmul(centred, y);
    },
  ),
);

/** Products whose rows are many mixtures of a few vectors. */
export const mixtureRules: readonly Rule[] = [biasOfMixture, centreBeforeProduct];
