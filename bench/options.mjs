import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { cases, trained } from './cases.mjs';

export const steps = ['check', 'scale', 'build', 'infer', 'profile', 'load', 'train'];

const names = [...new Set([...Object.keys(cases), ...Object.keys(trained)])];

export const usage = `npm run bench -- [options]

Measures crobc, and with --python what a user would pick instead, on this machine; prints a table and writes
out/bench/results.json. Needs the built dist/ ("npm run build") and, for comparisons, an otherwise idle machine.

  --only STEPS      of ${steps.join(',')}; all when not given
  --cases CASES     of ${names.join(',')}; all when not given
  --python PATH     an interpreter with torch, transformers, safetensors, onnx, onnxscript and pillow; without it there is
                    no "infer" step, which compares, and "load" and "train" measure crobc alone
  --repeats N       runs that are timed, each (5)
  --threads N       of onnxruntime and of PyTorch (as many as there are cores)
  --keep            leave models, weights and scenes in out/bench, and use the scenes that an earlier run left there
`;

/** Parses and checks the command line. Throws an Error whose message is for the user. */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      cases: { type: 'string' },
      python: { type: 'string' },
      repeats: { type: 'string', default: '5' },
      threads: { type: 'string', default: String(availableParallelism()) },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    only: chosen('--only', values.only, steps),
    cases: chosen('--cases', values.cases, names),
    python: values.python,
    repeats: count('--repeats', values.repeats),
    threads: count('--threads', values.threads),
    keep: values.keep,
    help: values.help,
  };
}

function chosen(option, text, known) {
  const wanted = text?.split(',') ?? known;
  for (const name of wanted)
    if (!known.includes(name)) throw new Error(`${option}: ${name} is none of ${known.join(', ')}`);
  return wanted;
}

function count(option, text) {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 1) throw new Error(`${option}: ${text} is not a number of at least 1`);
  return n;
}
