// Trains and evaluates models with the commands that a user would type; for learning.mjs; `crobc compare` does so for several models. An
// experiment is one model on one data set: { name, file, model, recipe, tokenizer, data, steps, seed, phrases, settings, split,
// out, minutes, threads }.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './program.mjs';

/** Returns the folder of an experiment. */
export function folderOf({ out, name }) {
  return join(out, name);
}

/** Returns an option and its value, or nothing if the value is undefined. */
const option = (name, value) => (value === undefined ? [] : [name, String(value)]);

function common({ model, settings = [], threads, phrases }) {
  return [
    ...option('--model', model),
    ...settings.flatMap((setting) => ['--set', setting]),
    ...option('--threads', threads),
    ...(phrases === false ? ['--no-phrases'] : []),
  ];
}

/** Returns the arguments of `crobc` that train an experiment, or resume it if it has begun. */
export function trainingCommand(experiment) {
  const { file, recipe, tokenizer, data, steps, seed } = experiment;
  const folder = folderOf(experiment);
  return [
    'train',
    file,
    ...common(experiment),
    ...option('--recipe', recipe),
    ...option('--tokenizer', tokenizer),
    '--data',
    data,
    ...option('--steps', steps),
    ...option('--seed', seed),
    '--out',
    folder,
    ...(existsSync(join(folder, 'checkpoints')) ? ['--resume'] : []),
  ];
}

/** Returns the arguments that evaluate it with its best weights, or with the last ones if nothing was validated. */
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

/** Returns the path of the evaluation's report, which contains the model's name. */
export function reportOf(experiment, folder = folderOf(experiment)) {
  return join(folder, `${experiment.model}.${experiment.split}.json`);
}

export function comparisonCommand(reports, json = false) {
  return ['eval', '--compare', ...reports, ...(json ? ['--json'] : [])];
}

/** Formats a command for a shell. */
export function shown(words) {
  return ['crobc', ...words].map((w) => (/^[\w@%+=:,./-]+$/.test(w) ? w : `'${w.replaceAll("'", "'\\''")}'`)).join(' ');
}

/**
 * Runs a command. After `minutes`, asks it to stop, on which training writes a checkpoint, and exits this process, as it does if the
 * command fails.
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
  // Ctrl-C reaches the command too; this process waits until it has saved its state.
  const wait = () => {};
  process.on('SIGINT', wait);
  const code = await new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => done(code ?? signal));
  });
  process.off('SIGINT', wait);
  clearTimeout(limit);
  // A training that was stopped has not come to its last learning rates, so its scores would mislead.
  if (late) console.error(`${minutes} minutes were not enough; the same command with more of --minutes goes on`);
  if (late || code !== 0) process.exit(typeof code === 'number' && code !== 0 ? code : 1);
  return printed;
}

/** Trains and evaluates an experiment; returns the path of the report. */
export async function carryOut(experiment) {
  const { minutes } = experiment;
  await crobc(trainingCommand(experiment), { minutes });
  await crobc(evaluationCommand(experiment));
  return reportOf(experiment);
}

/**
 * Measures the seconds per step, including its share of validation, in a short run that is deleted. The first steps,
 * which include the setup, are not counted.
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
  // The line of a step precedes that of its validation.
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

/** Parses `--name value` and `--flag`; exits with code 2 if an option is unknown or lacks its value. */
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
    found[name] = number ?? value;
  }
  return found;
}
