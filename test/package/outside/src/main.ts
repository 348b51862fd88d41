// A program that builds on crobc as a package: it is compiled against the packed tarball, and run. Its only argument is a data
// set; it prints what it finds as JSON.
import {
  build,
  type CompiledModel,
  type CompileResult,
  check,
  compile,
  compileTraining,
  summary,
  version,
} from 'crobc';
import { type Declaration, format, parse } from 'crobc/grammar';
import { evaluate, openSession, openTrained, predict, type Tensor, train, UserError } from 'crobc/runtime';

const [data = 'data'] = process.argv.slice(2);

/** A model, or an error that says what is wrong with its source. */
function right<Model>(compiled: CompileResult<Model>): Model {
  if (compiled.ok) return compiled.model;
  throw new Error(compiled.diagnostics.map(({ rendered }) => rendered).join('\n'));
}

const text = `model Half {
  input x: f32[N]
  output y = 0.5*x
}
`;
const parsed = parse(text, 'half.crob');
const kinds: Declaration['kind'][] = parsed.tree.declarations.map(({ kind }) => kind);
const formatted = format(parsed.tree);

const wrong = check(['wrong.crob'], { texts: { 'wrong.crob': formatted.replace('0.5 * x', 'x + z') } });
const shipped = check(['models/crobim.crob']);

const half: CompiledModel = right(compile('half.crob', { texts: { 'half.crob': formatted } }));
const built = await build(half, { out: 'built-model' });
const session = await openSession('built-model/Half.onnx', { device: 'cpu' });
const x: Tensor = { dtype: 'f32', shape: [3], data: Float32Array.of(1, 2, 5) };
const { y } = await session.run({ x });
await session.release();

const micro = 'models/crobim.crob';
const options = { model: 'CroBIM_micro' };
const done: string[] = [];
const trained = await train(right(compileTraining(micro, options)), {
  data,
  out: 'run',
  steps: 1,
  device: 'cpu',
  onProgress: ({ task }) => void done.push(task),
});
const { model, weights } = await openTrained(trained.files.last ?? '');
const scores = await evaluate(model, { data, out: 'run', weights, limit: 2, pictures: 1, device: 'cpu' });
const sample = scores.each[0];
const found = await predict(model, {
  image: sample?.image ?? '',
  text: sample?.phrase ?? '',
  weights,
  out: 'run',
  device: 'cpu',
});

let refused = '';
try {
  compile('none.crob');
} catch (error) {
  refused = error instanceof UserError ? error.message : `not a UserError: ${error}`;
}

const { parameters, openDims } = summary(right(compile(micro, options)));
console.log(
  JSON.stringify({
    version: version(),
    kinds,
    formatted,
    wrong: wrong.diagnostics.map(({ code, range }) => [code, range?.start]),
    shipped: [shipped.ok, shipped.models.length],
    ports: half.inputs,
    files: built.files.map(({ path }) => path),
    y: [...(y?.data ?? [])],
    parameters,
    openDims,
    trained: [trained.step, trained.end, Number.isFinite(trained.loss)],
    progress: done.includes('training'),
    samples: scores.samples,
    mask: found.files.mask,
    size: [found.width, found.height],
    refused,
  }),
);
