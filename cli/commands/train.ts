import type { Recipe } from '../../compiler/training/recipe.ts';
import { originPlace } from '../../runtime/build/origin-place.ts';
import { byteSize } from '../../runtime/files/byte-size.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { duration } from '../../runtime/process/duration.ts';
import { writeLine } from '../../runtime/process/status-line.ts';
import { exitCodeOf } from '../../runtime/process/stop-signal.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import { batchSize } from '../../runtime/training/data.ts';
import type { DeviceNeed } from '../../runtime/training/device-need.ts';
import { type DryRun, dryRun } from '../../runtime/training/dry-run.ts';
import { shownInits } from '../../runtime/training/init-files.ts';
import { stepsFault } from '../../runtime/training/plan.ts';
import { planNotes } from '../../runtime/training/plan-notes.ts';
import { type DevicePrecision, devicePrecision } from '../../runtime/training/precision.ts';
import type { ResolvedSetting } from '../../runtime/training/resolved-settings.ts';
import { graphsOf } from '../../runtime/training/step-memory.ts';
import { stepParts } from '../../runtime/training/step-parts.ts';
import {
  initsOf,
  planOf,
  type TrainOptions as RunOptions,
  train as runTraining,
  type Trained,
} from '../../runtime/training/train.ts';
import { compiledTraining, compileTrainingFile } from '../compile-training.ts';
import type { Invocation } from '../io.ts';
import { complain, printJson, printLine, printText } from '../print.ts';
import { asSettings } from '../recipe-options.ts';
import { sampleChoices } from '../sample-options.ts';
import { table } from '../table.ts';
import { plannedNeed, refuseDeviceMemory, resizingOf, shownDevice } from './planned-device.ts';
import type { TrainOptions } from './train-options.ts';
import { notePython, refuseForBackend, runTorch, torchOptions } from './train-torch.ts';

export async function train(io: Invocation, file: string, options: TrainOptions): Promise<number> {
  const { dryRun: dry = false, data } = options;
  if (data === undefined && !dry) {
    throw new UsageError(
      'train needs --data, a folder with img_rgb/, mask/ and output_phrase_train.txt; "crobc data synth -o data" draws one',
    );
  }
  const fault = options.steps === undefined ? undefined : stepsFault(options.steps);
  if (fault !== undefined) throw new UsageError(`--steps: ${fault}`);
  refuseForBackend(options);
  refuseDeviceMemory(options);
  const settings = asSettings(options, options.set);
  const compiled = compileTrainingFile(io, file, { model: options.model, recipe: options.recipe, set: settings.set });
  if (!compiled) return 1;
  const { training, program } = compiled;
  const run: Omit<RunOptions, 'data'> = {
    training,
    source: compiled,
    // A dry run describes the same step for PyTorch as for TensorFlow.js: no state is packed.
    backend: options.backend === 'torch' ? 'tfjs' : options.backend,
    // A plan for a GPU is one for CUDA.
    device: options.deviceMemory === undefined ? options.device : 'cuda',
    threads: options.threads,
    decodeThreads: options.decodeThreads,
    resume: options.resume ?? false,
    recompute: options.recompute ?? [],
    resizing: resizingOf(settings, (set) =>
      compiledTraining(file, { model: options.model, recipe: options.recipe, set }),
    ),
    weightsFile: options.weights,
    ...sampleChoices(options),
    out: options.out,
    place: (origin) => originPlace(program, origin) ?? '',
    note: (line) => writeLine(line, io.stderr),
  };
  for (const line of [...settings.notes, ...training.recipe.notes]) run.note(line);
  const torch = options.backend === 'torch' ? torchOptions(options, training.recipe) : undefined;
  if (dry) {
    const plan = await attempted(async () => {
      if (data !== undefined) return planOf({ ...run, data });
      // These inputs do not depend on the data.
      batchSize(training, run.place);
      notesWithoutData(training.recipe).forEach(run.note);
      return undefined;
    });
    const inits = await attempted(() => initsOf(run));
    const python = await attempted(async () => (torch ? notePython({ ...run, torch }) : undefined));
    const chosen = await attempted(() => precisionOf(run, torch !== undefined));
    const precision = chosen.value ?? { precision: training.recipe.precision ?? 'f32', half: undefined };
    const refused = [plan.refused, inits.refused, python.refused, chosen.refused].filter(
      (reason) => reason !== undefined,
    );
    const read = { plan: plan.value, inits: inits.value, refused: refused.map(({ message }) => message) };
    const steps = stepParts(training, { ...run, half: precision.half });
    const found = dryRun(training, graphsOf(steps), read, given(options), { ...run, ...precision }, settings.typed);
    const need = { steps, half: precision.half, planned: options.deviceMemory };
    // Without inputs that the data have, there is nothing to propose.
    const device = plan.refused ? undefined : await plannedNeed(run, need);
    if (options.json) printJson(io, { ...found, device: device ?? null });
    else printText(io, shownDryRun(io, found, { hasData: data !== undefined, device }));
    for (const { message } of refused) complain(io, `crobc: ${message}`);
    return refused.length === 0 ? 0 : 1;
  }
  const whole = { ...run, data: data! };
  const ran = torch ? await runTorch(io, { ...whole, torch }, compiled, settings.set) : await runTraining(whole);
  return typeof ran === 'number' ? ran : printTrained(io, ran, options.json ?? false);
}

function printTrained(io: Invocation, trained: Trained, json: boolean): number {
  const stopped = trained.end === 'SIGINT' || trained.end === 'SIGTERM' ? trained.end : undefined;
  if (json) printJson(io, trained);
  else for (const line of shownResult(trained)) printLine(io, line);
  if (stopped === undefined) return 0;
  complain(io, `stopped by ${stopped}; to go on: ${resumeCommand(io)}`);
  return exitCodeOf(stopped);
}

/** Returns the precision of the step that a dry run describes, and prints its note. Throws a UserError. */
async function precisionOf(
  run: Omit<RunOptions, 'data'>,
  isTorch: boolean,
): Promise<Pick<DevicePrecision, 'precision' | 'half'>> {
  const { recipe } = run.training;
  // The program of PyTorch converts where its autocast does; its step is described in f32.
  if (isTorch) return { precision: recipe.precision ?? 'f32', half: undefined };
  const { note, ...found } = await devicePrecision(recipe, run);
  if (note !== undefined) run.note(note);
  return found;
}

/** Returns the value, or the UserError that was thrown: a dry run also prints everything else that is known. */
async function attempted<T>(read: () => Promise<T>): Promise<{ readonly value?: T; readonly refused?: UserError }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof UserError) return { refused: error };
    throw error;
  }
}

/** Notes on settings that the number of steps is too small for; for a run in epochs, that requires the data. */
function notesWithoutData(recipe: Recipe): readonly string[] {
  if (!('steps' in recipe.length)) return [];
  return planNotes(recipe, { steps: recipe.length.steps, evaluateEvery: recipe.evaluateEvery });
}

/** Command-line settings that are not settings of the recipe. */
function given({ phrases, weights, recompute }: TrainOptions): ResolvedSetting[] {
  return [
    ...(phrases ? [] : [{ name: 'phrases', value: 'blank', source: '--no-phrases' }]),
    ...(recompute === undefined ? [] : [{ name: 'recompute', value: recompute, source: '--recompute' }]),
    ...(weights === undefined ? [] : [{ name: 'weights', value: weights, source: `--weights ${weights}` }]),
  ];
}

function shownDryRun(
  io: Invocation,
  found: DryRun,
  { hasData, device }: { readonly hasData: boolean; readonly device: DeviceNeed | undefined },
): string {
  const { parameters, memory, plan, settings } = found;
  const n = (value: number) => value.toLocaleString('en');
  const steps =
    plan === undefined
      ? hasData
        ? 'not known without the data'
        : 'known with --data'
      : `${n(plan.steps)}, ${n(plan.stepsPerEpoch)} an epoch, ${n(plan.perStep)} ${plan.perStep === 1 ? 'sample' : 'samples'} each`;
  const untrained = [
    ['fixed', parameters.fixed, ' by the recipe'],
    ['unreached', parameters.unreached, ', for which no term has a gradient'],
    ['inference', parameters.inference, ', which training does not read'],
    ['buffers', parameters.buffers, ''],
  ] as const;
  const rows = settings.map(({ name, value, source }) => [name, shownValue(value), source]);
  return [
    `${found.model} with recipe ${found.recipe}`,
    ...Object.entries(found.inputs).map(([name, type]) => `  input  ${name}: ${type}`),
    ...Object.entries(found.outputs).map(([name, type]) => `  output ${name}: ${type}`),
    ...Object.entries(found.lossOutputs).map(([name, type]) => `  output(train) ${name}: ${type}`),
    '',
    `parameters  ${n(parameters.trained)} trained`,
    ...untrained.flatMap(([label, count, what]) => (count === 0 ? [] : [`  ${label.padEnd(9)} ${n(count)}${what}`])),
    ...(device ? shownDevice(device) : [`memory      ${shownMemory(memory)}`]),
    `  state     ${shownState(memory.state)}`,
    `  gradients ${byteSize(memory.gradients)}`,
    `  step      ${byteSize(memory.working)} at its peak${memory.peakAt === '' ? '' : `, in ${memory.peakAt}`}: batch, activations, gradients`,
    ...(device
      ? [
          `  evaluation ${byteSize(device.evaluation)}`,
          `  workspaces ${byteSize(device.workspaces)}, of cuBLAS and of the largest convolution`,
        ]
      : []),
    `operators   ${n(found.operators)} in a step`,
    `steps       ${steps}`,
    ...(found.inits ? shownInits(found.inits) : []),
    ...found.refused.map((reason) => `refused     ${reason}`),
    '',
    table(['setting', 'value', 'from'], rows, ['left', 'left', 'left'], terminalWidth(io.stdout)),
    '',
  ].join('\n');
}

const stateNames = {
  weight: 'weights',
  buffer: 'buffers',
  moment: 'moments',
  variance: 'variances',
  average: 'averages',
  gradient: 'accumulated gradients',
  scaler: 'scale of the loss',
} as const satisfies Record<keyof DryRun['memory']['state'], string>;

function shownMemory({ process, total }: DryRun['memory']): string {
  return process === undefined
    ? `${byteSize(total)} in tensors, and what the runtime takes itself`
    : `${byteSize(process)} for the process on onnxruntime's CPU provider, ${byteSize(total)} of it in tensors`;
}

function shownState(state: DryRun['memory']['state']): string {
  return Object.entries(stateNames)
    .flatMap(([kind, name]) => {
      const bytes = state[kind as keyof typeof stateNames];
      return bytes === undefined ? [] : [`${name} ${byteSize(bytes)}`];
    })
    .join(', ');
}

function shownValue(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (isRate(value)) return value.factor ? `${value.value}x` : String(value.value);
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.length === 0 ? 'none' : value.map(shownPart).join(value.every(isPart) ? ' then ' : ', ');
}

/** Whether the value is a part of a schedule. */
function isPart(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** Whether the value is the `lr` or `weight_decay` of a group, as plain data of the recipe. */
function isRate(value: unknown): value is { readonly value: number; readonly factor: boolean } {
  return typeof value === 'object' && value !== null && 'factor' in value && 'value' in value;
}

/** Formats a part of a schedule, or an item of a list, on one line. */
function shownPart(part: unknown): string {
  if (typeof part !== 'object' || part === null) return String(part);
  const { kind, pattern, ...rest } = part as Record<string, unknown>;
  const values = Object.entries(rest).map(([name, value]) => `${name} = ${shownValue(value)}`);
  return `${kind ?? pattern ?? ''}(${values.join(', ')})`;
}

function shownResult(trained: Trained): readonly string[] {
  const { files, best, metric, loss } = trained;
  const ends = {
    done: 'done',
    'early stop': `no better ${metric} for a while`,
    SIGINT: 'stopped',
    SIGTERM: 'stopped',
  } as const;
  const lines = [
    `${trained.model} with recipe ${trained.recipe} on ${trained.device}: ${ends[trained.end]} after step ${trained.step} of ${trained.steps}, ${duration(trained.seconds * 1000)}`,
    ...(loss === null ? [] : [`  loss        ${loss.toFixed(4)}`]),
    ...(best === null ? [] : [`  best        ${metric} ${best.score.toFixed(4)} at step ${best.step}: ${files.best}`]),
    ...(files.last === null ? [] : [`  last        ${files.last}`]),
    ...(files.checkpoint === null ? [] : [`  checkpoint  ${files.checkpoint}`]),
    `  metrics     ${files.metrics}`,
    `  events      ${files.events} (tensorboard --logdir ${files.events})`,
    ...(trained.tokenizer === null ? [] : [`  vocabulary  ${trained.tokenizer}`]),
  ];
  return lines;
}

/** The given command with --resume added. */
function resumeCommand(io: Invocation): string {
  const words = io.argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return ['crobc', ...words, ...(words.includes('--resume') ? [] : ['--resume'])].join(' ');
}
