import { join } from 'node:path';
import { requireTraining } from '../../runtime/build/source-model.ts';
import { loadFonts } from '../../runtime/drawing/fonts.ts';
import { pictureBytes } from '../../runtime/drawing/write-picture.ts';
import { comparisonSize } from '../../runtime/evaluation/evaluate.ts';
import { stepsOfBudget } from '../../runtime/experiment/budget.ts';
import { comparisonCharts } from '../../runtime/experiment/charts.ts';
import { comparisonOf, type ExperimentComparison } from '../../runtime/experiment/comparison.ts';
import {
  type ExperimentRecord,
  folderIn,
  readExperimentRecord,
  withFolders,
  writeExperimentRecord,
} from '../../runtime/experiment/experiment-record.ts';
import {
  checkModelsMemory,
  type ModelMemory,
  type ModelsMemoryOptions,
  modelsMemory,
  untrainedModels,
} from '../../runtime/experiment/models-memory.ts';
import { type PlannedRun, type PlanOptions, planRuns, samplesOf, secondsLeft } from '../../runtime/experiment/plan.ts';
import {
  type CompileModel,
  type NamedModel,
  type PlannedModel,
  plannedModel,
  type SharedOptions,
} from '../../runtime/experiment/planned-model.ts';
import { recipeSettings, runExperiment } from '../../runtime/experiment/run-experiment.ts';
import { byteSize } from '../../runtime/files/byte-size.ts';
import { writeFileSet } from '../../runtime/files/file-set.ts';
import { makeFolder } from '../../runtime/files/make-folder.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { duration } from '../../runtime/process/duration.ts';
import { writeLine } from '../../runtime/process/status-line.ts';
import { exitCodeOf, type StopSignal } from '../../runtime/process/stop-signal.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import { lockRun } from '../../runtime/training/run-lock.ts';
import { hasModule } from '../../runtime/training/step-parts.ts';
import { baselineOf, type CompareOptions, checkOptions } from '../comparison/choices.ts';
import { namedModels } from '../comparison/named-models.ts';
import {
  comparisonCsv,
  comparisonJson,
  comparisonLatex,
  comparisonMarkdown,
  comparisonText,
} from '../comparison/report.ts';
import { compiledTraining, compileTrainingFile } from '../compile-training.ts';
import type { Invocation } from '../io.ts';
import { plural } from '../messages.ts';
import { complain, printJson, printLine, printText } from '../print.ts';
import { asSettings } from '../recipe-options.ts';
import { sampleChoices } from '../sample-options.ts';
import { table } from '../table.ts';
import { memoryOf, refuseDeviceMemory, resizingOf } from './planned-device.ts';

/** `crobc compare`. */
export async function compareModels(
  io: Invocation,
  given: readonly string[],
  options: CompareOptions,
): Promise<number> {
  checkOptions(options);
  refuseDeviceMemory(options);
  const named = namedModels(diskHost(), given);
  const baseline = baselineOf(named, options.baseline);
  const comparing = new Comparing(io, named, options);
  if (options.dryRun) return comparing.dryRun();
  await makeFolder(options.out);
  const lock = await lockRun(options.out);
  try {
    const found = await comparing.run(baseline);
    if (typeof found !== 'string') {
      await write(io, found, options);
      return 0;
    }
    complain(io, `stopped by ${found}; the same command goes on`);
    return exitCodeOf(found);
  } finally {
    await lock.release();
  }
}

/** One call of the command, with what its steps have in common. */
class Comparing {
  readonly #io: Invocation;
  readonly #named: readonly NamedModel[];
  readonly #options: CompareOptions;
  readonly #shared: SharedOptions;
  /** Lines that were printed: the runs of a model have the same notes. */
  readonly #printed = new Set<string>();

  constructor(io: Invocation, named: readonly NamedModel[], options: CompareOptions) {
    this.#io = io;
    this.#named = named;
    this.#options = options;
    this.#shared = {
      data: options.data,
      backend: options.backend,
      // A plan for a GPU is one for CUDA.
      device: options.deviceMemory === undefined ? options.device : 'cuda',
      recompute: options.recompute ?? [],
      threads: options.threads,
      ...sampleChoices(options),
    };
  }

  /** Runs what is left; returns the result, or the signal that stopped it. */
  async run(baseline: number): Promise<ExperimentComparison | StopSignal> {
    const { out, steps: given, minutes } = this.#options;
    let record = withFolders(await readExperimentRecord(out), this.#named, out);
    const known = minutes !== undefined && record.budget?.minutes === minutes ? record.budget : undefined;
    const isMeasured = minutes === undefined || known !== undefined;
    let steps = known?.steps ?? given;
    let models = await this.#models(record, steps, out);
    let plan = await this.#plan(models, record, out);
    await checkModelsMemory(isMeasured ? untrainedModels(await planRuns(plan)) : models, this.#memory(steps));
    const store = (next: ExperimentRecord) => writeExperimentRecord(out, next);
    // Now that it has only models that can be trained.
    await store(record);
    if (!isMeasured) {
      const budget = await stepsOfBudget({
        ...{ models, minutes, out, record, store },
        ...{ compile: this.#compile, shared: this.#shared, note: this.#note },
      });
      if (typeof budget === 'string') return budget;
      record = budget;
      steps = record.budget?.steps;
      models = await this.#models(record, steps, out);
      plan = await this.#plan(models, record, out);
    }
    const end = await runExperiment({
      ...plan,
      ...{ shared: this.#shared, compile: this.#compile, steps, settings: this.#options.set ?? [], note: this.#note },
    });
    return end.kind === 'stopped' ? end.signal : comparisonOf(end.runs, baseline, plan.evaluation);
  }

  /** Prints what would run, and writes nothing. */
  async dryRun(): Promise<number> {
    const { out, steps: given, minutes, json, seeds } = this.#options;
    const record = withFolders(await readExperimentRecord(out), this.#named, out);
    const steps = minutes !== undefined && record.budget?.minutes === minutes ? record.budget.steps : given;
    const isMeasured = minutes === undefined || steps !== undefined;
    const models = await this.#models(record, steps, undefined);
    const plan = await this.#plan(models, record, undefined);
    // Runs of other steps than those that a measurement will give are found when there is one.
    const planned = await planRuns(isMeasured ? plan : { ...plan, redo: true });
    const runs = isMeasured
      ? planned
      : planned.map((run): PlannedRun => ({ ...run, state: { kind: 'new' }, seconds: minutes * 60 }));
    const left = secondsLeft(runs);
    const memory = await modelsMemory(untrainedModels(runs), this.#memory(steps));
    if (json) {
      printJson(this.#io, {
        runs: runs.map(({ model, seed, folder, state, seconds }) => ({
          ...{ label: model.label, file: model.file, model: model.model, recipe: model.recipe, seed, folder },
          ...{ state: state.kind, steps: isMeasured ? model.plan.steps : null, seconds: seconds ?? null },
        })),
        seconds: left ?? null,
        models: memory.map(({ model: { label, file, model, recipe }, need }) => ({
          ...{ label, file, model, recipe },
          memory: need ? { needed: need.needed, fits: need.fits, refused: need.refused ?? null } : null,
          device: need?.device ?? null,
        })),
      });
      return 0;
    }
    const rows = runs.map(({ model, seed, state, seconds }) => [
      ...[model.label, model.recipe, String(seed), stateText[state.kind]],
      isMeasured ? model.plan.steps.toLocaleString('en') : '',
      state.kind === 'done' ? '' : seconds === undefined ? '?' : duration(seconds * 1000),
      shownNeeded(memory, model),
    ]);
    const columns = terminalWidth(this.#io.stdout);
    const heads = ['model', 'recipe', 'seed', 'state', 'steps', 'time', 'memory'];
    const align = ['left', 'left', 'right', 'left', 'right', 'right', 'right'] as const;
    printText(this.#io, `${table(heads, rows, align, columns)}\n\n`);
    const todo = runs.filter(({ state }) => state.kind !== 'done').length;
    const time =
      left === undefined
        ? '; how long they take is known after the first'
        : todo === 0
          ? ''
          : `, about ${duration(left * 1000)}${isMeasured ? '' : ' at most: the pace of each model is measured first'}`;
    printLine(
      this.#io,
      `${plural(models.length, 'model')}, ${plural(seeds.length, 'seed')}: ${todo} of ${plural(runs.length, 'run')} to do${time}`,
    );
    for (const { model, need } of memory) {
      const line = need?.refused ?? need?.note;
      if (line !== undefined) printLine(this.#io, `${model.label}: ${line}`);
    }
    return 0;
  }

  async #models(record: ExperimentRecord, steps: number | undefined, cache: string | undefined) {
    const models: PlannedModel[] = [];
    const matching = new Set<string>();
    for (const named of this.#named) {
      const folder = folderIn(record, named, this.#options.out);
      if (folder === undefined) throw new Error(`bug in crobc: no folder for ${named.label}`);
      const compiled = this.#compile(named, recipeSettings(steps, this.#options.seeds[0] ?? 0));
      for (const line of compiled.training.recipe.notes) this.#note(line);
      for (const pattern of this.#shared.recompute) if (hasModule(compiled.training, pattern)) matching.add(pattern);
      models.push(await plannedModel(named, compiled, this.#shared, { folder, cache, note: this.#note }));
    }
    const unmatched = this.#shared.recompute.find((pattern) => !matching.has(pattern));
    if (unmatched !== undefined)
      throw new UserError(`none of the models has a module ${unmatched}; "crobc summary" lists them`);
    return models;
  }

  #memory(steps: number | undefined): ModelsMemoryOptions {
    const { deviceMemory, seeds } = this.#options;
    return {
      ...{ compile: this.#compile, shared: this.#shared, note: this.#note },
      settings: recipeSettings(steps, seeds[0] ?? 0),
      memoryOf: memoryOf(deviceMemory),
    };
  }

  async #plan(models: readonly PlannedModel[], record: ExperimentRecord, cache: string | undefined) {
    const { split, protocol, at, limit, seeds, out, redo = false } = this.#options;
    const evaluation = {
      split,
      samples: await samplesOf(this.#shared, split, cache),
      protocol,
      at: comparisonSize({ protocol, ...(at === undefined ? {} : { at }) }),
      limit: limit ?? null,
    };
    return { models, seeds, out, evaluation, record, redo } satisfies PlanOptions;
  }

  readonly #compile: CompileModel = (named, settings) => {
    const { recipe, set: given = [] } = this.#options;
    const choice = (set: readonly string[]) => ({ model: named.model, recipe, set: [...set, ...settings] });
    const resizing = resizingOf(asSettings({}, given), (set) => compiledTraining(named.file, choice(set)));
    const key = `compiled ${named.file}:${named.model}`;
    if (this.#printed.has(key)) {
      const compiled = requireTraining(compiledTraining(named.file, choice(given)), choice(given));
      return { ...compiled, resizing };
    }
    const compiled = compileTrainingFile(this.#io, named.file, choice(given));
    if (!compiled) throw new UserError(`${named.file}:${named.model} cannot be trained because of these errors`);
    this.#printed.add(key);
    return { ...compiled, resizing };
  };

  readonly #note = (line: string): void => {
    if (this.#printed.has(line)) return;
    this.#printed.add(line);
    writeLine(line, this.#io.stderr);
  };
}

/** The estimate for a run that is to be trained; an exclamation mark where it does not fit. */
function shownNeeded(memory: readonly ModelMemory[], model: PlannedModel): string {
  const need = memory.find((one) => one.model === model)?.need;
  return need ? `${byteSize(need.needed)}${need.fits === false ? '!' : ''}` : '';
}

const stateText = {
  new: 'to train',
  changed: 'to train again',
  begun: 'to continue',
  trained: 'to evaluate',
  done: 'done',
} as const satisfies Record<PlannedRun['state']['kind'], string>;

/** Writes the result in all forms to the folder, and prints it in the chosen one. */
async function write(io: Invocation, found: ExperimentComparison, options: CompareOptions): Promise<void> {
  const json = comparisonJson(found);
  const charts = new Map<string, string | Uint8Array>();
  for (const [name, drawing] of comparisonCharts(found, await loadFonts()))
    for (const file of [`${name}.svg`, `${name}.pdf`]) charts.set(file, await pictureBytes(file, drawing));
  const files = new Map([
    ...charts,
    ['comparison.csv', comparisonCsv(found)],
    ['comparison.tex', comparisonLatex(found)],
    ['comparison.md', comparisonMarkdown(found)],
    ['comparison.json', `${JSON.stringify(json, null, 1)}\n`],
  ]);
  await writeFileSet(options.out, files);
  if (options.json) printJson(io, json);
  else if (options.markdown) printText(io, comparisonMarkdown(found));
  // Its lines end with CR LF in a file, and on a terminal as all others.
  else if (options.csv) printText(io, comparisonCsv(found).replaceAll('\r\n', '\n'));
  else if (options.latex) printText(io, comparisonLatex(found));
  else {
    printText(io, `${comparisonText(found, terminalWidth(io.stdout))}\n`);
    for (const name of files.keys()) printLine(io, `  ${join(options.out, name)}`);
  }
}
