import { type StepGraph, stepNames } from '../../compiler/training/step-graph.ts';
import type { Engine, Resident, ResidentCopy } from '../ort/engine.ts';
import { rowNumberCheck } from '../ort/row-numbers.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';
import type { ResidentState } from './resident-state.ts';
import { StepDraws } from './step-draws.ts';
import { type StepModelOptions, stepModel } from './step-model.ts';

/** An open step graph. State stays on the device; step numbers and results are in bound arrays. */
export interface StepSession {
  readonly graph: StepGraph;
  readonly run: (batch: Feeds) => Promise<void>;
  /** The bound inputs. State has its present elements once it is downloaded. */
  readonly bound: Feeds;
  readonly draws: StepDraws;
  readonly results: ReadonlyMap<string, Float32Array>;
  /** Why steps are not captured as CUDA graphs. */
  readonly uncaptured: string | undefined;
  release(): Promise<void>;
}

/** Inputs that change with every step, one element each. */
export interface StepNumbers {
  readonly learningRate: HostTensor;
  readonly step: HostTensor;
}

export interface StepSessionOptions {
  readonly engine: Engine;
  readonly state: ResidentState;
  readonly numbers: StepNumbers;
  readonly threads: number | undefined;
  readonly form: StepModelOptions;
}

/** Opens a step graph. New state overwrites the old state. */
export async function openStepSession(graph: StepGraph, options: StepSessionOptions): Promise<StepSession> {
  const { engine, threads, form } = options;
  const model = await engine.open(await stepModel(graph, form), { planMemory: false, threads, captured: true });
  const names = new Set(graph.graph.inputs.map(({ name }) => name));
  const { inputs, outputs, copies } = await boundState(graph, options, names);
  const reads: Record<string, HostTensor> = {};
  for (const [name, fed] of stepNumbers(options.numbers)) if (names.has(name)) reads[name] = fed;
  const draws = new StepDraws(engine, graph.draws);
  Object.assign(reads, draws.bound);
  const writes: Record<string, HostTensor> = {};
  const results = new Map<string, Float32Array>();
  for (const { name } of graph.graph.outputs) {
    if (name in outputs) continue;
    const written = engine.array({ dtype: 'f32', shape: [] });
    results.set(name, written.data as Float32Array);
    writes[name] = written;
  }
  const run = model.bind({ inputs, outputs, reads, writes });
  const checkRowNumbers = rowNumberCheck(graph.graph);
  return {
    graph,
    run: async (batch) => {
      checkRowNumbers(batch);
      await run(batch);
      if (copies.length > 0) await engine.copy(copies);
    },
    bound: { ...Object.fromEntries(Object.entries(inputs).map(([name, { host }]) => [name, host])), ...reads },
    draws,
    results,
    uncaptured: model.uncaptured,
    release: () => model.release(),
  };
}

function stepNumbers({ learningRate, step }: StepNumbers): readonly (readonly [name: string, fed: HostTensor])[] {
  return [
    [stepNames.learningRate, learningRate],
    [stepNames.number, step],
  ];
}

/**
 * Returns the inputs and outputs of the state: in place, or separate tensors for the new state
 * that are copied after the run.
 */
async function boundState(graph: StepGraph, { engine, state }: StepSessionOptions, names: ReadonlySet<string>) {
  const inputs: Record<string, Resident> = {};
  const outputs: Record<string, Resident> = {};
  const apart = new Set(graph.apart);
  const copies: ResidentCopy[] = [];
  const written = async (name: string, to: Resident): Promise<Resident> => {
    if (!apart.has(name)) return to;
    const { host } = to;
    const from = await engine.hold({ ...host, data: new Float32Array(host.data.length) });
    copies.push({ from, to });
    return from;
  };
  for (const { name, next, shape } of graph.state) {
    const held = await state.tensor(name, shape);
    if (names.has(name)) inputs[name] = held;
    if (next !== undefined) outputs[next] = await written(name, held);
  }
  for (const { name, next } of graph.packs) {
    const held = state.pack(name);
    inputs[name] = held;
    if (next !== undefined) outputs[next] = await written(name, held);
  }
  return { inputs, outputs, copies };
}

/** Returns the feeds of a batch for which the graph has inputs; a data set may provide more than the model reads. */
export function only(feeds: Feeds, { graph, bound, draws }: StepSession): Feeds {
  const needed: Record<string, HostTensor> = {};
  for (const { name } of graph.graph.inputs) {
    const held = feeds[name];
    if (held) needed[name] = held;
    else if (!(name in bound || draws.names.has(name)))
      throw new Error(`bug in crobc: nothing feeds the input ${name} of the step`);
  }
  return needed;
}
