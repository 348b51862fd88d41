import { join } from 'node:path';
import type { Recipe } from '../../../compiler/training/recipe.ts';
import { UserError } from '../../files/user-error.ts';
import { CheckpointStore } from '../checkpoint.ts';
import type { InitReports } from '../init-files.ts';
import { planNotes } from '../plan-notes.ts';
import { type RunProgress, startRunProgress } from '../run-progress.ts';
import { type EventFile, openEventFile } from '../tensorboard.ts';
import { filesOf, outcome, type Trained } from '../train.ts';
import type { EvaluatedLine, ProgramLine, StartLine, StepLine } from './program-lines.ts';
import { programLog } from './run-program.ts';

interface Shown {
  readonly recipe: Recipe;
  readonly out: string;
  note(line: string): void;
}

type EndLine = Extract<ProgramLine, { readonly event: 'end' }>;

/** The run of a training program as crobc shows it: its progress, its events for TensorBoard, and its result. */
export class ProgramRun {
  readonly #shown: Shown;
  readonly #eventsDir: string;
  #start: StartLine | undefined;
  #end: EndLine | undefined;
  #progress: RunProgress | undefined;
  #events: EventFile | undefined;
  /** Work on the events, in order; it rejects at the first error. */
  #writing: Promise<void> = Promise.resolve();
  #begin: () => void = () => undefined;
  /** Resolves when the program begins to train. */
  readonly begun: Promise<void>;

  constructor(shown: Shown) {
    this.#shown = shown;
    this.#eventsDir = join(shown.out, 'events');
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  get started(): boolean {
    return this.#start !== undefined;
  }

  /** Takes what the program reports. */
  take(line: ProgramLine): void {
    switch (line.event) {
      case 'note':
      case 'error':
        this.#shown.note(line.text);
        return;
      case 'start':
        this.#started(line);
        return;
      case 'step':
        this.#stepped(line);
        return;
      case 'evaluating':
        this.#progress?.evaluating(line.done, line.of);
        return;
      case 'evaluated':
        this.#evaluated(line);
        return;
      case 'end':
        this.#end = line;
    }
  }

  #started(start: StartLine): void {
    const { recipe, note } = this.#shown;
    for (const line of planNotes(recipe, start.plan)) note(line);
    const { step } = start.progress;
    this.#log(async () => {
      this.#events = await openEventFile(this.#eventsDir, step > 0 ? { resumedAt: step + 1 } : {});
    });
    this.#begin();
    this.#start = start;
    this.#progress = startRunProgress(start.plan, recipe.metric, start.progress);
  }

  #stepped({ step, loss, terms, learningRate, gradientNorm, samplesPerSecond }: StepLine): void {
    const named = Object.entries(terms).map(([name, value]) => [`train/${name}`, value] as const);
    this.#scalars(step, [
      ['train/loss', loss],
      ...named,
      ['train/learning_rate', learningRate],
      ['train/gradient_norm', gradientNorm],
      ['speed/samples_per_second', samplesPerSecond],
    ]);
    this.#progress?.step(step, loss ?? Number.NaN, learningRate, samplesPerSecond);
  }

  #evaluated({ step, score, figures }: EvaluatedLine): void {
    this.#scalars(
      step,
      Object.entries(figures).map(([name, value]) => [`evaluation/${name}`, value]),
    );
    this.#log(() => this.#events?.flush());
    this.#progress?.evaluated(score ?? Number.NaN);
  }

  #scalars(step: number, values: readonly (readonly [string, number | null])[]): void {
    this.#log(() => {
      for (const [name, value] of values) this.#events?.scalar(name, step, value ?? Number.NaN);
    });
  }

  #log(work: () => Promise<void> | undefined | void): void {
    this.#writing = this.#writing.then(work);
    // `result` reports it.
    this.#writing.catch(() => undefined);
  }

  /** Returns the result of a program that has ended. Throws a UserError if it reported none, or for the events. */
  async result(inits: InitReports | undefined): Promise<Trained> {
    const [start, end] = [this.#start, this.#end];
    const { recipe, out } = this.#shown;
    if (!start || !end)
      throw new UserError(`the training program ended without a result; ${programLog(out)} has what it printed`);
    await this.#writing;
    const { progress } = end;
    return {
      ...outcome(progress),
      model: recipe.model,
      recipe: recipe.name,
      device: start.device,
      end: end.end,
      steps: start.plan.steps,
      metric: recipe.metric,
      inits: inits ?? null,
      files: {
        ...filesOf(out, new CheckpointStore(out), progress),
        metrics: join(out, 'metrics.jsonl'),
        events: this.#eventsDir,
      },
      tokenizer: start.vocabulary,
    };
  }

  /** Ends the line of progress and closes the events. */
  async close(): Promise<void> {
    this.#progress?.finish();
    await this.#writing.catch(() => undefined);
    await this.#events?.close().catch(() => undefined);
  }
}
