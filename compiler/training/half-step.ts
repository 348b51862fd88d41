import type { Graph, Value } from '../ir/graph.ts';
import type { HalfType } from '../ir/types.ts';
import { emulateHalf } from '../passes/emulate-half.ts';
import { toMixedPrecision } from '../passes/mixed-precision.ts';
import type { Forward } from './compile-training.ts';

/** The precision of a step besides f32. */
export interface HalfStep {
  readonly type: HalfType;
  /** Whether half precision is emulated in f32, for devices that do not have it. */
  readonly emulated: boolean;
}

const prefix = 'output:';

/** Names the outputs of a model in the graph of its losses; a step has no output of these names. */
export function resultName(name: string): string {
  return `${prefix}${name}`;
}

/**
 * Converts the graph of the losses and gradients of a model to mixed precision, and removes the outputs of the model.
 * `losses` are names of outputs.
 */
export function inHalf(graph: Graph, { build }: Forward, losses: ReadonlySet<string>, half: HalfStep): Graph {
  const results = graph.outputs.filter(({ name }) => name.startsWith(prefix)).map(({ value }) => value);
  const outputs = graph.outputs.filter(({ name }) => !name.startsWith(prefix));
  const kept = new Set<string>();
  for (const node of build.nodes)
    if (node.op === 'weight' && node.attributes.keepF32) kept.add(`weight:${node.attributes.path}`);
  const mixed = toMixedPrecision(
    { ...graph, outputs },
    {
      type: half.type,
      weights: new Set(graph.inputs.map(({ name }) => name).filter((name) => /^(weight|buffer):/.test(name))),
      kept,
      results,
      losses: outputs.filter(({ name }) => losses.has(name)).map(({ value }): Value => value),
    },
  );
  return half.emulated ? emulateHalf(mixed) : mixed;
}
