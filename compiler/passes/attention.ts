import { asConstant, type Dim } from '../dims/dim.ts';
import type { Value } from '../ir/graph.ts';
import { numberOf, producer } from './match.ts';
import { type Rule, rule } from './rule.ts';

/**
 * The scale of attention scores goes to the smaller operand of the product, below a transpose, so
 * that the scores are touched once less and the transpose stays next to the matmul, which runtimes
 * take it into.
 */
const scaleBeforeMatmul = rule('scale-before-matmul', ['mul', 'div'], 'gradients', (node, site) => {
  const at = node.op === 'mul' && numberOf(node.inputs[0]!) !== undefined ? 0 : 1;
  const [scale, scores] = [node.inputs[at]!, node.inputs[1 - at]!];
  if (numberOf(scale) === undefined || scale.type.shape.length > 0) return site.miss('no operand is a number');
  const matmul = producer(scores, 'matmul');
  if (matmul === undefined || site.uses(scores) > 1) return site.miss('not a product of two matrices, for this only');
  const [q, k] = [matmul.inputs[0]!, matmul.inputs[1]!];
  const scaled = (value: Value): Value => {
    const transpose = producer(value, 'transpose');
    if (transpose && site.uses(value) === 1)
      return site.build.transpose(scaled(transpose.inputs[0]!), transpose.attributes.perm);
    return site.build.emit(node.op, [value, scale], {})[0]!;
  };
  const left = volume(q) <= volume(k);
  if (volume(left ? q : k) > volume(scores)) return site.miss('the product is smaller than its operands');
  return left ? site.build.matmul(scaled(q), k) : site.build.matmul(q, scaled(k));
});

/** Elements, where a free dim counts as a large number: which operand is smaller is a matter of speed only. */
function volume(value: Value): number {
  const large = 1024;
  const size = (dim: Dim): number => asConstant(dim) ?? large;
  return value.type.shape.reduce((elements, dim) => elements * size(dim), 1);
}

export const attentionRules: readonly Rule[] = [scaleBeforeMatmul];
