// `npm run test:quantise`, after a build: quantises shipped models with onnxruntime's tools and compares the results
// with the original models. Uses Python with onnxruntime, onnx and sympy: `python3`, or CROBC_PYTHON. `--full` adds the
// full-size models, whose activations are not calibrated; with names of models, only these are quantised.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program, root } from './program.mjs';

const python = process.env.CROBC_PYTHON || 'python3';
const script = join(root, 'scripts/quantise.py');
const isSmall = (name) => /micro/i.test(name);
const smallSizes = 'B=1,H=64,W=64,T=8';
const fullSizes = 'B=1,H=480,W=480,T=20';
/** Models with a maximum over several axes that onnxruntime's symbolic shape inference does not support. */
const readsNoMaximum = /MaxPool$/;

/** Returns every model of `models/`, by file. */
function shipped() {
  const folder = join(root, 'models');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.crob'))
    .sort()
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return [...text.matchAll(/^model (\w+)/gm)].map(([, name]) => ({ file: join(folder, file), name }));
    });
}

/** Returns the builds to quantise: all with known sizes, and CroBIM_micro also with open ones. */
function builds(names, full) {
  const models = shipped().filter(({ name }) => (names.length > 0 ? names.includes(name) : full || isSmall(name)));
  const known = models.map((model) => {
    const bound = isSmall(model.name) ? smallSizes : fullSizes;
    const options = readsNoMaximum.test(model.name) ? ['--open', bound] : [];
    return { ...model, bound, options: [...options, ...(isSmall(model.name) ? ['--calibrate', '2'] : [])] };
  });
  const open = models
    .filter(({ name }) => name === 'CroBIM_micro')
    .flatMap((model) => [
      { ...model, bound: 'H=64,W=64,T=8', options: ['--open', 'B=2'] },
      { ...model, bound: undefined, options: ['--open', 'B=2,H=64,W=96,T=5'] },
    ]);
  return [...known, ...open];
}

/** Returns what is wrong with a result, if anything. */
function faults({ prepared, dynamic, static: calibrated, bytes, dynamicBytes }) {
  const wrong = [];
  if (!(prepared.error < 1e-5)) wrong.push('the preprocessed model computes other numbers');
  for (const [name, result] of Object.entries({ prepared, dynamic, static: calibrated }))
    if (result !== undefined && !result.finite) wrong.push(`${name}: not finite, or of another shape`);
  if (!(dynamic.error < 0.5)) wrong.push('the quantised model computes something else');
  if (!(dynamicBytes < bytes / 2)) wrong.push('the quantised model is not smaller');
  return wrong;
}

function quantise({ file, name, bound, options }, out) {
  const sizes = bound === undefined ? [] : ['--set', bound];
  const built = spawnSync(process.execPath, [program, 'build', file, '--model', name, ...sizes, '-o', out], {
    encoding: 'utf8',
  });
  if (built.status !== 0) return { wrong: [built.stderr] };
  const run = spawnSync(python, [script, join(out, `${name}.onnx`), ...options], { encoding: 'utf8', cwd: out });
  if (run.status !== 0) return { wrong: [run.stderr.trim().split('\n').slice(-3).join('\n')] };
  const result = JSON.parse(run.stdout.trim().split('\n').at(-1));
  return { result, wrong: faults(result) };
}

const percent = (result) => (result === undefined ? '-' : `${(100 * result.error).toFixed(1)}%`);

function main(given) {
  const found = spawnSync(python, ['-c', 'import onnx, onnxruntime, sympy; print(onnxruntime.__version__)'], {
    encoding: 'utf8',
  });
  if (found.status !== 0) {
    console.error(`${python} lacks onnxruntime, onnx or sympy (CROBC_PYTHON names another Python)`);
    return 1;
  }
  console.log(`onnxruntime ${found.stdout.trim()}; mean differences from the model, as a part of its mean logit`);
  const names = given.filter((word) => word !== '--full');
  const wanted = builds(names, given.includes('--full'));
  const unknown = names.filter((name) => !wanted.some((build) => build.name === name));
  if (unknown.length > 0) {
    console.error(`no model ${unknown.join(', ')} in models/`);
    return 2;
  }
  let failed = 0;
  for (const build of wanted) {
    const out = mkdtempSync(join(tmpdir(), 'crobc-quantise-'));
    try {
      const { result, wrong } = quantise(build, out);
      const label = `${build.name} ${build.bound ?? 'sizes open'}`;
      if (result !== undefined)
        console.log(`${label}: dynamic ${percent(result.dynamic)}, static ${percent(result.static)}`);
      for (const fault of wrong) console.error(`${label}: ${fault}`);
      if (wrong.length > 0) failed++;
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  }
  return failed > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
