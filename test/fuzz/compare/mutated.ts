import { compile } from '../../../compiler/compile.ts';
import { evaluate, variables } from '../../../compiler/dims/dim.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { verify } from '../../../compiler/graphs/verify.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { compileTraining } from '../../../compiler/training/compile-training.ts';
import { differentiate } from '../../../compiler/training/differentiated.ts';
import { trainingStep } from '../../../compiler/training/step.ts';
import { stepNames } from '../../../compiler/training/step-graph.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { draws } from '../../draws.ts';
import { mutate } from '../../elaborate/mutations/mutate.ts';
import type { OnnxRun } from '../../emit/onnx/session.ts';
import { memoryHost } from '../../memory-host.ts';
import type { Values } from '../program/tree.ts';
import type { Checks } from './checks.ts';
import { allowed, differences, float32 } from './close.ts';
import { runLanes } from './lanes.ts';
import { openGraph } from './onnx.ts';
import { drawValues, drawWeight } from './values.ts';

/** A mistake in a source. Whatever check makes of it is a message, or a program that builds, runs and trains as one that was meant so. */
export async function compareMutated(
  text: string,
  model: string,
  trains: boolean,
  seed: number,
  checks: Checks,
): Promise<void> {
  const mutation = mutate(text, seed);
  if (!mutation) return;
  const host = memoryHost({ 'main.crob': mutation.text });
  const options = { dims: new Map<string, number>(), overrides: [] };
  const within = <T>(kind: string, run: () => T | Promise<T>): Promise<T> =>
    checks.sound(`${kind} of a source with a mistake`, async () => {
      try {
        return await run();
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.stack : error}\n\n${mutation.text}`);
      }
    });
  const { graph, diagnostics, models } = await within('check', () =>
    compile(host, 'main.crob', { ...options, model: undefined }),
  );
  const isRefused = diagnostics.some(({ severity }) => severity === 'error') || !models.includes(model);
  checks.count(isRefused ? 'mistakes refused' : 'mistakes accepted');
  if (isRefused) return;
  const whole = await within('check', () => compile(host, 'main.crob', { ...options, model }).graph ?? graph);
  if (!whole) return;
  await within('build', () => runs(whole, seed, checks));
  if (trains) await within('training', () => stepRuns(host, model, seed, checks));
}

/** Numbers that are no rows, and divisors that are 0, of which check does not know: the runtime refuses them. */
const isLeftToRuns = /\b(index|indices|row|by zero)\b/;

async function runs(graph: Graph, seed: number, checks: Checks): Promise<void> {
  hold(verify(graph)[0]);
  const optimised = runPipeline(graph, { verify: true });
  const sizes = sizesFor(graph, seed);
  const shapes = new Map(weightsOf(graph).map(({ path, shape }) => [path, shape]));
  const floats = (path: string) => Float32Array.from(drawWeight(seed, path, shapes.get(path)!).data);
  let session: OnnxRun | undefined;
  try {
    session = await openGraph(optimised, floats);
    if (!sizes || tooLarge(graph, sizes)) return;
    const feeds = feedsFor(graph, sizes, seed);
    const weights = (path: string, shape: readonly number[]) => drawWeight(seed, path, shape);
    const lanes = runLanes(graph, feeds, weights, sizes, checks);
    const found = await session.run(feeds);
    if (lanes.unclear !== undefined) return;
    hold(differences(interpret(optimised, feeds, weights, sizes), lanes.results, allowed(lanes), float32));
    hold(differences(found, lanes.results, allowed(lanes), float32));
    checks.count('mistakes run');
  } catch (error) {
    if (!isLeftToRuns.test(String(error))) throw error;
    checks.count('mistakes that a run refuses');
  } finally {
    await session?.release();
  }
}

async function stepRuns(
  host: ReturnType<typeof memoryHost>,
  model: string,
  seed: number,
  checks: Checks,
): Promise<void> {
  const { training } = compileTraining(host, 'main.crob', { dims: new Map(), overrides: [], model });
  const differentiated = training && differentiate(training);
  if (!differentiated || differentiated.learning.length === 0) return;
  const step = trainingStep(differentiated);
  hold(verify(step.graph)[0]);
  const feeds = new Map(feedsFor(step.graph, new Map(), seed));
  // What is averaged over squares is not negative.
  for (const [name, { dtype, shape, data }] of feeds)
    if (name.startsWith('variance:') || name.startsWith('moment:'))
      feeds.set(name, { dtype, shape, data: data.map(Math.abs) });
  feeds.set(stepNames.number, { dtype: 'i32', shape: [], data: Float64Array.of(1) });
  const none = (path: string): never => {
    throw new Error(`a step has no weight ${path}`);
  };
  let session: OnnxRun | undefined;
  try {
    session = await openGraph(step.graph, none);
    const lanes = runLanes(step.graph, feeds, none, new Map(), checks);
    const found = await session.run(feeds);
    if (lanes.unclear === undefined) hold(differences(found, lanes.results, allowed(lanes), 4 * float32));
    checks.count('mistakes trained');
  } catch (error) {
    if (!isLeftToRuns.test(String(error))) throw error;
    checks.count('mistakes that a run refuses');
  } finally {
    await session?.release();
  }
}

function hold(what: string | undefined): void {
  if (what !== undefined) throw new Error(what);
}

/** Sizes that keep the guards; undefined where none were found. */
function sizesFor({ inputs, guards }: Graph, seed: number): ReadonlyMap<string, number> | undefined {
  const names = new Set(inputs.flatMap(({ value }) => value.type.shape.flatMap((dim) => [...variables(dim)])));
  const draw = draws(seed);
  for (let i = 0; i < 20; i++) {
    const sizes = new Map([...names].map((name) => [name, 1 + draw.below(2 + i)]));
    const at = (name: string) => sizes.get(name) ?? 1;
    const keeps = guards.every(({ left, right, relation, remainder }) => {
      const [a, b] = [evaluate(left, at), evaluate(right, at)];
      if (relation === '%') return a % b === (remainder ?? 0);
      return relation === '==' ? a === b : relation === '<=' ? a <= b : a < b;
    });
    if (keeps) return sizes;
  }
  return undefined;
}

/** A mistake may make a tensor of thousands of axes long. */
function tooLarge({ nodes }: Graph, sizes: ReadonlyMap<string, number>): boolean {
  const at = (name: string) => sizes.get(name) ?? 1;
  const elements = nodes.flatMap(({ outputs }) =>
    outputs.map(({ type }) => type.shape.reduce((product, dim) => product * evaluate(dim, at), 1)),
  );
  return elements.some((n) => n > 100_000);
}

function feedsFor(
  { inputs }: Graph,
  sizes: ReadonlyMap<string, number>,
  seed: number,
): ReadonlyMap<string, TensorData> {
  return new Map(
    inputs.map(({ name, value: { type } }) => {
      const shape = type.shape.map((dim) => evaluate(dim, (size) => sizes.get(size) ?? 1));
      const values: Values = type.dtype === 'bool' ? 'bits' : type.dtype === 'f32' ? 'smooth' : 'index';
      const dtype = type.dtype === 'f32' || type.dtype === 'bool' ? type.dtype : 'i32';
      const { data } = drawValues(seed, { name, values, type: { dtype, shape: [] } }, shape);
      return [name, { dtype: type.dtype, shape, data: type.dtype === 'u8' ? data.map(Math.abs) : data }];
    }),
  );
}
