import { interpret } from '../../compiler/graphs/interpret.ts';
import { elementCount, tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { compileTraining, type Training } from '../../compiler/training/compile-training.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { memoryHost } from '../memory-host.ts';

export type Numbers = Map<string, number[]>;

/** The training of the first model of a source, which must be right. */
export function trainingOf(source: string, overrides: readonly string[] = []): Training {
  const { training, diagnostics } = compileTraining(memoryHost({ 'main.crob': source }), 'main.crob', {
    dims: new Map(),
    overrides,
  });
  if (!training) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('\n'));
  return training;
}

/** State by name: what `given` says, zeros elsewhere. */
export function stateOf(steps: readonly StepGraph[], given: Readonly<Record<string, readonly number[]>>): Numbers {
  const state: Numbers = new Map();
  for (const { name, shape } of steps.flatMap((step) => step.state))
    state.set(name, [...(given[name] ?? new Array<number>(elementCount(shape)).fill(0))]);
  return state;
}

/** Runs a step in float64 and puts the new state in place of the old; yields the other outputs. */
export function runStep(
  step: StepGraph,
  state: Numbers,
  feeds: Readonly<Record<string, readonly number[]>>,
): Record<string, number> {
  const data = new Map<string, TensorData>();
  for (const { name, value } of step.graph.inputs) {
    const shape = value.type.shape.map((dim) => Number(dim.key));
    const pack = step.packs.find((one) => one.name === name)?.parts.flatMap((part) => state.get(part)!);
    data.set(name, tensor(value.type.dtype, shape, [...(pack ?? state.get(name) ?? feeds[name]!)]));
  }
  const results = interpret(step.graph, data, (path) => {
    throw new Error(`a step has no weight ${path}`);
  });
  for (const { name, next } of step.state) if (next !== undefined) state.set(name, [...results.get(next)!.data]);
  for (const { next, parts } of step.packs) {
    let rest = next === undefined ? [] : [...results.get(next)!.data];
    for (const part of next === undefined ? [] : parts) {
      const size = state.get(part)!.length;
      state.set(part, rest.slice(0, size));
      rest = rest.slice(size);
    }
  }
  return Object.fromEntries(step.outputs.map((name) => [name, results.get(name)!.data[0]!]));
}
