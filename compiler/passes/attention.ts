import { asConstant, type Dim, substitute } from '../dims/dim.ts';
import type { Value } from '../ir/graph.ts';
import { producer } from './match.ts';
import { anyOf, once, operators, value, where } from './patterns/construct.ts';
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
  const scale = where(value('scale'), 'the scale has no axes', ({ scale }) => scale.type.shape.length === 0);
  return rewrite(
    where(
      anyOf([op], once(matmul(q, k)), scale),
      'an operand of the product is no larger than the product',
      ({ q, k }, { outputs: [scores] }, { expected }) =>
        Math.min(volume(q, expected), volume(k, expected)) <= volume(scores, expected),
    ),
    ({ q, k, scale }, place) =>
      volume(q, place.expected) <= volume(k, place.expected)
        ? place.build.matmul(scaled(q, op, scale, place), k)
        : place.build.matmul(q, scaled(k, op, scale, place)),
  );
}

function scaled(x: Value, op: 'mul' | 'div', scale: Value, place: Place<unknown>): Value {
  const { build, uses } = place;
  const [before] = producer(x, 'transpose')?.inputs ?? [];
  return x.node.op === 'transpose' && before !== undefined && uses(x) === 1
    ? build.transpose(scaled(before, op, scale, place), x.node.attributes.perm)
    : build.emit(op, [x, scale], {})[0];
}

/** Elements, where a dim of no expected size counts as a large number: which operand is smaller is a matter of speed only. */
function volume(value: Value, expected: ReadonlyMap<string, Dim>): number {
  const large = 1024;
  const size = (dim: Dim): number => asConstant(substitute(dim, expected)) ?? large;
  return value.type.shape.reduce((elements, dim) => elements * size(dim), 1);
}

export const attentionRules: readonly Rule[] = [scaleBeforeMatmul];
