import { identicalTypes } from '../ir/shapes.ts';
import { about, operators, product, value, where } from './patterns/construct.ts';
import { type Rule, rewrite, rule } from './rule.ts';

const { add, div, erf, exp, max, neg, tanh } = operators;
const x = value('x');

/** (x + 0.044715·x³)·√(2/π), with or without x factored out. */
const cubicBound = about(Math.sqrt(2 / Math.PI));
const cubic = product(cubicBound, add(x, product(about(0.044715), x, x, x)));
const factoredCubic = product(cubicBound, x, add(1, product(about(0.044715), x, x)));

/** x/2 · (1 + erf(x/√2)), or the tanh approximation, with any parentheses. */
const geluWrittenOut = rule(
  'gelu-written-out',
  'gradients',
  ...[
    { gate: erf(product(about(Math.SQRT1_2), x)), approximate: false },
    { gate: tanh(cubic), approximate: true },
    { gate: tanh(factoredCubic), approximate: true },
  ].map(({ gate, approximate }) =>
    rewrite(
      where(product(0.5, x, add(1, gate)), 'x has the type of the product', ({ x }, node) =>
        identicalTypes(x.type, node.outputs[0].type),
      ),
      ({ x }, { build }) => build.gelu(x, approximate),
    ),
  ),
);

/** max(x, 0). At 0 it passes half of the gradient and relu none, so only values are kept. */
const reluWrittenOut = rule(
  'relu-written-out',
  'values',
  rewrite(
    where(max(x, 0), 'x is of floats', ({ x }) => x.type.dtype !== 'i32'),
    ({ x }, { build }) => build.relu(x),
  ),
);

/** 1 / (1 + e^-x). */
const sigmoidWrittenOut = rule(
  'sigmoid-written-out',
  'gradients',
  rewrite(div(1, add(1, exp(neg(x)))), ({ x }, { build }) => build.sigmoid(x)),
);

/** Recognises activations that are written out. */
export const activationRules: readonly Rule[] = [geluWrittenOut, reluWrittenOut, sigmoidWrittenOut];
