import type { Builder } from '../graphs/builder.ts';
import type { Value } from '../ir/graph.ts';
import type { Rates } from './packs.ts';
import type { Optimizer } from './recipe.ts';

/** Inputs that the updates of all weights share; f32[] unless noted. */
export interface UpdateInputs {
  readonly build: Builder;
  readonly learningRate: Value;
  /** i32[], from 1. */
  readonly step: Value;
  /** The factor of every gradient; see `clip.ts`. */
  readonly scale: Value;
  /**
   * bool[]: whether the step changes anything. If not, numbers that are not finite have no effect. Undefined for a step
   * that always does.
   */
  readonly applies?: Value;
}

/** The new values of a weight and of its optimizer state, by kind. */
export interface Updated {
  readonly weight: Value;
  readonly moment?: Value;
  readonly variance?: Value;
}

export type OptimizerState = Readonly<Partial<Record<'moment' | 'variance', Value>>>;

/** The kinds of state that an optimizer keeps for each trained weight; all start at zero. */
export function stateKinds(optimizer: Optimizer): readonly ('moment' | 'variance')[] {
  if (optimizer.kind === 'AdamW') return ['moment', 'variance'];
  return optimizer.momentum > 0 ? ['moment'] : [];
}

/**
 * The update rule of a recipe's optimizer for one weight or one pack. Scalars are computed once and shared by all
 * weights.
 */
export type UpdateRule = (rates: Rates, value: Value, gradient: Value, state: OptimizerState) => Updated;

export function updateRule(optimizer: Optimizer, inputs: UpdateInputs): UpdateRule {
  return optimizer.kind === 'AdamW' ? adamW(optimizer, inputs) : sgd(optimizer, inputs);
}

/** Returns a number, f32[], or a gradient, or instead of each element `otherwise` in a step that changes nothing. */
function orElse({ build, applies }: UpdateInputs, value: Value, otherwise: number): Value {
  return applies ? build.select(applies, value, build.full(otherwise, 'f32', [])) : value;
}

/**
 * torch.optim.AdamW: m ← β₁m + (1-β₁)g, v ← β₂v + (1-β₂)g², w ← w(1 - lr·decay) - lr/(1-β₁ᵗ) · m / (√v/√(1-β₂ᵗ) + eps).
 * The factor √(1-β₂ᵗ) is moved out of the quotient, so that only scalars depend on the step.
 */
function adamW({ beta1, beta2, eps }: Extract<Optimizer, { kind: 'AdamW' }>, inputs: UpdateInputs): UpdateRule {
  const { build, learningRate, step, scale } = inputs;
  const number = (n: number) => build.full(n, 'f32', []);
  const factor = (value: Value, otherwise: number) => orElse(inputs, value, otherwise);
  const t = build.cast(step, 'f32');
  const rootCorrection = build.sqrt(oneMinusPower(build, beta2, t));
  const wholeStep = build.div(build.mul(learningRate, rootCorrection), oneMinusPower(build, beta1, t));
  const stepSize = factor(wholeStep, 0);
  const eps2 = factor(build.mul(rootCorrection, number(eps)), 1);
  const toMoment = factor(build.mul(scale, number(1 - beta1)), 0);
  // The square of this factor is scale² (1-β₂).
  const toVariance = factor(build.mul(scale, number(Math.sqrt(1 - beta2))), 0);
  const [keepMoment, keepVariance] = [factor(number(beta1), 1), factor(number(beta2), 1)];
  const rates = shared((by: number) => scaled(build, stepSize, by));
  const decays = shared((rate: number) => factor(build.sub(number(1), build.mul(learningRate, number(rate))), 1));
  return ({ lrFactor, weightDecay }, value, found, state) => {
    const gradient = factor(found, 0);
    const moment = build.add(build.mul(state.moment!, keepMoment), build.mul(gradient, toMoment));
    const root = build.mul(gradient, toVariance);
    const variance = build.add(build.mul(state.variance!, keepVariance), build.mul(root, root));
    const divisor = build.add(build.sqrt(variance), eps2);
    const change = build.div(build.mul(moment, rates(lrFactor)), divisor);
    const kept = weightDecay === 0 ? value : build.mul(value, decays(lrFactor * weightDecay));
    return { weight: build.sub(kept, change), moment, variance };
  };
}

/** torch.optim.SGD without dampening: g ← g + decay·w, m ← momentum·m + g, w ← w - lr·m. */
function sgd({ momentum }: Extract<Optimizer, { kind: 'SGD' }>, inputs: UpdateInputs): UpdateRule {
  const { build, learningRate } = inputs;
  const number = (n: number) => build.full(n, 'f32', []);
  const factor = (value: Value, otherwise: number) => orElse(inputs, value, otherwise);
  const scale = factor(inputs.scale, 0);
  const rate = factor(learningRate, 0);
  const keepMoment = momentum > 0 ? factor(number(momentum), 1) : undefined;
  const decays = shared((decay: number) => factor(number(decay), 0));
  const rates = shared((by: number) => scaled(build, rate, by));
  return ({ lrFactor, weightDecay }, value, gradient, state) => {
    const clipped = build.mul(factor(gradient, 0), scale);
    const whole = weightDecay === 0 ? clipped : build.add(clipped, build.mul(value, decays(weightDecay)));
    const moment = state.moment && keepMoment && build.add(build.mul(state.moment, keepMoment), whole);
    const weight = build.sub(value, build.mul(moment ?? whole, rates(lrFactor)));
    return moment ? { weight, moment } : { weight };
  };
}

function scaled(build: Builder, value: Value, factor: number): Value {
  return factor === 1 ? value : build.mul(value, build.full(factor, 'f32', []));
}

function shared(make: (key: number) => Value): (key: number) => Value {
  const made = new Map<number, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

/**
 * 1 - βᵗ in float32. With 2h = -t·ln β, it is 1 - e^(-2h) = 2·tanh h / (1 + tanh h). Unlike the subtraction, this loses
 * no precision if βᵗ is near 1.
 */
function oneMinusPower(build: Builder, beta: number, t: Value): Value {
  if (beta === 0) return build.full(1, 'f32', []);
  const h = build.tanh(build.mul(t, build.full(-Math.log(beta) / 2, 'f32', [])));
  return build.div(build.add(h, h), build.add(h, build.full(1, 'f32', [])));
}
