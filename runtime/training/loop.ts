import { lossScaling } from '../../compiler/training/loss-scale.ts';
import { UserError } from '../files/user-error.ts';
import type { StopRequest, StopSignal } from '../process/stop-signal.ts';
import { surroundings } from '../process/surroundings.ts';
import type { Feeds, StepResult, TrainingBackend } from './backend.ts';
import type { CheckpointStore, Progress, RunIdentity, StoredTensor } from './checkpoint.ts';
import type { MetricsLog } from './metrics-log.ts';
import { NonFiniteStep, orNonFinite, shownNonFinite } from './non-finite-step.ts';
import { isDue, type Plan } from './plan.ts';
import { firstNotFinite } from './state.ts';
import type { EventFile } from './tensorboard.ts';

/** The result of an evaluation. `score` is the metric that selects the best weights (larger is better). */
export interface Scored {
  readonly score: number;
  /** Values for metrics.jsonl and TensorBoard, by name. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface LoopParts {
  readonly backend: TrainingBackend;
  readonly plan: Plan;
  /** Learning rate of a step; steps count from 1. */
  readonly learningRate: (step: number) => number;
  /** Yields the micro-batches of step `step` (from 1) and all later ones, without end. */
  readonly batches: (step: number) => AsyncIterable<readonly Feeds[]>;
  /** Undefined without validation data. Returns undefined if `stop` has a signal. */
  readonly evaluate: ((step: number) => Promise<Scored | undefined>) | undefined;
  /** Training ends after this number of evaluations without a better one. */
  readonly earlyStop: number | undefined;
  /** Maximum seconds between checkpoints, and the minimum for those that the plan schedules. */
  readonly checkpointSeconds: { readonly most: number; readonly least: number };
  readonly from: Progress;
  readonly store: CheckpointStore;
  readonly identity: RunIdentity;
  readonly stored: readonly StoredTensor[];
  readonly metrics: MetricsLog;
  readonly events: EventFile | undefined;
  readonly stop: Pick<StopRequest, 'signal'>;
  /** Called after each step; `speed` is in samples per second. */
  onStep?(step: number, result: StepResult, learningRate: number, speed: number): void;
  onEvaluation?(step: number, scored: Scored, best: boolean): void;
}

export interface LoopResult {
  readonly progress: Progress;
  readonly end: 'done' | 'early stop' | StopSignal;
}

/** The progress before the first step. */
export const beginning: Progress = { step: 0, seconds: 0, last: null, best: null, worse: 0, evaluated: 0 };

/**
 * Trains from `from` to the end of the plan, a stop or an early stop, and writes a final checkpoint. Every step depends
 * only on the state and on its number, so a resumed run is identical to an unbroken one. Throws a NonFiniteStep. On a
 * UserError (bad data, a full disk), first writes a checkpoint of the steps before it, if possible. An error of a
 * checkpoint that is written while training goes on, also that its state is not finite, is thrown after the step during
 * which it occurs.
 */
export async function trainLoop(parts: LoopParts): Promise<LoopResult> {
  const loop = new Loop(parts);
  return loop.run();
}

class Loop {
  readonly #parts: LoopParts;
  #progress: Progress;
  /** Progress of the last checkpoint, which may still be being written. */
  #saved: Progress;
  /** Ends when the checkpoint is written that steps do not wait for; never rejects. */
  #writing: Promise<void> | undefined;
  /** Why that checkpoint could not be written. */
  #unwritten: { readonly error: unknown } | undefined;
  readonly #now = surroundings().now;
  #savedAt = this.#now();
  #clock = this.#now();

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#progress = parts.from;
    this.#saved = parts.from;
  }

  async run(): Promise<LoopResult> {
    const { plan, stop } = this.#parts;
    try {
      // An evaluation that a stop or a kill interrupted.
      if (this.#evaluationDue()) {
        await this.#evaluate();
        await this.#checkpoint();
      }
      if (!this.#ended()) {
        for await (const batches of this.#parts.batches(this.#progress.step + 1)) {
          if (stop.signal) break;
          await this.#step(batches);
          this.#requireWritten();
          if (this.#evaluationDue() && !stop.signal) await this.#evaluate();
          if (this.#ended() || stop.signal) break;
          if (this.#checkpointDue()) await this.#checkpoint();
        }
      }
      await this.#written();
    } catch (error) {
      // Before anything looks for the last good checkpoint, or overwrites the arrays.
      await this.#writing;
      // What failed after a step that left such a state may have failed because of it.
      const unwritten = this.#unwritten?.error;
      if (unwritten instanceof NonFiniteStep) throw unwritten;
      if (error instanceof UserError) await this.#rescue();
      throw error;
    }
    await this.#checkpoint();
    await this.#written();
    const whole = this.#ended() && !this.#evaluationDue();
    const end = whole ? (this.#progress.step >= plan.steps ? 'done' : 'early stop') : stop.signal;
    if (end === undefined) throw new Error(`bug in crobc: the data ended after step ${this.#progress.step}`);
    return { progress: this.#progress, end };
  }

  async #step(batches: readonly Feeds[]): Promise<void> {
    const { backend, learningRate, metrics, events, plan, onStep } = this.#parts;
    const step = this.#progress.step + 1;
    const rate = learningRate(step);
    const scalars = { learningRate: rate, step };
    const result = await orNonFinite(backend.step(batches, scalars), step, 'it cannot be computed');
    const { loss, gradientNorm } = result;
    const { scaling } = result;
    requireScale(step, scaling);
    const skipped = scaling?.skipped ?? false;
    if (!Number.isFinite(loss) && !skipped) throw new NonFiniteStep(step, `the loss is ${shownNonFinite(loss)}`);
    if (!Number.isFinite(gradientNorm) && !skipped)
      throw new NonFiniteStep(step, `the norm of the gradients is ${shownNonFinite(gradientNorm)}`);
    const took = this.#passSeconds();
    const last = Number.isFinite(loss) ? { loss, lr: rate } : this.#progress.last;
    this.#progress = { ...this.#progress, step, last };
    const speed = plan.perStep / took;
    await metrics.append({
      step,
      epoch: this.#epoch(step),
      loss: result.loss,
      lr: rate,
      seconds: rounded(this.#progress.seconds),
      gradient_norm: result.gradientNorm,
      samples_per_second: rounded(speed),
      terms: result.terms,
      ...(scaling ? { loss_scale: scaling.scale, skipped } : {}),
    });
    events?.scalar('train/loss', step, result.loss);
    for (const [name, value] of Object.entries(result.terms)) events?.scalar(`train/${name}`, step, value);
    events?.scalar('train/learning_rate', step, rate);
    events?.scalar('train/gradient_norm', step, result.gradientNorm);
    if (scaling) events?.scalar('train/loss_scale', step, scaling.scale);
    events?.scalar('speed/samples_per_second', step, speed);
    onStep?.(step, result, rate, speed);
  }

  async #evaluate(): Promise<void> {
    const { evaluate, metrics, events, onEvaluation } = this.#parts;
    const { step, best, worse } = this.#progress;
    const scored = await evaluate?.(step);
    if (scored === undefined) return;
    this.#passSeconds();
    const better = Number.isFinite(scored.score) && (best === null || scored.score > best.score);
    this.#progress = {
      ...this.#progress,
      evaluated: step,
      best: better ? { step, score: scored.score } : best,
      worse: better ? 0 : worse + 1,
    };
    await metrics.append({
      step,
      epoch: this.#epoch(step),
      ...this.#progress.last,
      seconds: rounded(this.#progress.seconds),
      ...scored.figures,
    });
    for (const [name, value] of Object.entries(scored.figures)) events?.scalar(`evaluation/${name}`, step, value);
    await events?.flush();
    onEvaluation?.(step, scored, better);
    // The best weights are always stored in a checkpoint.
    if (better) await this.#checkpoint();
  }

  #evaluationDue(): boolean {
    const { evaluate, plan } = this.#parts;
    const { step, evaluated } = this.#progress;
    return evaluate !== undefined && step > evaluated && step > 0 && isDue(plan.evaluateEvery, step, plan);
  }

  #checkpointDue(): boolean {
    const { plan, checkpointSeconds } = this.#parts;
    const seconds = (this.#now() - this.#savedAt) / 1000;
    if (seconds > checkpointSeconds.most) return true;
    return seconds >= checkpointSeconds.least && isDue(plan.checkpointEvery, this.#progress.step, plan);
  }

  /**
   * Saves the progress. Where the state that is read stays as it is, it is checked, and files are written, hashed and
   * flushed, while training goes on; the next checkpoint and the end wait for them.
   */
  async #checkpoint(): Promise<void> {
    const { backend } = this.#parts;
    const progress = this.#progress;
    if (progress === this.#saved || progress.step === 0) return;
    await this.#written();
    const state = await backend.read();
    const before = this.#saved;
    this.#saved = progress;
    this.#savedAt = this.#now();
    this.#writing = this.#write(progress, state).then(
      () => {
        this.#savedAt = this.#now();
      },
      (error) => {
        this.#saved = before;
        this.#unwritten = { error };
      },
    );
    if (!backend.readsCopies) await this.#written();
  }

  async #write(progress: Progress, state: ReadonlyMap<string, Float32Array>): Promise<void> {
    const { store, identity, stored, metrics, events } = this.#parts;
    const bad = await firstNotFinite(state);
    if (bad !== undefined) throw new NonFiniteStep(progress.step, `${bad} is not finite after the update`);
    // The lines of all steps of a checkpoint are on the disk before it is. Those of later steps may be.
    await metrics.sync();
    await events?.flush();
    await store.save(progress, identity, state, stored);
  }

  /** Waits for the checkpoint that is being written, and throws its error. */
  async #written(): Promise<void> {
    await this.#writing;
    this.#writing = undefined;
    this.#requireWritten();
  }

  /** Throws the error of the checkpoint that was written while training went on. */
  #requireWritten(): void {
    const failed = this.#unwritten;
    this.#unwritten = undefined;
    if (failed) throw failed.error;
  }

  /** Saves the progress after an error outside of training; the user sees the first error. */
  async #rescue(): Promise<void> {
    // The first error may be another one.
    this.#unwritten = undefined;
    if (this.#progress === this.#saved) return;
    try {
      await this.#checkpoint();
      await this.#written();
    } catch (second) {
      // A NonFiniteStep explains more than the first error, which it may have caused.
      if (!(second instanceof UserError)) throw second;
    }
  }

  #ended(): boolean {
    return this.#progress.step >= this.#parts.plan.steps || this.#stale();
  }

  #stale(): boolean {
    const { earlyStop } = this.#parts;
    return earlyStop !== undefined && earlyStop > 0 && this.#progress.worse >= earlyStop;
  }

  #epoch(step: number): number {
    return rounded(step / this.#parts.plan.stepsPerEpoch);
  }

  /** Returns the seconds since the last call and adds them to the training time. */
  #passSeconds(): number {
    const now = this.#now();
    const took = (now - this.#clock) / 1000;
    this.#clock = now;
    this.#progress = { ...this.#progress, seconds: this.#progress.seconds + took };
    return took;
  }
}

/**
 * Throws a NonFiniteStep if gradients in f16 are not finite even for a loss that is hardly scaled: they do not overflow by
 * the scale.
 */
function requireScale(step: number, scaling: StepResult['scaling']): void {
  if (!scaling?.skipped || scaling.scale * lossScaling.backoff >= 1) return;
  throw new NonFiniteStep(
    step,
    `the gradients are not finite even with a loss scale of ${scaling.scale}, which would fall below 1`,
  );
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
