import type { Origin } from '../../compiler/ir/graph.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import { operatorName } from '../build/origin-place.ts';
import { UserError } from '../files/user-error.ts';
import type { Feeds } from '../ort/session.ts';
import type { TrainingBackend } from './backend.ts';
import type { Checkpoint, CheckpointStore } from './checkpoint.ts';
import { explainNonFinite } from './explain-non-finite.ts';
import type { NonFiniteStep } from './non-finite-step.ts';
import { type BackendOptions, lookingBackend } from './open-backend.ts';

export interface TraceOptions {
  readonly training: Training;
  readonly backend: TrainingBackend;
  readonly opening: BackendOptions;
  readonly store: CheckpointStore;
  /** Returns the state of a checkpoint, or the initial state. */
  readonly stateOf: (checkpoint: Checkpoint | undefined) => Promise<ReadonlyMap<string, Float32Array>>;
  readonly batches: (step: number) => AsyncIterable<readonly Feeds[]>;
  readonly learningRate: (step: number) => number;
  readonly stopped: () => boolean;
  /** Returns the source position of a node, for messages. */
  readonly place: (origin: Origin) => string;
  note(line: string): void;
}

/**
 * Returns the error for a step that is not finite. It names the operator that made the first NaN or infinity, with its
 * module and line, and the last good checkpoint.
 */
export async function traceNonFinite(error: NonFiniteStep, options: TraceOptions): Promise<UserError> {
  const { backend, opening, store, stateOf, batches, learningRate, stopped, note } = options;
  const { step, what, failure } = error;
  note(`step ${step}: ${what}${failure ? ` (${failure.message})` : ''}; looking for the operator that made it`);
  const good = await store.latest(note, step);
  const looking = await lookingBackend(backend, opening, () => stateOf(good));
  try {
    const found = await explainNonFinite(error, {
      ...looking,
      from: good?.progress.step ?? 0,
      restart: async () => looking.backend.write(await stateOf(good)),
      batches,
      learningRate,
      stopped,
    });
    const where = good ? `the last good checkpoint is ${good.path}` : 'there is no checkpoint before it';
    return new UserError(`step ${step}: ${described(error, found, options)}; ${where}`);
  } finally {
    if (looking.backend !== backend) await looking.backend.release();
  }
}

function described(
  { step, what, failure }: NonFiniteStep,
  found: Awaited<ReturnType<typeof explainNonFinite>>,
  { training, place, stopped }: TraceOptions,
): string {
  if (found === undefined)
    return stopped() ? `${what}; the search for the operator was left` : (failure?.message ?? what);
  const { op, made, origin } = found;
  const { recipe, forward } = training;
  // A node that processes a gradient gets the line of its weight, or else that of the optimizer.
  const weight = forward.build.nodes.find((node) => node.op === 'weight' && node.attributes.path === origin.path);
  const line = place(origin) || (weight && place(weight.origin)) || recipe.sources.get('optimizer');
  const module = origin.path === '' ? recipe.model : origin.path;
  const earlier = found.step === step ? '' : ` at step ${found.step}`;
  return `${what}; the first ${made} came out of ${operatorName(op, origin)} in ${module}${line ? `, ${line}` : ''}${earlier}`;
}
