import { asConstant } from '../../compiler/dims/dim.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import { stepMemory } from '../../compiler/training/memory.ts';
import type { TrainingPrecision } from '../../compiler/training/recipe.ts';
import type { StateKind, StepGraph } from '../../compiler/training/step-graph.ts';
import { trainingMemory } from '../process/process-memory.ts';
import type { InitReports } from './init-files.ts';
import type { Plan } from './plan.ts';
import { type ResolvedSetting, resolvedSettings } from './resolved-settings.ts';
import { elementsOf } from './state.ts';
import type { StepPartsOptions } from './step-parts.ts';

/** Description of a training run that is not executed. */
export interface DryRun {
  readonly model: string;
  readonly recipe: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  /** Types of `output(train)`. */
  readonly lossOutputs: Readonly<Record<string, string>>;
  /** Number of elements of weights, each counted once. */
  readonly parameters: {
    readonly trained: number;
    /** Not trained because of `fix` or `train`. */
    readonly fixed: number;
    /** Selected for training, but no loss term has a gradient for them. */
    readonly unreached: number;
    /** Selected for training, but read only in inference. */
    readonly inference: number;
    readonly buffers: number;
  };
  /** In bytes. */
  readonly memory: {
    /** State that persists between steps: weights, optimizer state, averages, accumulators. */
    readonly state: Readonly<Partial<Record<StateKind, number>>>;
    /** All gradients together; not all of them need exist at the same time. */
    readonly gradients: number;
    /** Peak of a step in addition to the state: batch, activations, gradients, and buffers kept for them. */
    readonly working: number;
    /** The module that runs at the peak; empty for the model itself, its loss or the update. */
    readonly peakAt: string;
    /** State plus working peak: an estimate for the tensors of a step. */
    readonly total: number;
    /** Estimate for the whole process on onnxruntime's CPU provider; undefined for other back ends. */
    readonly process: number | undefined;
  };
  readonly operators: number;
  /** Undefined without data, since the length of an epoch depends on the number of samples. */
  readonly plan: Plan | undefined;
  /** What the files of the recipe's `init`s provide; undefined without any. */
  readonly inits: InitReports | undefined;
  /** Errors on reading the data or the files of `init`s, with which a training run would fail. */
  readonly refused: readonly string[];
  readonly settings: readonly ResolvedSetting[];
}

/**
 * Describes a run by the graphs of its step. `given` holds command-line settings that are not settings of the recipe, with their sources; `typed`
 * converts a source `--set …` to what the user typed.
 */
export function dryRun(
  training: Training,
  steps: readonly StepGraph[],
  { plan, inits, refused }: Pick<DryRun, 'plan' | 'inits' | 'refused'>,
  given: readonly ResolvedSetting[],
  { precision, backend }: Pick<StepPartsOptions, 'backend'> & { readonly precision: TrainingPrecision },
  typed: (source: string) => string,
): DryRun {
  const { recipe, forward, weights } = training;
  const trained = new Set(steps.flatMap(({ learning }) => learning));
  const count = (wanted: (weight: (typeof weights)[number]) => boolean) =>
    weights.filter(wanted).reduce((total, { shape }) => total + elementsOf(shape), 0);
  const isLeft = ({ path, role, frozen }: (typeof weights)[number]) =>
    role === 'param' && !frozen && !trained.has(path);
  const inTraining = new Set(
    forward.build.nodes.flatMap((node) => (node.op === 'weight' ? [node.attributes.path] : [])),
  );
  const inInference = new Set(training.inference.outputs.map(({ name }) => name));
  const types = (ports: typeof forward.inputs | typeof forward.outputs) =>
    Object.fromEntries(
      ports.map(({ name, value: { type } }) => [
        name,
        `${type.dtype}[${type.shape.map((d) => asConstant(d)).join(', ')}]`,
      ]),
    );
  const { state, ...working } = stepMemory(steps, backend);
  const held = [...state.values()].reduce((total, bytes) => total + bytes, 0);
  return {
    model: recipe.model,
    recipe: recipe.name,
    inputs: types(forward.inputs),
    outputs: types(forward.outputs.filter(({ name }) => inInference.has(name))),
    lossOutputs: types(forward.outputs.filter(({ name }) => !inInference.has(name))),
    parameters: {
      trained: count(({ path }) => trained.has(path)),
      fixed: count(({ role, frozen }) => role === 'param' && frozen),
      unreached: count((weight) => isLeft(weight) && inTraining.has(weight.path)),
      inference: count((weight) => isLeft(weight) && !inTraining.has(weight.path)),
      buffers: count(({ role }) => role === 'buffer'),
    },
    memory: {
      state: Object.fromEntries(state),
      ...working,
      total: held + working.working,
      process: backend === 'onnx' ? trainingMemory(held, working.working) : undefined,
    },
    operators: steps.reduce((total, { graph }) => total + graph.nodes.length, 0),
    plan,
    inits,
    refused,
    settings: [
      ...resolvedSettings({ ...recipe, precision }).map((one) => ({ ...one, source: typed(one.source) })),
      ...given,
    ],
  };
}
