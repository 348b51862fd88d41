import type { Value } from '../ir/graph.ts';
import { identicalTypes } from '../ir/shapes.ts';
import { besideTerm, factorsOf, isAbout } from './factors.ts';
import { besideNumber, numberOf, producer } from './match.ts';
import { type Rule, rule } from './rule.ts';

/** x/2 · (1 + erf(x/√2)), or by tanh; however it is bracketed. */
const geluWrittenOut = rule('gelu-written-out', ['mul'], 'gradients', (node, { build, miss }) => {
  const { number, values } = factorsOf(node.outputs[0]);
  if (number !== 0.5 || values.length !== 2) return miss('not half of a product of two');
  for (const [i, factor] of values.entries()) {
    const gate = besideTerm(factor, 1);
    const x = values[1 - i]!;
    if (gate === undefined || !identicalTypes(x.type, node.outputs[0].type)) continue;
    const byErf = producer(gate, 'erf')?.inputs[0];
    if (byErf !== undefined && isMultiple(byErf, Math.SQRT1_2, x)) return build.gelu(x, false);
    const byTanh = producer(gate, 'tanh')?.inputs[0];
    if (byTanh !== undefined && isCubic(byTanh, x)) return build.gelu(x, true);
  }
  return miss('no factor is 1 + erf(x/√2), nor 1 + tanh(√(2/π)·(x + 0.044715·x³))');
});

function isMultiple(value: Value, number: number, x: Value): boolean {
  const factors = factorsOf(value);
  return isAbout(factors.number, number) && factors.values.length === 1 && factors.values[0] === x;
}

/** √(2/π)·(x + 0.044715·x³), or with x taken out of the bracket. */
function isCubic(value: Value, x: Value): boolean {
  const { number, values } = factorsOf(value);
  if (!isAbout(number, Math.sqrt(2 / Math.PI))) return false;
  if (values.length === 1) {
    const sum = producer(values[0]!, 'add');
    const cube = sum?.inputs[0] === x ? sum.inputs[1] : sum?.inputs[1] === x ? sum.inputs[0] : undefined;
    return cube !== undefined && isPower(cube, x, 3);
  }
  const bracket = values.find((factor) => factor !== x);
  const square = bracket && besideTerm(bracket, 1);
  return values.length === 2 && values.includes(x) && square !== undefined && isPower(square, x, 2);
}

function isPower(value: Value, x: Value, exponent: number): boolean {
  const { number, values } = factorsOf(value);
  return isAbout(number, 0.044715) && values.length === exponent && values.every((factor) => factor === x);
}

/** max(x, 0), which passes half of a gradient at 0, where relu passes nothing. */
const reluWrittenOut = rule('relu-written-out', ['max'], 'values', (node, { build, miss }) => {
  const pair = besideNumber(node.inputs);
  if (pair?.found !== 0 || node.outputs[0].type.dtype === 'i32') return miss('not the maximum of a float and 0');
  return build.broadcast(build.relu(pair.other), node.outputs[0].type.shape);
});

/** 1 / (1 + e^-x). */
const sigmoidWrittenOut = rule('sigmoid-written-out', ['div'], 'gradients', (node, { build, miss }) => {
  const power = numberOf(node.inputs[0]!) === 1 ? besideTerm(node.inputs[1]!, 1) : undefined;
  const negated = power && producer(power, 'exp')?.inputs[0];
  const x = negated && producer(negated, 'neg')?.inputs[0];
  if (x === undefined) return miss('not 1 / (1 + exp(-x))');
  return build.broadcast(build.sigmoid(x), node.outputs[0].type.shape);
});

/** Activations that were written out. */
export const activationRules: readonly Rule[] = [geluWrittenOut, reluWrittenOut, sigmoidWrittenOut];
