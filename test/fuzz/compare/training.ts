import { verify } from '../../../compiler/graphs/verify.ts';
import { compileTraining, type Training } from '../../../compiler/training/compile-training.ts';
import { differentiate, forwardGraph } from '../../../compiler/training/differentiated.ts';
import { trainingStep } from '../../../compiler/training/step.ts';
import type { StepGraph } from '../../../compiler/training/step-graph.ts';
import { memoryHost } from '../../memory-host.ts';
import type { Meaning } from '../meaning/evaluate.ts';
import { printProgram } from '../program/print.ts';
import { model, type Program } from '../program/tree.ts';
import type { PyTorch } from '../pytorch/python.ts';
import type { Checks } from './checks.ts';
import { allowed, difference, float32 } from './close.ts';
import type { Lanes } from './lanes.ts';
import { compareAutograd, comparePyTorch } from './pytorch.ts';
import { type Data, noWeights, TrainingCase } from './training-case.ts';
import { TrainingSteps } from './training-steps.ts';

/** Compares the training of a program that has a recipe. */
export async function compareTraining(
  program: Program,
  seed: number,
  tfjs: boolean,
  checks: Checks,
  pytorch: PyTorch | undefined,
): Promise<void> {
  const { recipe } = program;
  if (recipe) await new TrainingComparison(new TrainingCase(program, recipe, seed, checks), tfjs, pytorch).all();
}

class TrainingComparison {
  readonly #case: TrainingCase;
  readonly #tfjs: boolean;
  readonly #pytorch: PyTorch | undefined;

  constructor(trained: TrainingCase, tfjs: boolean, pytorch: PyTorch | undefined) {
    this.#case = trained;
    this.#tfjs = tfjs;
    this.#pytorch = pytorch;
  }

  async all(): Promise<void> {
    const training = await this.#compiled();
    if (!training) return;
    const meant = await this.#case.checks.sound('bug in the harness', () =>
      this.#case.batches.map((batch) => this.#case.meaning(batch, 0)),
    );
    const accumulating = await this.#case.checks.sound('crash in making a training step', () =>
      trainingStep(differentiate(training), { part: 'accumulate' }),
    );
    this.#case.checks.hold('a training step that does not verify', verify(accumulating.graph)[0]);
    const state = this.#case.state([accumulating]);
    const lanes: Lanes[] = [];
    const forward = forwardGraph(training.forward);
    const unfolded: Lanes[] = [];
    for (const batch of this.#case.batches)
      await this.#case.checks.sound('crash in the interpreter of a training step', () => {
        lanes.push(this.#case.lanes(accumulating.graph, state, batch, 1));
        // What was folded shows no rounding any more.
        unfolded.push(this.#case.lanes(forward, this.#case.withUnread(forward, state), batch, 1));
      });
    const unclear = [...lanes, ...unfolded].find((one) => one.unclear !== undefined)?.unclear;
    this.#case.checks.count(unclear === undefined ? 'training: clear' : `training: unclear: ${unclear}`);
    if (unclear !== undefined) return;
    const gradients = lanes.map((one) => this.#gradients(one));
    for (const [i, one] of meant.entries()) this.#held(one, lanes[i]!, gradients[i]!);
    if (this.#pytorch)
      for (const [i, one] of lanes.entries())
        await this.#inPyTorch(training, accumulating, state, this.#case.batches[i]!, one, gradients[i]!, this.#pytorch);
    await this.#finiteDifferences(meant[0]!);
    await new TrainingSteps(this.#case, this.#tfjs).all(training, accumulating);
  }

  async #compiled(): Promise<Training | undefined> {
    const text = printProgram(this.#case.program);
    const { training, diagnostics } = await this.#case.checks.sound('crash in checking a recipe', () =>
      compileTraining(memoryHost({ 'main.crob': text }), 'main.crob', {
        model: model(this.#case.program),
        dims: new Map(),
        overrides: [],
      }),
    );
    const refused = diagnostics.find(({ severity }) => severity === 'error');
    if (refused && untrained.has(refused.code)) {
      this.#case.checks.count('training refused as without effect');
      return undefined;
    }
    if (refused)
      this.#case.checks.hold(`training refused ${refused.code}`, `${refused.message}\n${refused.details.join('\n')}`);
    this.#case.checks.hold('no training', training ? undefined : 'nothing was said against the recipe');
    return training;
  }

  /** Gradients of one micro-batch by path. */
  #gradients({ results }: Pick<Lanes, 'results'>): ReadonlyMap<string, Float64Array> {
    const found = new Map<string, Float64Array>();
    for (const [name, { data }] of results) {
      const path = /^next:gradient:(.*)$/s.exec(name)?.[1];
      if (path !== undefined)
        found.set(
          path,
          Float64Array.from(data, (g) => g * this.#case.recipe.accumulate),
        );
    }
    return found;
  }

  /** Loss, terms, buffers, and the slope of the loss along one direction. */
  #held(meant: Meaning, lanes: Lanes, gradients: ReadonlyMap<string, Float64Array>): void {
    const off = allowed(lanes);
    let [slope, loss] = [0, 0];
    for (const [name, term] of meant.terms) {
      slope += term.slope?.[0] ?? 0;
      loss += Math.abs(term.data[0] ?? 0);
      this.#case.checks.hold(
        'a term of the loss',
        difference(name, lanes.results.get(`term:${name}`), term, off(`term:${name}`), float32),
      );
    }
    for (const [path, buffer] of meant.buffers) {
      const name = `next:buffer:${path}`;
      this.#case.checks.hold('a buffer', difference(name, lanes.results.get(name), buffer, off(name), float32));
      this.#case.checks.count('buffers');
    }
    let [along, most] = [0, 0];
    for (const [path, gradient] of gradients) {
      const direction = this.#case.weights.get(path)?.direction;
      this.#case.checks.hold('a gradient', direction ? undefined : `${path} has one, and the program does not read it`);
      for (const [i, g] of gradient.entries()) {
        along += g * direction![i]!;
        most +=
          Math.abs(direction![i]!) *
          (float32 * Math.abs(g) + off(`next:gradient:${path}`) * this.#case.recipe.accumulate);
      }
    }
    // Parts of the slope may cancel to what float64 rounds off, which is measured by the loss.
    const isClose = Math.abs(along - slope) <= 4 * most + 1e-9 * Math.abs(slope) + 1e-13 * loss + 1e-30;
    this.#case.checks.hold(
      'a gradient',
      isClose ? undefined : `along the direction the loss grows by ${along}, must be ${slope} to ${most}`,
    );
    this.#case.checks.count('gradients');
  }

  async #inPyTorch(
    training: Training,
    { graph, state: declared }: StepGraph,
    state: Data,
    batch: Data,
    lanes: Lanes,
    gradients: ReadonlyMap<string, Float64Array>,
    pytorch: PyTorch,
  ): Promise<void> {
    const shapes = new Map(declared.map(({ path, shape }) => [path, shape]));
    const wanted = new Map([...gradients].map(([path, data]) => [path, { shape: shapes.get(path)!, data }]));
    const off = (path: string) => (lanes.spread.get(`next:gradient:${path}`) ?? 0) * this.#case.recipe.accumulate;
    const given = { feeds: batch, weight: (path: string) => this.#case.weights.get(path)!.start };
    this.#case.checks.hold(
      'PyTorch: gradients',
      await compareAutograd(training.forward, given, lanes, wanted, off, pytorch, this.#case.checks),
    );
    // The operators that only gradients have.
    const fed = { feeds: this.#case.feeds(graph, state, batch, 1), weight: noWeights, size: noSizes };
    this.#case.checks.hold(
      'PyTorch: training step',
      await comparePyTorch('PyTorch: training step', graph, fed, lanes, pytorch, this.#case.checks),
    );
  }

  /** The slope that the reference gives itself, where the loss has no kink nearby. */
  async #finiteDifferences(meant: Meaning): Promise<void> {
    const h = 1e-5;
    const at = (by: number) => this.#case.meaning(this.#case.batches[0]!, by);
    const loss = ({ terms }: Meaning) => [...terms.values()].reduce((sum, { data }) => sum + data[0]!, 0);
    const slopeOf = ({ terms }: Meaning) => [...terms.values()].reduce((sum, term) => sum + (term.slope?.[0] ?? 0), 0);
    const [below, here, above] = [-h, 0, h].map((by) => loss(at(by))) as [number, number, number];
    const [left, right] = [(here - below) / h, (above - here) / h];
    const size = Math.max(Math.abs(left), Math.abs(right), 1e-3 * Math.abs(here), 1e-6);
    const isBent = !Number.isFinite(size) || Math.abs(left - right) > 1e-3 * size;
    if (isBent || stopsGradients(this.#case.program)) {
      this.#case.checks.count('finite differences: kink');
      return;
    }
    const found = (above - below) / (2 * h);
    const isSlope = (slope: number) => Math.abs(found - slope) <= 1e-3 * size + (1e-9 * Math.abs(here)) / h;
    const slope = slopeOf(meant);
    // Operands that are equal at this point alone share the gradient, though the loss may have no kink there.
    if (!isSlope(slope) && [-h / 2, h / 2].every((by) => isSlope(slopeOf(at(by))))) {
      this.#case.checks.count('finite differences: kink');
      return;
    }
    this.#case.checks.hold(
      'bug in the harness',
      isSlope(slope) ? undefined : `the loss grows by ${found}, and its slope is ${slope}`,
    );
    this.#case.checks.count('finite differences');
  }
}

/** Messages about recipes and variants that change nothing. */
const untrained = new Set(['CROB2304', 'CROB2314', 'CROB2322', 'CROB2323']);

const noSizes = (name: string): never => {
  throw new Error(`a step has no free dim ${name}`);
};

/** Whether the slope is not that of the value, on purpose. */
function stopsGradients(program: Program): boolean {
  return (
    JSON.stringify(program).includes('"stop_gradient"') ||
    program.modules.some(({ weights }) => weights.some(({ buffer }) => buffer))
  );
}
