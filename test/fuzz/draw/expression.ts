import { binary, expr, full, reduced, ref, sameType } from '../program/build.ts';
import type { Expr, Type } from '../program/tree.ts';
import { drawCall } from './calls.ts';
import type { Rule } from './rule.ts';
import { einsumRule, keptRule, matmulRule, normRule, reduceRule, softmaxRule, topRule } from './rules/contractions.ts';
import {
  concatRule,
  mergedRule,
  onesRule,
  padRule,
  permutedRule,
  repeatRule,
  rollRule,
  sliceRule,
  splitRule,
  stackRule,
} from './rules/layout.ts';
import { chooseRule, foldRule, indexedRule, sizeRule } from './rules/parameters.ts';
import {
  asRule,
  binaryRule,
  castRule,
  compareRule,
  guardedRule,
  logicRule,
  quotientRule,
  roundedRule,
  selectRule,
  spreadRule,
  unaryRule,
  wholeRule,
} from './rules/pointwise.ts';
import { convRule, gatherRule, poolRule, sampleRule, scatterRule } from './rules/windows.ts';
import { addInput, fresh, isStatic, type Scope, visible } from './scope.ts';

/** An expression of a type, at most `deep` operations deep except for what a leaf takes. */
export function drawExpression(scope: Scope, type: Type, deep: number): Expr {
  const { library } = scope;
  const { draw } = library;
  library.budget--;
  if (deep <= 0 || library.budget <= 0) return leaf(scope, type);
  if (library.trains && draw.once(4)) {
    const call = drawCall(scope, type, deep);
    if (call) return call;
  }
  // Parameters are there to be looked at.
  if (scope.params.length > 0 && draw.once(4)) {
    const looked = draw.of([chooseRule, foldRule])(scope, type, deep);
    if (looked) return looked;
  }
  const rules = rulesOf[type.dtype];
  for (let tries = 0; tries < 6; tries++) {
    const found = draw.of(rules)(scope, type, deep);
    if (!found) continue;
    if (!scope.naming || !draw.once(4)) return found;
    const name = fresh(library, 'v');
    scope.lets.push({ name, value: found });
    return ref(name, type);
  }
  return leaf(scope, type);
}

export function leaf(scope: Scope, type: Type): Expr {
  const { draw } = scope.library;
  const fitting = visible(scope).filter((port) => sameType(port.type, type));
  if (fitting.length > 0 && !draw.once(8)) {
    const port = draw.of(fitting);
    return ref(port.name, port.type);
  }
  const made = newName(scope, type);
  return made ?? computed(scope, type);
}

/** A new input or weight. */
function newName(scope: Scope, type: Type): Expr | undefined {
  const { weights, library } = scope;
  const { draw } = library;
  if (type.shape.length > 0 || draw.once(3)) {
    const input = addInput(scope, type);
    if (input) return ref(input.name, type);
  }
  if (weights && type.dtype === 'f32' && type.shape.every(isStatic)) {
    const name = fresh(library, 'w');
    const path = draw.once(6) ? `${name}_as` : undefined;
    weights.push({ name, shape: type.shape, buffer: false, decay: !draw.once(4), path });
    return ref(name, type);
  }
  return undefined;
}

/** From nothing, or from a parameter all of which is summed up. */
function computed(scope: Scope, type: Type): Expr {
  const { draw } = scope.library;
  if (type.dtype === 'bool') return full(type, draw.below(2));
  if (type.dtype === 'i32')
    return type.shape.length === 1 ? expr('iota', type, [], {}) : full(type, draw.of([0, 1, 2, -1]));
  const filled = full(type, draw.of([0, 1, 0.5, -1, 2, -0.25]));
  const floats = scope.ports.filter((port) => port.type.dtype === 'f32');
  if (floats.length === 0) return filled;
  const port = draw.of(floats);
  const all = reduced(
    'mean',
    ref(port.name, port.type),
    port.type.shape.map((_, i) => i),
  );
  return binary('add', filled, all);
}

const callRule: Rule = (scope, type, deep) => drawCall(scope, type, deep);

const layoutRules = [
  permutedRule,
  mergedRule,
  splitRule,
  onesRule,
  repeatRule,
  sliceRule,
  concatRule,
  stackRule,
  gatherRule,
  rollRule,
];

const rulesOf: Readonly<Record<Type['dtype'], readonly Rule[]>> = {
  f32: [
    ...[unaryRule, unaryRule, guardedRule, binaryRule, binaryRule, spreadRule, selectRule],
    ...layoutRules,
    ...[reduceRule, reduceRule, keptRule, einsumRule, einsumRule, matmulRule, padRule, softmaxRule, normRule, convRule],
    ...[convRule, poolRule, sampleRule, scatterRule, topRule, castRule, asRule, sizeRule, indexedRule],
    ...[chooseRule, chooseRule, foldRule, callRule, callRule, callRule],
  ],
  i32: [
    wholeRule,
    wholeRule,
    quotientRule,
    quotientRule,
    roundedRule,
    selectRule,
    castRule,
    topRule,
    sizeRule,
    ...layoutRules,
  ],
  bool: [compareRule, compareRule, compareRule, logicRule, permutedRule, splitRule, repeatRule, sliceRule, concatRule],
};
