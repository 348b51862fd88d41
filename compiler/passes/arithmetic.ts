import type { Builder } from '../graphs/builder.ts';
import type { Value } from '../ir/graph.ts';
import { operatorsWhere } from '../ops/table.ts';
import { isFloat } from '../ops/typing.ts';
import { anyOf, named, number, once, operators, value, where } from './patterns/construct.ts';
import type { NumberTest } from './patterns/pattern.ts';
import { type Rewrite, type Rule, rewrite, rule } from './rule.ts';

const { add, and, div, mul, neg, not, or, pow, select, sub } = operators;
const x = value('x');
const y = value('y');

const zeroTerms = rule(
  'zero-terms',
  'gradients',
  rewrite(add(x, 0), ({ x }) => x),
  rewrite(sub(x, 0), ({ x }) => x),
  rewrite(sub(0, x), ({ x }, { build }) => build.neg(x)),
);

/** An integer times 0 is 0, since integers have no NaN. */
const unitFactors = rule(
  'unit-factors',
  'gradients',
  rewrite(mul(x, 1), ({ x }) => x),
  rewrite(mul(x, -1), ({ x }, { build }) => build.neg(x)),
  rewrite(
    where(mul(x, 0), 'x is of whole numbers', ({ x }) => x.type.dtype === 'i32'),
    ({ x }, { build, node }) => build.full(0, x.type.dtype, node.outputs[0].type.shape),
  ),
);

/** Numbers with exact reciprocals. */
const powerOfTwo: NumberTest = {
  text: 'a power of two',
  accepts(number) {
    const exponent = Math.log2(Math.abs(number));
    return Number.isInteger(exponent) && Math.abs(exponent) <= 100;
  },
};

const exactQuotients = rule(
  'exact-quotients',
  'gradients',
  rewrite(div(x, 1), ({ x }) => x),
  rewrite(div(x, number('n', powerOfTwo)), ({ x, n }, { build }) =>
    build.mul(x, build.full(1 / n.number, x.type.dtype, [])),
  ),
);

/** x², x^±½, x^-1 and x¹ have cheaper operators. */
const smallPowers = rule(
  'small-powers',
  'gradients',
  rewrite(pow(x, 1), ({ x }) => x),
  rewrite(pow(x, 2), ({ x }, { build }) => build.mul(x, x)),
  rewrite(pow(x, 0.5), ({ x }, { build }) => build.sqrt(x)),
  rewrite(pow(x, -1), ({ x }, { build }) => build.div(build.full(1, x.type.dtype, []), x)),
  rewrite(pow(x, -0.5), ({ x }, { build }) => build.div(build.full(1, x.type.dtype, []), build.sqrt(x))),
);

const largest = 2 ** 31 - 1;

/** i32 sums and products with two numbers. They occur in index arithmetic, and regrouping integers is exact. */
const mergeWholeNumbers = rule(
  'merge-whole-numbers',
  'gradients',
  merging('add', (n, m) => n + m),
  merging('mul', (n, m) => n * m),
);

function merging(op: 'add' | 'mul', merged: (n: number, m: number) => number): Rewrite {
  const inner = where(anyOf([op], x, number('n')), 'x is of whole numbers', ({ x }) => x.type.dtype === 'i32');
  return rewrite(
    where(
      anyOf([op], inner, number('m')),
      'the numbers together are in range',
      ({ n, m }) => Math.abs(merged(n.number, m.number)) <= largest,
    ),
    ({ x, n, m }, { build }) => build.emit(op, [x, build.full(merged(n.number, m.number), x.type.dtype, [])], {})[0],
  );
}

/** Numbers whose products with other factors in models neither overflow nor underflow in float32. */
const moderate: NumberTest = {
  text: 'a number between 2^-20 and 2^20',
  accepts: (number) => Math.abs(number) >= 2 ** -20 && Math.abs(number) <= 2 ** 20,
};

/**
 * Merges two numbers by which floats are multiplied or divided, even if the value between them has other readers: the
 * outer operator then does not wait for the inner one. If both values are operands of matrix products, onnxruntime (1.30,
 * 1.32) rejects the result of its own MatMulScaleFusion, which removes the inner scale together with the outer one.
 */
const mergeFactors = rule(
  'merge-factors',
  'gradients',
  scaledTwice('mul', 'mul', (build, x, n, m) => build.mul(x, build.full(n * m, x.type.dtype, []))),
  scaledTwice('mul', 'div', (build, x, n, m) => build.mul(x, build.full(n / m, x.type.dtype, []))),
  scaledTwice('div', 'mul', (build, x, n, m) => build.mul(x, build.full(m / n, x.type.dtype, []))),
  scaledTwice('div', 'div', (build, x, n, m) => build.div(x, build.full(n * m, x.type.dtype, []))),
);

/** Rewrites x multiplied or divided by n, then multiplied or divided by m. */
function scaledTwice(
  inner: 'mul' | 'div',
  outer: 'mul' | 'div',
  scaled: (build: Builder, x: Value, n: number, m: number) => Value,
): Rewrite {
  return rewrite(
    where(anyOf([outer], anyOf([inner], x, number('n', moderate)), number('m', moderate)), 'x is of floats', ({ x }) =>
      isFloat(x.type.dtype),
    ),
    ({ x, n, m }, { build }) => scaled(build, x, n.number, m.number),
  );
}

const involutions = operatorsWhere((row) => row.involution === true);
const idempotent = (inputs: number) => operatorsWhere((row) => row.idempotent === true && row.inputs.length === inputs);

const doubleNegation = rule(
  'double-negation',
  'gradients',
  ...involutions.map((op) => rewrite(anyOf([op], anyOf([op], x)), ({ x }) => x)),
);

const signedTerms = rule(
  'signed-terms',
  'gradients',
  rewrite(add(x, neg(y)), ({ x, y }, { build }) => build.sub(x, y)),
  rewrite(sub(x, neg(y)), ({ x, y }, { build }) => build.add(x, y)),
);

/** The sign moves to the other factor, which is a number or another neg. */
const signedFactors = rule(
  'signed-factors',
  'gradients',
  rewrite(mul(number('n'), neg(x)), ({ x, n }, { build }) => build.mul(x, build.full(-n.number, x.type.dtype, []))),
  rewrite(mul(neg(y), neg(x)), ({ x, y }, { build }) => build.mul(x, y)),
);

const factorsAsQuotient = rule(
  'factors-as-quotient',
  'gradients',
  rewrite(
    where(mul(x, once(div(1, y))), 'x or y has the rank of the product', ({ x, y }, node) =>
      [x, y].some(({ type }) => type.shape.length === node.outputs[0].type.shape.length),
    ),
    ({ x, y }, { build }) => build.div(x, y),
  ),
);

const onceIsEnough = rule(
  'once-is-enough',
  'gradients',
  ...idempotent(1).map((op) => rewrite(anyOf([op], named('inner', anyOf([op], x))), ({ inner }) => inner.outputs[0])),
);

/** Logical operators with a constant operand. */
const knownLogic = rule(
  'known-logic',
  'gradients',
  rewrite(and(x, 1), ({ x }) => x),
  rewrite(or(x, 0), ({ x }) => x),
  rewrite(and(x, 0), (_, { build, node }) => build.full(0, 'bool', node.outputs[0].type.shape)),
  rewrite(or(x, 1), (_, { build, node }) => build.full(1, 'bool', node.outputs[0].type.shape)),
);

const sameOperands = rule(
  'same-operands',
  'gradients',
  rewrite(anyOf(idempotent(2), x, x), ({ x }) => x),
);

/** Selections with a constant condition, with equal branches, or with a negated condition. */
const knownChoices = rule(
  'known-choices',
  'gradients',
  rewrite(select(1, x, y), ({ x }) => x),
  rewrite(select(0, x, y), ({ y }) => y),
  rewrite(select(value('c'), x, x), ({ x }) => x),
  rewrite(select(not(value('c')), x, y), ({ c, x, y }, { build }) => build.select(c, y, x)),
);

/** Arithmetic and logical identities. */
export const arithmeticRules: readonly Rule[] = [
  zeroTerms,
  unitFactors,
  exactQuotients,
  smallPowers,
  mergeWholeNumbers,
  mergeFactors,
  doubleNegation,
  signedTerms,
  signedFactors,
  factorsAsQuotient,
  onceIsEnough,
  knownLogic,
  sameOperands,
  knownChoices,
];
