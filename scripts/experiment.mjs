// Trains models and evaluates them by the commands that a user would type: what ablations.mjs and learning.mjs have in
// common. An experiment is one model on one data set: { name, file, model, recipe, data, steps, seed, phrases, settings,
// split, out, minutes, threads }.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './program.mjs';

/** The folder of an experiment. */
export function folderOf({ out, name }) {
  return join(out, name);
}

/** An option and its value, or nothing where there is none. */
const option = (name, value) => (value === undefined ? [] : [name, String(value)]);

function common({ model, settings = [], threads, phrases }) {
  return [
    ...option('--model', model),
    ...settings.flatMap((setting) => ['--set', setting]),
    ...option('--threads', threads),
    ...(phrases === false ? ['--no-phrases'] : []),
  ];
}

/** The words behind `crobc` that train an experiment; one that was begun is gone on with. */
export function trainingCommand(experiment) {
  const { file, recipe, data, steps, seed } = experiment;
  const folder = folderOf(experiment);
  return [
    'train',
    file,
    ...common(experiment),
    ...option('--recipe', recipe),
    '--data',
    data,
    ...option('--steps', steps),
    ...option('--seed', seed),
    '--out',
    folder,
    ...(existsSync(join(folder, 'checkpoints')) ? ['--resume'] : []),
  ];
}

/** The words that evaluate it with its best weights, or the last where nothing was validated. */
export function evaluationCommand(experiment, changes = {}) {
  const { file, data, split } = experiment;
  const folder = folderOf(experiment);
  const best = join(folder, 'best.safetensors');
  const last = join(folder, 'last.safetensors');
  const weights = existsSync(last) && !existsSync(best) ? last : best;
  return [
    'eval',
    file,
    ...common({ ...experiment, ...changes }),
    '--weights',
    weights,
    '--data',
    data,
    '--split',
    split,
    '--out',
    changes.folder ?? folder,
  ];
}

/** Where the evaluation's report is; the model's name is in it. */
export function reportOf(experiment, folder = folderOf(experiment)) {
  return join(folder, `${experiment.model}.${experiment.split}.json`);
}

export function comparisonCommand(reports, json = false) {
  return ['eval', '--compare', ...reports, ...(json ? ['--json'] : [])];
}

/** A command as a shell takes it. */
export function shown(words) {
  return ['crobc', ...words].map((w) => (/^[\w@%+=:,./-]+$/.test(w) ? w : `'${w.replaceAll("'", "'\\''")}'`)).join(' ');
}

/**
 * Runs a command to its end; after `minutes` it is asked to stop, upon which training leaves a checkpoint. Ends this
 * process where the command fails.
 */
export async function crobc(words, { minutes, capture = false } = {}) {
  console.log(`$ ${shown(words)}`);
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
  });
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    printed += text;
  });
  let late = false;
  const limit = setTimeout(
    () => {
      late = true;
      console.log(`${minutes} minutes are over`);
      child.kill('SIGINT');
    },
    Math.min((minutes ?? 1e4) * 60_000, 2 ** 31 - 1),
  );
  // Ctrl-C goes to the command too: what it then saves and says is waited for.
  const wait = () => {};
  process.on('SIGINT', wait);
  const code = await new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => done(code ?? signal));
  });
  process.off('SIGINT', wait);
  clearTimeout(limit);
  // 130 is what a shell says of a process that SIGINT ended.
  if (code !== 0 && !(late && code === 130)) process.exit(typeof code === 'number' ? code : 1);
  return printed;
}

/** Trains and evaluates; returns the report's path. */
export async function carryOut(experiment) {
  const { minutes } = experiment;
  await crobc(trainingCommand(experiment), { minutes });
  await crobc(evaluationCommand(experiment));
  return reportOf(experiment);
}

/**
 * Seconds that a step takes, with its share of the validations, from a short run that is thrown away; its first steps, which
 * set up, are not counted.
 */
export async function secondsPerStep(experiment) {
  const probe = { ...experiment, name: '.speed', steps: 20 };
  const folder = folderOf(probe);
  rmSync(folder, { recursive: true, force: true });
  const { plan } = JSON.parse(await crobc([...trainingCommand(probe), '--dry-run', '--json'], { capture: true }));
  await crobc(trainingCommand(probe), { capture: true });
  const text = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trim();
  rmSync(folder, { recursive: true });
  const lines = text.split('\n').map((line) => JSON.parse(line));
  // A step's line comes before that of its validation.
  const at = (wanted) => lines.find(({ step }) => step === wanted).seconds;
  const ofValidation = lines.at(-1).seconds - at(20);
  return (at(20) - at(5)) / 15 + ofValidation / plan.evaluateEvery;
}

export function prepare(out) {
  if (!existsSync(program)) {
    console.error(`${program} is not there: build first (npm run build)`);
    process.exit(2);
  }
  mkdirSync(out, { recursive: true });
}

/** `--name value` and `--flag` on a command line; ends this process with 2 where one is not known or lacks its value. */
export function readOptions(args, known, usage) {
  const found = {};
  for (let i = 0; i < args.length; i++) {
    const name = args[i].replace(/^--/, '');
    const kind = args[i].startsWith('--') ? known[name] : undefined;
    const value = kind === 'flag' ? true : args[++i];
    const number = kind === 'number' ? Number(value) : undefined;
    if (
      kind === undefined ||
      value === undefined ||
      String(value).startsWith('--') ||
      (kind === 'number' && !(number > 0 || value === '0'))
    ) {
      console.error(usage);
      process.exit(name === 'help' ? 0 : 2);
    }
    found[name] = kind === 'list' ? [...(found[name] ?? []), ...value.split(',')] : (number ?? value);
  }
  return found;
}
