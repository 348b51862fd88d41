import { asConstant, type Dim } from '../dims/dim.ts';
import type { Value } from '../ir/graph.ts';
import { producer } from './match.ts';
import { anyOf, number, once, operators, value, where } from './patterns/construct.ts';
import { type Place, type Rewrite, type Rule, rewrite, rule } from './rule.ts';

const { matmul } = operators;
const [q, k] = [value('q'), value('k')];

/**
 * The scale of attention scores goes to the smaller operand of the product, below a transpose, so
 * that the scores are touched once less and the transpose stays next to the matmul, which runtimes
 * take it into.
 */
const scaleBeforeMatmul = rule('scale-before-matmul', 'gradients', scaling('mul'), scaling('div'));

function scaling(op: 'mul' | 'div'): Rewrite {
  const scale = where(number('scale'), 'the scale has no axes', ({ scale }) => scale.value.type.shape.length === 0);
  return rewrite(
    where(
      anyOf([op], once(matmul(q, k)), scale),
      'an operand of the product is no larger than the product',
      ({ q, k }, { outputs: [scores] }) => Math.min(volume(q), volume(k)) <= volume(scores),
    ),
    ({ q, k, scale }, place) =>
      volume(q) <= volume(k)
        ? place.build.matmul(scaled(q, op, scale.value, place), k)
        : place.build.matmul(q, scaled(k, op, scale.value, place)),
  );
}

function scaled(x: Value, op: 'mul' | 'div', scale: Value, place: Place<unknown>): Value {
  const { build, uses } = place;
  const [before] = producer(x, 'transpose')?.inputs ?? [];
  return x.node.op === 'transpose' && before !== undefined && uses(x) === 1
    ? build.transpose(scaled(before, op, scale, place), x.node.attributes.perm)
    : build.emit(op, [x, scale], {})[0];
}

/** Elements, where a free dim counts as a large number: which operand is smaller is a matter of speed only. */
function volume(value: Value): number {
  const large = 1024;
  const size = (dim: Dim): number => asConstant(dim) ?? large;
  return value.type.shape.reduce((elements, dim) => elements * size(dim), 1);
}

export const attentionRules: readonly Rule[] = [scaleBeforeMatmul];
