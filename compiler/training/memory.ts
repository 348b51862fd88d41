import { bytesPerElement, lastUses } from '../graphs/liveness.ts';
import type { Value } from '../ir/graph.ts';
import { staticShape } from '../ir/shapes.ts';
import type { TensorType } from '../ir/types.ts';
import { plannedPeak } from './planned-memory.ts';
import type { StateKind, StateTensor, StepGraph } from './step-graph.ts';
import { isSame, type Peak, standingValues } from './step-tensors.ts';

/** Bytes that a training step needs if new state is written over the old. */
export interface StepMemory {
  /** State that outlives a step, by kind, with the copies of state that is `apart`. The graphs of one step share it. */
  readonly state: ReadonlyMap<StateKind, number>;
  /** All gradients together; all of them are alive when the norm has been computed. */
  readonly gradients: number;
  /** The largest number of bytes held besides the state: batch, activations and gradients. */
  readonly working: number;
  /** The module of the operator that runs at that point. */
  readonly peakAt: string;
}

/**
 * Returns the memory of a step from its graphs: one, or two for an accumulated step. onnxruntime runs the operators in
 * another order, and few of them in place (`plannedPeak`), and what a session had for one graph stays its own; TensorFlow.js
 * frees each tensor after its last use.
 */
export function stepMemory(parts: readonly StepGraph[], backend: 'onnx' | 'tfjs'): StepMemory {
  const tensors = new Map<string, StateTensor>();
  for (const { state } of parts) for (const one of state) tensors.set(one.name, one);
  const state = new Map<StateKind, number>();
  let gradients = 0;
  const bytes = ({ shape }: StateTensor) => shape.reduce((n, size) => n * size, bytesPerElement.f32);
  const apart = new Set(parts.flatMap((part) => part.apart));
  const copies = (one: StateTensor) => (apart.has(one.pack ?? one.name) ? 2 : 1);
  for (const one of tensors.values()) state.set(one.kind, (state.get(one.kind) ?? 0) + copies(one) * bytes(one));
  const learned = parts.flatMap((part) =>
    part.state.filter(
      ({ kind, next, pack }) =>
        kind === 'weight' &&
        (next !== undefined || part.packs.some((one) => one.name === pack && one.next !== undefined)),
    ),
  );
  for (const one of learned) gradients += bytes(one);
  const peaks = parts.map((part) => (backend === 'onnx' ? plannedPeak(part, false) : workingPeak(part)));
  const highest = peaks.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const working = backend === 'onnx' ? peaks.reduce((sum, { bytes }) => sum + bytes, 0) : highest.bytes;
  return { state, gradients, working, peakAt: highest.at?.origin.path ?? '' };
}

function workingPeak({ graph, state, packs }: StepGraph): Peak {
  const standing = standingValues(graph, [...state, ...packs]);
  const owners = new Map<Value, Value>();
  const holders = new Map<Value, number>();
  const dying = lastUses(graph);
  let held = 0;
  let peak: Peak = { bytes: 0, at: undefined };
  for (const node of graph.nodes) {
    const [first] = node.inputs;
    for (const output of node.outputs) {
      const from = first !== undefined && isSame(node) ? first : output;
      const owner = owners.get(from) ?? from;
      owners.set(output, owner);
      if (standing.has(owner)) continue;
      if (!holders.has(owner)) held += bytesOf(owner.type);
      holders.set(owner, (holders.get(owner) ?? 0) + 1);
    }
    if (held > peak.bytes) peak = { bytes: held, at: node };
    for (const value of dying.get(node) ?? []) {
      const owner = owners.get(value)!;
      if (standing.has(owner)) continue;
      const left = holders.get(owner)! - 1;
      holders.set(owner, left);
      if (left === 0) held -= bytesOf(owner.type);
    }
  }
  return peak;
}

function bytesOf(type: TensorType): number {
  return staticShape(type).reduce((n, size) => n * size, bytesPerElement[type.dtype]);
}
