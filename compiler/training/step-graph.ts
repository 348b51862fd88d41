import type { Graph } from '../ir/graph.ts';

/**
 * The kind of a tensor that outlives a step; `gradient` is an accumulator of micro-batches, `scaler` the state of the
 * scaling of losses, whose paths are in `loss-scale.ts`.
 */
export type StateKind = 'weight' | 'buffer' | 'moment' | 'variance' | 'average' | 'gradient' | 'scaler';

/**
 * A tensor that outlives a step, f32. Weights and buffers start with the values of their initialisers, averages with
 * those of their weights, scalers with `initialScaler`, everything else with zero. The host resets accumulators to zero after each update.
 */
export interface StateTensor {
  /** The graph input: `weight:backbone.norm.bias`. */
  readonly name: string;
  /**
   * The graph output with the new value, which may be written over the old one unless the state is `apart`; undefined
   * if the graph only reads the state.
   */
  readonly next: string | undefined;
  readonly kind: StateKind;
  /** The path of the weight or buffer. */
  readonly path: string;
  readonly shape: readonly number[];
  /** The pack that contains it and is updated in its place. */
  readonly pack?: string;
}

/**
 * Several state tensors as one, f32[size]. The host stores them consecutively in one piece of memory and passes it to
 * the graph, in addition to the parts that the graph reads separately.
 */
export interface PackedState {
  /** The graph input: `pack:moment:0`. */
  readonly name: string;
  readonly next: string | undefined;
  /** Names of state tensors, in order. */
  readonly parts: readonly string[];
  readonly size: number;
}

export interface StepGraph {
  /** Optimised and ready to emit, without `weight` nodes. */
  readonly graph: Graph;
  readonly state: readonly StateTensor[];
  /** Empty unless the step was built with `packed`. */
  readonly packs: readonly PackedState[];
  /**
   * States and packs whose new value must not be written over the old one while the graph runs, because something may
   * still read the old one. Their new value needs memory of its own and is copied after the step.
   */
  readonly apart: readonly string[];
  /** Inputs of the emitted model that the host fills with new numbers in [0, 1) for each run. */
  readonly draws: readonly { readonly name: string; readonly key: string; readonly shape: readonly number[] }[];
  /** Paths of the weights that are trained. */
  readonly learning: readonly string[];
  /**
   * Outputs that are not state: `step:loss`, `term:<name>`, `step:gradient_norm`, with f16 `step:applied`
   * and `step:inverse_scale`.
   */
  readonly outputs: readonly string[];
}

/**
 * Names of a step's inputs and outputs besides its batch and state. Names in source contain no colon, so they cannot
 * collide with these.
 */
export const stepNames = {
  learningRate: 'step:learning_rate',
  number: 'step:number',
  loss: 'step:loss',
  gradientNorm: 'step:gradient_norm',
  /** f32[]: 1, or 0 for a step that changed no weight because its gradients were not finite. */
  applied: 'step:applied',
  /** f32[]: 1 / the scale of the loss in this step. */
  inverseScale: 'step:inverse_scale',
} as const;

/** Returns the name of the numbers that the host draws for a node `uniform`: what they are depends on it. */
export function drawName(key: string): string {
  return `uniform/${key}`;
}

/** Names of a term of the loss, of state before and after a step, of a pack, and of the gradient of a weight. */
export const termName = (name: string) => `term:${name}`;
export const stateName = (kind: StateKind, path: string) => `${kind}:${path}`;
export const packName = (kind: StateKind, id: string) => `pack:${kind}:${id}`;
export const nextName = (name: string) => `next:${name}`;
export const slopeName = (path: string) => `d:${path}`;
