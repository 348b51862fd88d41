import { asConstant } from '../../compiler/dims/dim.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import { stepMemory } from '../../compiler/training/memory.ts';
import type { StateKind } from '../../compiler/training/step.ts';
import { processMemory } from '../process/process-memory.ts';
import type { InitReports } from './init-files.ts';
import type { Plan } from './plan.ts';
import { type ResolvedSetting, resolvedSettings } from './resolved-settings.ts';
import { elementsOf } from './state.ts';
import { graphsOf } from './step-memory.ts';
import { type StepPartsOptions, stepParts } from './step-parts.ts';

/** What a run would be, without running it. */
export interface DryRun {
  readonly model: string;
  readonly recipe: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  /** Those of `output(train)`. */
  readonly lossOutputs: Readonly<Record<string, string>>;
  /** Elements of weights, each counted once. */
  readonly parameters: {
    readonly trained: number;
    /** Not trained by the recipe: `fix`, `train`. */
    readonly fixed: number;
    /** Trained by the recipe, and no term has a gradient for them. */
    readonly unreached: number;
    /** Trained by the recipe, and read by the model in inference alone. */
    readonly inference: number;
    readonly buffers: number;
  };
  /** Bytes. */
  readonly memory: {
    /** What lasts from step to step: weights, optimizer state, averages, accumulators. */
    readonly state: Readonly<Partial<Record<StateKind, number>>>;
    /** All gradients together; some or all of them are there at the peak. */
    readonly gradients: number;
    /** The most that a step holds beside the state: batch, activations, gradients. */
    readonly working: number;
    /** The module that runs then; '' where it is the model itself, its loss or the update. */
    readonly peakAt: string;
    /** State and working peak: what the tensors of a step take at least. */
    readonly total: number;
    /** What the whole process comes to on onnxruntime's CPU provider; undefined for another back end. */
    readonly process: number | undefined;
  };
  readonly operators: number;
  /** Undefined without data: an epoch has as many steps as there are samples for. */
  readonly plan: Plan | undefined;
  /** What the files of the recipe's `init`s give; undefined without any. */
  readonly inits: InitReports | undefined;
  /** Why the data or the files of `init`s could not be read: the training would end with these. */
  readonly refused: readonly string[];
  readonly settings: readonly ResolvedSetting[];
}

/**
 * `given` is what the command line says that is no setting of the recipe, with where it comes from; `typed` gives the
 * words of the command line for a source `--set …` of a setting.
 */
export function dryRun(
  training: Training,
  { plan, inits, refused }: Pick<DryRun, 'plan' | 'inits' | 'refused'>,
  given: readonly ResolvedSetting[],
  options: StepPartsOptions,
  typed: (source: string) => string,
): DryRun {
  const { recipe, forward, weights } = training;
  const parts = stepParts(training, options);
  const steps = graphsOf(parts);
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
  const { state, ...working } = stepMemory(steps);
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
      process: options.backend === 'onnx' ? processMemory(held, working.working) : undefined,
    },
    operators: steps.reduce((total, { graph }) => total + graph.nodes.length, 0),
    plan,
    inits,
    refused,
    settings: [...resolvedSettings(recipe).map((one) => ({ ...one, source: typed(one.source) })), ...given],
  };
}
