import { evaluate as evaluateDim } from '../../../compiler/dims/dim.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { seedOf } from '../../../compiler/ops/random.ts';
import { type StepGraph, stepNames } from '../../../compiler/training/step-graph.ts';
import { draws } from '../../draws.ts';
import { evaluate, type Meaning } from '../meaning/evaluate.ts';
import { count, make, type Tensor } from '../meaning/tensors.ts';
import { sizeAt } from '../program/size.ts';
import type { Program, Recipe, Weight } from '../program/tree.ts';
import type { Checks } from './checks.ts';
import { type Lanes, runLanes } from './lanes.ts';
import { drawValues, drawWeight, sizesOf } from './values.ts';

export type Data = ReadonlyMap<string, TensorData>;

/** A weight as the program declares it. */
interface Declared {
  readonly path: string;
  readonly start: Tensor;
  /** The direction in which the loss is differentiated: 0 for what is not trained. */
  readonly direction: Float64Array;
  readonly weight: Weight;
}

export const learningRate = 0.05;

export const noWeights = (path: string): never => {
  throw new Error(`a step has no weight ${path}`);
};

/** A program that is trained: its weights and batches, and what each graph of a step is fed. */
export class TrainingCase {
  readonly program: Program;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly checks: Checks;
  readonly weights = new Map<string, Declared>();
  /** Feeds of each micro-batch. */
  readonly batches: ReadonlyMap<string, Tensor>[] = [];

  constructor(program: Program, recipe: Recipe, seed: number, checks: Checks) {
    this.program = program;
    this.recipe = recipe;
    this.seed = seed;
    this.checks = checks;
    const sizes = sizesOf(program, new Map(recipe.sizes));
    for (let i = 0; i < recipe.accumulate; i++) {
      const inputs = [...program.model.inputs, ...recipe.inputs];
      const value = (input: (typeof inputs)[number]) =>
        drawValues(
          seed + i,
          input,
          input.type.shape.map((axis) => sizeAt(axis, sizes)),
        );
      this.batches.push(new Map(inputs.map((input) => [input.name, value(input)])));
    }
  }

  /** The program in training form, with weights `by` of the way along their directions. */
  meaning(batch: ReadonlyMap<string, Tensor>, by: number, weights?: ReadonlyMap<string, ArrayLike<number>>): Meaning {
    return evaluate(this.program, {
      sizes: new Map(this.recipe.sizes),
      inputs: batch,
      training: true,
      weight: (path, shape, declared) => {
        const { start, direction } = this.declared(path, shape, declared);
        const data = weights?.get(path) ?? start.data;
        return make(
          'f32',
          shape,
          (i) => data[i]! + by * direction[i]!,
          (i) => direction[i]!,
        );
      },
    });
  }

  declared(path: string, shape: readonly number[], weight: Weight): Declared {
    const known = this.weights.get(path);
    if (known) return known;
    const draw = draws(this.seed ^ seedOf(`along ${path}`));
    const isTrained = !weight.buffer && !this.recipe.fixed.some((part) => path.startsWith(`${part}.`));
    const direction = Float64Array.from({ length: count(shape) }, () => (isTrained ? draw.below(2001) / 1000 - 1 : 0));
    const start = weight.buffer ? make('f32', shape, () => 0.25) : drawWeight(this.seed, path, shape);
    const made: Declared = { path, start, direction, weight };
    this.weights.set(path, made);
    return made;
  }

  /** State tensors as they start. */
  state(steps: readonly StepGraph[]): Map<string, TensorData> {
    const state = new Map<string, TensorData>();
    for (const { name, kind, path, shape } of steps.flatMap((step) => step.state)) {
      const held = this.weights.get(path);
      const starts = kind === 'weight' || kind === 'buffer' || kind === 'average';
      // What only the other form reads, the meaning did not ask for.
      const data = starts && held ? held.start.data : new Float64Array(count(shape));
      state.set(name, { dtype: 'f32', shape, data: Float64Array.from(data) });
    }
    return state;
  }

  /** With the weights that a graph reads and a step does not, as no result of it depends on them. */
  withUnread(graph: Graph, state: Data): Data {
    const all = new Map(state);
    for (const { name, value } of graph.inputs) {
      const [, path] = name.match(/^(?:weight|buffer):(.*)$/) ?? [];
      if (path === undefined || all.has(name)) continue;
      const shape = value.type.shape.map((dim) => evaluateDim(dim, () => 1));
      const data = Float64Array.from(this.weights.get(path)?.start.data ?? new Float64Array(count(shape)));
      all.set(name, { dtype: 'f32', shape, data });
    }
    return all;
  }

  feeds(graph: Graph, state: Data, batch: Data, step: number): Data {
    const scalars = new Map<string, TensorData>([
      [stepNames.learningRate, { dtype: 'f32', shape: [], data: Float64Array.of(learningRate) }],
      [stepNames.number, { dtype: 'i32', shape: [], data: Float64Array.of(step) }],
    ]);
    return new Map(graph.inputs.map(({ name }) => [name, (state.get(name) ?? batch.get(name) ?? scalars.get(name))!]));
  }

  lanes(graph: Graph, state: Data, batch: Data, step: number, loose?: ReadonlyMap<string, number>): Lanes {
    return runLanes(graph, this.feeds(graph, state, batch, step), noWeights, new Map(), {
      noise: this.checks.noise,
      loose,
    });
  }
}
