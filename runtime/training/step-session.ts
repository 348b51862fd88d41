import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import { type StateTensor, type StepGraph, stepNames } from '../../compiler/training/step.ts';
import { packageVersion } from '../files/package-root.ts';
import { encodeOnnx } from '../onnx/onnx-file.ts';
import { rowNumberCheck } from '../ort/row-numbers.ts';
import {
  type Device,
  type Feeds,
  type HostTensor,
  openSession,
  type PreparedRun,
  type Session,
} from '../ort/session.ts';
import { type DrawKey, fillDraw } from './draws.ts';
import { elementsOf } from './state.ts';

/** A session of a step graph. State, draws and step numbers are bound to buffers. */
export interface StepSession {
  readonly graph: StepGraph;
  readonly run: PreparedRun;
  readonly bound: Feeds;
  readonly draws: readonly Draw[];
  readonly results: ReadonlyMap<string, Float32Array>;
  readonly session: Session;
}

interface Draw {
  readonly name: string;
  readonly out: Float32Array;
}

/** Inputs that change with every step, one element each. */
export interface StepNumbers {
  readonly learningRate: Float32Array;
  readonly step: Int32Array;
}

export interface StepSessionOptions {
  readonly state: ReadonlyMap<string, Float32Array>;
  /** Buffers of state tensors that are stored contiguously, by the name of the pack. */
  readonly packs: ReadonlyMap<string, Float32Array>;
  readonly numbers: StepNumbers;
  readonly device: Device;
  readonly threads: number | undefined;
  /** Maximum number of elements that onnxruntime scatters on one thread. */
  readonly serial: number;
}

/** Opens a session of a step graph. New state overwrites the old state. */
export async function openStepSession(graph: StepGraph, options: StepSessionOptions): Promise<StepSession> {
  const { device, threads, serial } = options;
  const emitted = emitOnnx(graph.graph, {
    producerVersion: packageVersion(),
    serialScatter: serial,
    hostChecks: indexInputs(graph.graph),
  });
  const session = await openSession(await encodeOnnx(emitted, noWeights), {
    device,
    planMemory: false,
    ...(threads === undefined ? {} : { threads }),
  });
  const inputs = new Set(emitted.graph.inputs.map(({ name }) => name));
  const { feeds, into, copies } = boundState(graph, options, inputs);
  for (const [name, fed] of stepNumbers(options.numbers)) if (inputs.has(name)) feeds[name] = fed;
  const draws = graph.draws.map(({ name, shape }): Draw => {
    const out = new Float32Array(elementsOf(shape));
    feeds[name] = { dtype: 'f32', shape, data: out };
    return { name, out };
  });
  const results = new Map<string, Float32Array>();
  for (const { name } of graph.graph.outputs) {
    if (name in into) continue;
    const data = new Float32Array(1);
    results.set(name, data);
    into[name] = { dtype: 'f32', shape: [], data };
  }
  const run = session.prepare({ feeds, into });
  const checkRowNumbers = rowNumberCheck(graph.graph);
  return {
    graph,
    run: async (batch) => {
      checkRowNumbers(batch);
      await run(batch);
      for (const { from, to } of copies) to.set(from);
    },
    bound: feeds,
    draws,
    results,
    session,
  };
}

function stepNumbers({ learningRate, step }: StepNumbers): readonly (readonly [name: string, fed: HostTensor])[] {
  return [
    [stepNames.learningRate, { dtype: 'f32', shape: [], data: learningRate }],
    [stepNames.number, { dtype: 'i32', shape: [], data: step }],
  ];
}

/**
 * Returns the feeds for the state, and the buffers for new state: in place, or separate
 * buffers that are copied after the run.
 */
function boundState(graph: StepGraph, { state, packs }: StepSessionOptions, inputs: ReadonlySet<string>) {
  const feeds: Record<string, HostTensor> = {};
  const into: Record<string, HostTensor> = {};
  const apart = new Set(graph.apart);
  const copies: { readonly from: Float32Array; readonly to: Float32Array }[] = [];
  const written = (name: string, held: HostTensor, data: Float32Array): HostTensor => {
    if (!apart.has(name)) return held;
    const from = new Float32Array(data.length);
    copies.push({ from, to: data });
    return { ...held, data: from };
  };
  for (const tensor of graph.state) {
    const data = arrayOf(state, tensor);
    const held: HostTensor = { dtype: 'f32', shape: tensor.shape, data };
    if (inputs.has(tensor.name)) feeds[tensor.name] = held;
    if (tensor.next !== undefined) into[tensor.next] = written(tensor.name, held, data);
  }
  for (const { name, next, size } of graph.packs) {
    const data = packs.get(name);
    if (data === undefined) throw new Error(`bug in crobc: no pack ${name}`);
    const held: HostTensor = { dtype: 'f32', shape: [size], data };
    feeds[name] = held;
    if (next !== undefined) into[next] = written(name, held, data);
  }
  return { feeds, into, copies };
}

/** Fills the buffers of a micro-batch's random numbers. */
export function drawInto({ draws }: StepSession, key: DrawKey): void {
  for (const { name, out } of draws) fillDraw(out, name, key);
}

const noWeights = {
  read(path: string): never {
    throw new Error(`bug in crobc: the weight ${path} is in a step graph, which takes all state as inputs`);
  },
};

export function arrayOf(state: ReadonlyMap<string, Float32Array>, { name, shape }: StateTensor): Float32Array {
  const data = state.get(name);
  if (data?.length !== elementsOf(shape))
    throw new Error(`bug in crobc: ${data?.length} elements for the state ${name}`);
  return data;
}

/** Returns the feeds for which the graph has inputs; a data set may provide more than the model reads. */
export function only(feeds: Feeds, { graph, bound }: StepSession): Feeds {
  const needed: Record<string, HostTensor> = {};
  for (const { name } of graph.graph.inputs) {
    const held = feeds[name];
    if (held) needed[name] = held;
    else if (!(name in bound)) throw new Error(`bug in crobc: nothing feeds the input ${name} of the step`);
  }
  return needed;
}
