import { compile } from '../../../compiler/compile.ts';
import { constant, evaluate as evaluateDim } from '../../../compiler/dims/dim.ts';
import { bindDims } from '../../../compiler/graphs/bind.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { verify } from '../../../compiler/graphs/verify.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { draws } from '../../draws.ts';
import { runTfjsOn } from '../../emit/tfjs/run.ts';
import { memoryHost } from '../../memory-host.ts';
import { evaluate } from '../meaning/evaluate.ts';
import type { Tensor } from '../meaning/tensors.ts';
import { printProgram } from '../program/print.ts';
import { namesIn, sizeAt } from '../program/size.ts';
import { model, type Program } from '../program/tree.ts';
import type { PyTorch } from '../pytorch/python.ts';
import { Checks, type Counts, Failed, type Failure } from './checks.ts';
import { allowed, differences, float32 } from './close.ts';
import { type Lanes, runLanes } from './lanes.ts';
import { compareMutated } from './mutated.ts';
import { openGraph, type Running } from './onnx.ts';
import { comparePyTorch } from './pytorch.ts';
import { compareTraining } from './training.ts';
import { drawValues, drawWeight, sizesOf } from './values.ts';

export interface Trial {
  readonly failure: Failure | undefined;
  /** How often each comparison was made. */
  readonly counts: Counts;
}

/** Which of the costly comparisons are made. */
export interface Extent {
  readonly half: boolean;
  readonly tfjs: boolean;
  readonly plain: boolean;
  readonly training: boolean;
  readonly mutated: boolean;
}

/**
 * Lines of variants and parts that no output depends on are errors. Which they are depends on static conditions, so programs
 * with them are drawn now and then.
 */
const withoutEffect = new Set(['CROB2304', 'CROB2314']);

/** The extent that a seed draws. */
export function extentOf(seed: number): Extent {
  const draw = draws(seed ^ 0x5eed);
  return { half: draw.once(5), tfjs: draw.once(12), plain: draw.once(3), training: true, mutated: draw.once(4) };
}

/** What is wrong under each of these numbers is wrong. */
const noises = [7, 11, 13];

/** Compiles a program and compares everything that can be compared of it, with PyTorch too where there is one. */
export async function tryProgram(program: Program, seed: number, extent: Extent, pytorch?: PyTorch): Promise<Trial> {
  let trial: Trial = { failure: undefined, counts: {} };
  for (const noise of noises) {
    trial = await tryUnder(noise, program, seed, extent, pytorch);
    if (!trial.failure) break;
  }
  return trial;
}

async function tryUnder(
  noise: number,
  program: Program,
  seed: number,
  extent: Extent,
  pytorch: PyTorch | undefined,
): Promise<Trial> {
  const checks = new Checks(noise);
  const { counts } = checks;
  try {
    await new Comparison(program, seed, extent, checks, pytorch).all();
    return { failure: undefined, counts };
  } catch (error) {
    if (error instanceof Failed) return { failure: { kind: error.kind, detail: error.message }, counts };
    throw error;
  }
}

interface Case {
  readonly sizes: ReadonlyMap<string, number>;
  readonly feeds: ReadonlyMap<string, TensorData>;
  readonly meant: ReadonlyMap<string, Tensor>;
  readonly lanes: Lanes;
}

class Comparison {
  readonly #program: Program;
  readonly #seed: number;
  readonly #extent: Extent;
  readonly #checks: Checks;
  readonly #pytorch: PyTorch | undefined;

  constructor(program: Program, seed: number, extent: Extent, checks: Checks, pytorch: PyTorch | undefined) {
    this.#pytorch = pytorch;
    this.#program = program;
    this.#seed = seed;
    this.#extent = extent;
    this.#checks = checks;
  }

  async all(): Promise<void> {
    await this.#drawn();
    const { recipe } = this.#program;
    if (this.#extent.mutated)
      await compareMutated(
        printProgram(this.#program),
        model(this.#program),
        recipe !== undefined,
        this.#seed,
        this.#checks,
      );
  }

  async #drawn(): Promise<void> {
    const graph = await this.#graph();
    if (!graph) return;
    const cases: Case[] = [];
    for (const sizes of this.#sizes()) cases.push(await this.#meaning(graph, sizes));
    if (this.#pytorch) await this.#inPyTorch(graph, cases, this.#pytorch);
    const optimised = await this.#checks.sound('crash in the passes', () => runPipeline(graph, { verify: true }));
    await this.#interpreted(optimised, cases);
    await this.#onnx('onnxruntime', optimised, cases);
    if (this.#extent.plain) await this.#onnx('onnxruntime without passes', graph, cases, 'unseen');
    await this.#forCuda(graph, cases);
    if (this.#extent.half) await this.#half(graph, cases);
    if (this.#extent.tfjs) await this.#tfjs(graph, cases);
    if (this.#extent.training && this.#program.recipe)
      await compareTraining(this.#program, this.#seed, this.#extent.tfjs, this.#checks, this.#pytorch);
  }

  async #graph(): Promise<Graph | undefined> {
    const text = printProgram(this.#program);
    const compiled = await this.#checks.sound('crash in check', () =>
      compile(memoryHost({ 'main.crob': text }), 'main.crob', {
        model: model(this.#program),
        dims: new Map(),
        overrides: [],
      }),
    );
    const { graph, diagnostics } = compiled;
    const refused = diagnostics.find(({ severity }) => severity === 'error');
    if (refused && withoutEffect.has(refused.code)) {
      this.#checks.count('refused as without effect');
      return undefined;
    }
    if (refused) throw new Failed(`refused ${refused.code}`, `${refused.message}\n${refused.details.join('\n')}`);
    if (!graph) throw new Failed('no graph', 'nothing was said against the program');
    this.#checks.hold('a graph that does not verify', verify(graph)[0]);
    const names = graph.outputs.map(({ name }) => name).join();
    const wanted = this.#program.model.outputs.map(({ name }) => name).join();
    this.#checks.hold('outputs', names === wanted ? undefined : `${names}, must be ${wanted}`);
    this.#checks.count('programs checked');
    return graph;
  }

  /** The smallest, and three others. */
  #sizes(): readonly ReadonlyMap<string, number>[] {
    const { inputs } = this.#program.model;
    const dims = new Set(
      inputs.flatMap(({ type }) => type.shape.flatMap(namesIn)).filter((name) => /^[A-Z]/.test(name)),
    );
    const draw = draws(this.#seed ^ 0xd1);
    const of = (size: () => number) => new Map([...dims].map((name) => [name, size()]));
    return [of(() => 1), of(() => 2), of(() => 1 + draw.below(4)), of(() => 1 + draw.below(5))];
  }

  #weight = (path: string, shape: readonly number[]): Tensor => drawWeight(this.#seed, path, shape);

  async #meaning(graph: Graph, sizes: ReadonlyMap<string, number>): Promise<Case> {
    const { model: net } = this.#program;
    const sizeOf = sizesOf(this.#program, sizes);
    const inputs = new Map<string, Tensor>();
    for (const input of net.inputs)
      inputs.set(
        input.name,
        drawValues(
          this.#seed,
          input,
          input.type.shape.map((axis) => sizeAt(axis, sizeOf)),
        ),
      );
    const { outputs } = await this.#checks.sound('bug in the harness', () =>
      evaluate(this.#program, { sizes, inputs, weight: this.#weight, training: false }),
    );
    const feeds = new Map<string, TensorData>(inputs);
    for (const { name, value } of graph.outputs) {
      const shape = value.type.shape.map((dim) => evaluateDim(dim, (n) => sizes.get(n)!));
      const wanted = outputs.get(name)!.shape;
      this.#checks.hold(
        'an inferred shape',
        shape.join() === wanted.join() ? undefined : `${name} is [${shape}], must be [${wanted}] at ${show(sizes)}`,
      );
      this.#checks.count('shapes');
    }
    const lanes = await this.#checks.sound('crash in the interpreter', () =>
      runLanes(graph, feeds, this.#weight, sizes, this.#checks),
    );
    this.#checks.count(lanes.unclear === undefined ? 'clear' : `unclear: ${lanes.unclear}`);
    const spread = (name: string) =>
      lanes.unclear === undefined ? 2 ** -16 * (lanes.spread.get(name) ?? 0) + 1e-10 : Number.POSITIVE_INFINITY;
    this.#checks.hold('the meaning', at(sizes, differences(lanes.results, outputs, spread, 1e-9)));
    this.#checks.count('interpreter');
    return { sizes, feeds, meant: outputs, lanes };
  }

  async #inPyTorch(graph: Graph, cases: readonly Case[], pytorch: PyTorch): Promise<void> {
    const shapes = new Map(weightsOf(graph).map(({ path, shape }) => [path, shape]));
    const weight = (path: string) => this.#weight(path, shapes.get(path)!);
    for (const { sizes, feeds, lanes } of cases) {
      const given = { feeds, weight, size: (name: string) => sizes.get(name)! };
      const found = await comparePyTorch('PyTorch', graph, given, lanes, pytorch, this.#checks);
      this.#checks.hold('PyTorch', at(sizes, found));
    }
  }

  async #interpreted(optimised: Graph, cases: readonly Case[]): Promise<void> {
    for (const { sizes, feeds, lanes } of cases) {
      const found = await this.#checks.sound('crash behind the passes', () =>
        interpret(optimised, feeds, this.#weight, sizes),
      );
      this.#checks.hold('the passes', at(sizes, differences(found, lanes.results, allowed(lanes), float32)));
      this.#checks.count('passes');
    }
  }

  async #onnx(kind: string, graph: Graph, cases: readonly Case[], running: Running = 'optimised'): Promise<void> {
    const session = await this.#checks.sound(`crash in building for ${kind}`, () =>
      openGraph(graph, this.#floats(graph), running),
    );
    try {
      for (const { sizes, feeds, lanes } of cases) {
        const found = await this.#checks.sound(`crash in ${kind}`, () => session.run(feeds));
        this.#checks.hold(kind, at(sizes, differences(found, lanes.results, allowed(lanes), float32)));
        this.#checks.count(kind);
      }
    } finally {
      await session.release();
    }
  }

  /** Most forms for CUDA need known sizes. */
  async #forCuda(graph: Graph, cases: readonly Case[]): Promise<void> {
    const one = draws(this.#seed).of(cases);
    const bound = bindDims(graph, new Map([...one.sizes].map(([name, n]) => [name, constant(n)])));
    const optimised = await this.#checks.sound('crash in the passes, sizes bound', () => runPipeline(bound));
    await this.#onnx('onnxruntime, as for CUDA', optimised, [one], 'cuda');
  }

  #floats(graph: Graph): (path: string) => Float32Array {
    const shapes = new Map(weightsOf(graph).map(({ path, shape }) => [path, shape]));
    return (path) => Float32Array.from(drawWeight(this.#seed, path, shapes.get(path)!).data);
  }

  async #half(graph: Graph, cases: readonly Case[]): Promise<void> {
    const half = await this.#checks.sound('crash in half precision', () =>
      runPipeline(graph, { dtype: 'f16', verify: true }),
    );
    const session = await this.#checks.sound('crash in building for half precision', () =>
      openGraph(half, this.#floats(half), 'half'),
    );
    try {
      for (const { sizes, feeds, lanes } of cases) {
        const own = await this.#checks.sound('crash in half precision', () =>
          runLanes(half, feeds, this.#weight, sizes, this.#checks),
        );
        if (lanes.unclear !== undefined || own.unclear !== undefined) {
          this.#checks.count('half precision, unclear');
          continue;
        }
        this.#checks.hold(
          'half precision in the interpreter',
          at(sizes, differences(own.results, lanes.results, allowed(own), 1e-3)),
        );
        const found = await this.#checks.sound('crash in onnxruntime in half precision', () => session.run(feeds));
        this.#checks.hold('half precision', at(sizes, differences(found, own.results, allowed(own), 4e-3)));
        this.#checks.count('half precision');
      }
    } finally {
      await session.release();
    }
  }

  async #tfjs(graph: Graph, cases: readonly Case[]): Promise<void> {
    const { sizes, feeds, lanes } = draws(this.#seed).of(cases);
    const bound = bindDims(graph, new Map([...sizes].map(([name, n]) => [name, constant(n)])));
    const optimised = await this.#checks.sound('crash in the passes, sizes bound', () =>
      runPipeline(bound, { verify: true }),
    );
    const floats = this.#floats(optimised);
    const weights = new Map(weightsOf(optimised).map(({ path }) => [path, floats(path)]));
    const runs = await this.#checks.sound('crash in TensorFlow.js', () =>
      runTfjsOn(['best', 'cpu'], optimised, feeds, weights),
    );
    for (const [backend, { results, leaked }] of Object.entries(runs)) {
      this.#checks.hold(
        `TensorFlow.js, ${backend}`,
        at(sizes, differences(results, lanes.results, allowed(lanes), 2 * float32)),
      );
      this.#checks.hold(`TensorFlow.js, ${backend}: memory`, leaked === 0 ? undefined : `${leaked} tensors are left`);
      this.#checks.count(`TensorFlow.js, ${backend}`);
    }
  }
}

const show = (sizes: ReadonlyMap<string, number>) => [...sizes].map(([name, n]) => `${name} = ${n}`).join(', ');
const at = (sizes: ReadonlyMap<string, number>, what: string | undefined) => what && `${what} at ${show(sizes)}`;
