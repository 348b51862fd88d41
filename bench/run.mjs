// Measures crobc against the alternatives; docs/benchmarks.md describes the method. Prints its progress and then the
// tables; writes out/bench/results.json.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cases } from './cases.mjs';
import { checking } from './checking.mjs';
import { inTurns } from './inference.mjs';
import { inputsOf } from './inputs.mjs';
import { loading } from './loading.mjs';
import { machine } from './machine.mjs';
import { readOptions, usage } from './options.mjs';
import { crobc, root, statistics, timed, timedNode } from './process.mjs';
import { profile } from './profile.mjs';
import { scaling } from './scale.mjs';
import { tables } from './tables.mjs';
import { training } from './training.mjs';

const out = join(root, 'out/bench');
const say = (text) => process.stderr.write(`${text}\n`);
const settings = (sizes) => [
  '--set',
  Object.entries(sizes)
    .map(([name, size]) => `${name}=${size}`)
    .join(','),
];

async function many(repeats, run) {
  const samples = [];
  for (let i = 0; i < repeats; i++) samples.push((await run()).seconds);
  return statistics(samples);
}

async function building({ repeats }) {
  const { file, model, sizes } = cases.crobim;
  const folder = join(out, 'build');
  const args = [crobc, 'build', file, '--model', model, ...settings(sizes), '--out', folder];
  say('build: crobc build of CroBIM as a whole process, the graph alone');
  const graph = await many(repeats, () => timed(process.execPath, [...args, '--no-weights']));
  say('build: once with its weights');
  const whole = await timedNode(args, { scratch: out });
  rmSync(folder, { recursive: true });
  return { graph, withWeights: { seconds: whole.seconds, peakBytes: whole.peakBytes } };
}

/**
 * Times one case: PyTorch's export and crobc's build with the same weights, alternating in onnxruntime, and PyTorch
 * eager.
 */
async function inferring(name, { python, repeats, threads }) {
  const { file, model, sizes } = cases[name];
  const folder = join(out, name);
  mkdirSync(folder, { recursive: true });
  say(`infer: ${name}: torch.onnx.export`);
  const exported = json(await timed(python, ['bench/reference.py', 'export', name, folder]));
  say(`infer: ${name}: crobc build`);
  const weights = join(folder, `${name}.safetensors`);
  const build = await timed(process.execPath, [
    crobc,
    'build',
    file,
    '--model',
    model,
    ...settings(sizes),
    '--weights',
    weights,
    '--out',
    folder,
    '--json',
  ]);
  const built = JSON.parse(build.printed);
  const files = { pytorch: join(folder, `${name}.onnx`), crobc: join(folder, `${model}.onnx`) };
  say(`infer: ${name}: both in onnxruntime, in turns`);
  const names = ['image', 'tokens', 'mask'].filter((input) => (input === 'image' ? 'H' in sizes : 'T' in sizes));
  const { pytorch, crobc: ours } = await inTurns(files, inputsOf(names, cases[name].sizes), { threads, repeats });
  say(`infer: ${name}: PyTorch eager`);
  const eager = json(await timed(python, ['bench/reference.py', 'eager', name, String(repeats), String(threads)]));
  return {
    parameters: built.parameters,
    crobc: { ...ours, nodes: built.nodes, buildSeconds: build.seconds },
    export: { ...pytorch, nodes: exported.nodes, opset: exported.opset, exportSeconds: exported.seconds },
    eager: statistics(eager.seconds),
    ratio: ours.median / pytorch.median,
    difference: ours.difference,
  };
}

/** Parses the last line of the output: programs print other things before it. */
function json({ printed }) {
  return JSON.parse(printed.trim().split('\n').at(-1));
}

async function profiling({ repeats, threads }) {
  const { file, model, sizes } = cases.crobim;
  const folder = join(out, 'profile');
  say('profile: crobc build of CroBIM with initial weights');
  await timed(process.execPath, [crobc, 'build', file, '--model', model, ...settings(sizes), '--out', folder]);
  say("profile: onnxruntime's own profile");
  const feeds = inputsOf(['image', 'tokens', 'mask'], cases.crobim.sizes);
  const result = await profile(join(folder, `${model}.onnx`), feeds, {
    threads,
    repeats,
    scratch: folder,
    // Nodes that onnxruntime moved or created have no crob path.
    moduleOf: (node) => /^(backbone|text|capm|lgfa|mid)\b/.exec(node)?.[1] ?? 'elsewhere',
  });
  rmSync(folder, { recursive: true });
  return result;
}

async function main(args) {
  const options = readOptions(args);
  if (options.help) return process.stdout.write(usage);
  if (!existsSync(crobc)) throw new Error('there is no dist/: "npm run build" first');
  mkdirSync(out, { recursive: true });
  const file = join(out, 'results.json');
  const save = () => writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  const results = { machine: await machine(options.python), repeats: options.repeats, threads: options.threads };
  try {
    if (options.only.includes('check')) results.check = await checking({ ...options, say });
    if (options.only.includes('scale')) results.scale = await scaling({ ...options, out, say });
    if (options.only.includes('build')) results.build = await building(options);
    if (options.only.includes('infer') && options.python === undefined) say('infer: left out, it needs --python');
    else if (options.only.includes('infer')) {
      results.infer = {};
      for (const name of options.cases.filter((name) => name in cases)) {
        results.infer[name] = await inferring(name, options);
        // Saved after each case, so that an interruption loses only the current one.
        save();
        if (!options.keep) rmSync(join(out, name), { recursive: true });
      }
    }
    if (options.only.includes('profile')) results.profile = await profiling(options);
    if (options.only.includes('load')) results.load = await loading({ ...options, out, say });
    if (options.only.includes('train')) {
      results.train = {};
      for await (const [name, found] of training({ ...options, out, say })) {
        results.train[name] = found;
        save();
      }
    }
  } finally {
    if (!options.keep)
      for (const entry of readdirSync(out)) if (entry !== 'results.json') rmSync(join(out, entry), { recursive: true });
  }
  save();
  process.stdout.write(`${tables(results)}\nwritten: ${relative(process.cwd(), file)}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say(`bench: ${error.message}`);
  process.exitCode = 1;
}
