import { evaluate } from '../../compiler/dims/dim.ts';
import { costByModule } from '../../compiler/graphs/cost.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { originPlace } from '../build/origin-place.ts';
import type { CompiledTrainingFile } from '../build/source-model.ts';
import type { Plan } from '../training/plan.ts';
import type { Matter } from '../training/run-identity.ts';
import { hasModule } from '../training/step-parts.ts';
import { expectedRun, type TrainOptions } from '../training/train.ts';

/** A model that an experiment names. */
export interface NamedModel {
  /** Its name in tables and plots; unique in an experiment. */
  readonly label: string;
  readonly file: string;
  readonly model: string;
}

/** Options that all trainings of an experiment have in common. */
export type SharedOptions = Pick<
  TrainOptions,
  | 'data'
  | 'backend'
  | 'device'
  | 'threads'
  | 'recompute'
  | 'tokenizer'
  | 'truncation'
  | 'blank'
  | 'onBad'
  | 'onSizeMismatch'
  | 'colours'
>;

/**
 * Compiles a model with its recipe, under the settings of all models and further ones such as `recipe.steps=100`. Throws
 * a UserError if there are errors.
 */
export type CompileModel = (
  named: NamedModel,
  settings: readonly string[],
) => CompiledTrainingFile & Pick<TrainOptions, 'resizing'>;

/** A model of an experiment, with what is known before it is trained. */
export interface PlannedModel extends NamedModel {
  readonly folder: string;
  readonly recipe: string;
  /** Weights of the model for inference. */
  readonly parameters: number;
  /** Of one sample at the sizes of the recipe. */
  readonly flops: number;
  readonly plan: Plan;
  /** The identity of its run with the first seed. */
  readonly identity: Matter;
}

/** Returns the options of a training, which are those of `crobc train`. What it has no module for is not recomputed. */
export function trainOptions(
  compiled: ReturnType<CompileModel>,
  shared: SharedOptions,
  run: Pick<TrainOptions, 'out' | 'resume' | 'note'>,
): TrainOptions {
  return {
    ...shared,
    ...run,
    training: compiled.training,
    source: compiled,
    resizing: compiled.resizing,
    recompute: shared.recompute.filter((pattern) => hasModule(compiled.training, pattern)),
    weightsFile: undefined,
    place: (origin) => originPlace(compiled.program, origin) ?? '',
  };
}

/** Returns what is known of a model before it is trained. Throws a UserError if it could not be trained. */
export async function plannedModel(
  named: NamedModel,
  compiled: ReturnType<CompileModel>,
  shared: SharedOptions,
  { folder, cache, note }: { readonly folder: string; readonly cache: string | undefined; note(line: string): void },
): Promise<PlannedModel> {
  const { plan, identity } = await expectedRun(
    trainOptions(compiled, shared, { out: folder, resume: false, note }),
    cache,
  );
  const { recipe, inference } = compiled.training;
  return { ...named, folder, recipe: recipe.name, ...costOf(inference), plan, identity };
}

/** Returns the cost of one sample, as `crobc summary` does with `B=1` and the sizes of the recipe. */
function costOf(inference: Graph): Pick<PlannedModel, 'parameters' | 'flops'> {
  const whole = costByModule(runPipeline(inference)).get('');
  if (!whole) throw new Error('bug in crobc: a graph without a cost');
  // The recipe binds all other sizes.
  const one = () => 1;
  return { parameters: evaluate(whole.parameters, one), flops: evaluate(whole.flops, one) };
}
