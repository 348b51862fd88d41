import type { Node, Value } from '../ir/graph.ts';
import { operatorsWhere } from '../ops/table.ts';
import { besideNumber, either, numberOf, producer } from './match.ts';
import { type Rule, rule, type Site } from './rule.ts';

type Binary = Pick<Node, 'inputs' | 'outputs'>;

/** An operand in place of the result: of its shape, where the other operand made it larger. */
function asResult(node: Binary, x: Value, { build }: Site): Value {
  return build.broadcast(x, node.outputs[0].type.shape);
}

function numberLike(x: Value, value: number, { build }: Site): Value {
  return build.full(value, x.type.dtype, []);
}

/** x + 0, x - 0, 0 - x. */
const zeroTerms = rule('zero-terms', ['add', 'sub'], 'gradients', (node, site) => {
  const [a, b] = [node.inputs[0]!, node.inputs[1]!];
  if (numberOf(b) === 0) return asResult(node, a, site);
  if (numberOf(a) !== 0) return site.miss('no operand is 0');
  return node.op === 'add' ? asResult(node, b, site) : asResult(node, site.build.neg(b), site);
});

/** x·1 and x·-1; x·0 for whole numbers, which know no NaN. */
const unitFactors = rule('unit-factors', ['mul'], 'gradients', (node, site) => {
  const pair = besideNumber(node.inputs);
  if (pair?.found === 1) return asResult(node, pair.other, site);
  if (pair?.found === -1) return asResult(node, site.build.neg(pair.other), site);
  const { dtype, shape } = node.outputs[0].type;
  if (pair?.found === 0 && dtype === 'i32') return site.build.full(0, dtype, shape);
  return site.miss('no factor is 1, -1 or a whole 0');
});

/** x/1, and division by a power of two, whose reciprocal is exact. */
const exactQuotients = rule('exact-quotients', ['div'], 'gradients', (node, site) => {
  const [x, y] = [node.inputs[0]!, node.inputs[1]!];
  const divisor = numberOf(y);
  if (divisor === undefined) return site.miss('the divisor is not one number');
  if (divisor === 1) return asResult(node, x, site);
  const exponent = Math.log2(Math.abs(divisor));
  if (!Number.isInteger(exponent) || Math.abs(exponent) > 100) return site.miss('the reciprocal is not exact');
  return asResult(node, site.build.mul(x, numberLike(x, 1 / divisor, site)), site);
});

/** x², x^±½, x^-1 and x¹ have operators of their own. */
const smallPowers = rule('small-powers', ['pow'], 'gradients', (node, site) => {
  const [x, y] = [node.inputs[0]!, node.inputs[1]!];
  switch (numberOf(y)) {
    case 1:
      return asResult(node, x, site);
    case 2:
      return asResult(node, site.build.mul(x, x), site);
    case 0.5:
      return asResult(node, site.build.sqrt(x), site);
    case -1:
      return asResult(node, site.build.div(numberLike(x, 1, site), x), site);
    case -0.5:
      return asResult(node, site.build.div(numberLike(x, 1, site), site.build.sqrt(x)), site);
    default:
      return site.miss('the exponent is none of 1, 2, ±1/2 and -1');
  }
});

/** i32 sums and products with two numbers: index arithmetic, where regrouping is exact. */
const mergeWholeNumbers = rule('merge-whole-numbers', ['add', 'mul'], 'gradients', (node, site) => {
  if (node.outputs[0].type.dtype !== 'i32') return undefined;
  const outer = besideNumber(node.inputs);
  const inner = outer && producer(outer.other, node.op);
  const pair = inner && besideNumber(inner.inputs);
  if (!outer || !pair) return site.miss('no two numbers');
  const merged = node.op === 'add' ? pair.found + outer.found : pair.found * outer.found;
  if (Math.abs(merged) > 2 ** 31 - 1) return site.miss('the numbers overflow');
  return asResult(node, site.build.emit(node.op, [pair.other, numberLike(outer.other, merged, site)], {})[0]!, site);
});

const involutions = operatorsWhere((row) => row.involution === true);
const idempotent = (inputs: number) => operatorsWhere((row) => row.idempotent === true && row.inputs.length === inputs);

const doubleNegation = rule('double-negation', involutions, 'gradients', (node, site) => {
  const inner = producer(node.inputs[0]!, node.op);
  return inner?.inputs[0] ?? site.miss('the operand is not negated');
});

/** a + -b and a - -b. */
const signedTerms = rule('signed-terms', ['add', 'sub'], 'gradients', (node, { build, miss }) => {
  const [a, b] = [node.inputs[0]!, node.inputs[1]!];
  const right = producer(b, 'neg')?.inputs[0];
  if (right !== undefined) return node.op === 'add' ? build.sub(a, right) : build.add(a, right);
  const left = producer(a, 'neg')?.inputs[0];
  if (node.op === 'add' && left !== undefined) return build.sub(b, left);
  return miss('no operand is negated');
});

/** -a · b, either way round, where the other factor takes the sign: a number or another neg. */
const signedFactors = rule('signed-factors', ['mul'], 'gradients', (node, site) => {
  const pair = either(node.inputs, (value) => producer(value, 'neg')?.inputs[0]);
  if (pair === undefined) return site.miss('no factor is negated');
  const number = numberOf(pair.other);
  if (number !== undefined)
    return asResult(node, site.build.mul(pair.found, numberLike(pair.found, -number, site)), site);
  const other = producer(pair.other, 'neg')?.inputs[0];
  return other === undefined ? site.miss('the other factor has no sign to give') : site.build.mul(pair.found, other);
});

/** a · (1/b). */
const factorsAsQuotient = rule('factors-as-quotient', ['mul'], 'gradients', (node, { build, uses, miss }) => {
  const pair = either(node.inputs, (value) => {
    const quotient = producer(value, 'div');
    return quotient && uses(value) === 1 && numberOf(quotient.inputs[0]!) === 1 ? quotient.inputs[1]! : undefined;
  });
  if (pair === undefined) return miss('no factor is a reciprocal');
  const result = build.div(pair.other, pair.found);
  return result.type.shape.length === node.outputs[0].type.shape.length
    ? build.broadcast(result, node.outputs[0].type.shape)
    : miss('the reciprocal is of higher rank');
});

const onceIsEnough = rule('once-is-enough', idempotent(1), 'gradients', (node, site) =>
  producer(node.inputs[0]!, node.op) ? node.inputs[0]! : site.miss('not applied twice'),
);

/** Conditions that hold always or never. */
const knownLogic = rule('known-logic', ['and', 'or'], 'gradients', (node, site) => {
  const pair = besideNumber(node.inputs);
  if (pair === undefined) return site.miss('no operand is known');
  const absorbing = node.op === 'and' ? 0 : 1;
  if (pair.found !== absorbing) return asResult(node, pair.other, site);
  return site.build.full(absorbing, 'bool', node.outputs[0].type.shape);
});

const sameOperands = rule('same-operands', idempotent(2), 'gradients', (node, site) =>
  node.inputs[0] === node.inputs[1] ? node.inputs[0]! : site.miss('the operands differ'),
);

/** A choice that is made already, or makes no difference, or asks the question the wrong way round. */
const knownChoices = rule('known-choices', ['select'], 'gradients', (node, site) => {
  const [condition, a, b] = [node.inputs[0]!, node.inputs[1]!, node.inputs[2]!];
  const known = numberOf(condition);
  if (known !== undefined) return asResult(node, known === 1 ? a : b, site);
  if (a === b) return asResult(node, a, site);
  const question = producer(condition, 'not')?.inputs[0];
  return question === undefined ? site.miss('the condition is not known') : site.build.select(question, b, a);
});

/** Identities of numbers and of logic. */
export const arithmeticRules: readonly Rule[] = [
  zeroTerms,
  unitFactors,
  exactQuotients,
  smallPowers,
  mergeWholeNumbers,
  doubleNegation,
  signedTerms,
  signedFactors,
  factorsAsQuotient,
  onceIsEnough,
  knownLogic,
  sameOperands,
  knownChoices,
];
