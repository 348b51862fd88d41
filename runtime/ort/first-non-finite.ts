import { constant, evaluate } from '../../compiler/dims/dim.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { computingNodes, madeFrom, type Piece, pieceOf } from '../../compiler/graphs/piece.ts';
import { finish } from '../../compiler/graphs/rebuild.ts';
import type { Graph, GraphOutput, Node, NodeOf, NodeOp, Origin, Value } from '../../compiler/ir/graph.ts';
import { type DType, portDType } from '../../compiler/ir/types.ts';
import { emulateHalf } from '../../compiler/passes/emulate-half.ts';
import { packageVersion } from '../files/package-root.ts';
import { encodeOnnx } from '../onnx/onnx-file.ts';
import { startProgress } from '../process/progress.ts';
import { allFinite } from '../tensors/all-finite.ts';
import { halfFromFloat32 } from '../tensors/half.ts';
import type { WeightSource } from '../weights/weights.ts';
import { type Device, type Feeds, type HostTensor, openSession, RunFailure } from './session.ts';

/** The first operator with a NaN or infinite result. */
export interface NonFinite {
  readonly op: NodeOp;
  readonly origin: Origin;
  readonly made: 'NaN' | 'Inf';
  /** In half precision, an infinity may only mean a number above 65504. */
  readonly dtype: DType;
  /** Index of the micro-batch in the step, if there are several. */
  readonly micro?: number;
}

export interface LookOptions {
  readonly device: Device;
  readonly threads: number | undefined;
  /** Required if the graph has weights instead of inputs for them. */
  readonly weights?: WeightSource;
  /** Whether the user has interrupted the search. */
  stopped(): boolean;
}

/** Whether a value contains NaN, and whether it contains NaN or an infinity. */
interface Holds {
  readonly nan: boolean;
  readonly nonFinite: boolean;
  /**
   * Whether all its infinities are intended: written in the source, such as a mask of -inf, or derived only from such.
   */
  readonly given: boolean;
}
const finite: Holds = { nan: false, nonFinite: false, given: false };

/**
 * Finds the operator that made a NaN or an infinity from finite operands. Runs the graph in pieces with two additional
 * numbers per result (whether it contains NaN, and infinity), and searches backwards from the outputs. If onnxruntime
 * fails at an operator, for example at an index that was computed from NaN, it searches backwards from that operator.
 * Returns undefined if everything is finite, or if the user interrupts the search.
 *
 * Preparing one model with these numbers for thousands of results would take onnxruntime many minutes. A piece takes a
 * moment, and signals are handled between pieces.
 */
export async function firstNonFinite(graph: Graph, feeds: Feeds, options: LookOptions): Promise<NonFinite | undefined> {
  // Tensors of bf16 cannot be fed and fetched: the same numbers are computed in f32.
  const hasBf16 = graph.nodes.some(({ outputs }) => outputs.some(({ type }) => type.dtype === 'bf16'));
  const looking = new Looking(hasBf16 ? emulateHalf(graph) : graph, feeds, options);
  const suspects = await looking.run();
  if (options.stopped()) return undefined;
  const found = looking.makerBehind(suspects);
  return (
    found && {
      op: found.op,
      origin: found.origin,
      made: looking.madeBy(found),
      dtype: found.outputs[0].type.dtype,
    }
  );
}

/** Number of operators per piece. */
const PIECE = 64;

class Looking {
  readonly #graph: Graph;
  readonly #feeds: Feeds;
  readonly #options: LookOptions;
  readonly #nodes: readonly Node[];
  /** For each value the index of the last node that reads it. */
  readonly #lastRead = new Map<Value, number>();
  /** Values that later pieces read. */
  readonly #tensors = new Map<Value, HostTensor>();
  readonly #holds = new Map<Value, Holds>();

  constructor(graph: Graph, feeds: Feeds, options: LookOptions) {
    this.#graph = graph;
    this.#feeds = feeds;
    this.#options = options;
    this.#nodes = computingNodes(graph);
    for (const [at, node] of this.#nodes.entries())
      for (const input of node.inputs) this.#lastRead.set(madeFrom(input), at);
    for (const { name, value } of graph.inputs) {
      const tensor = feeds[name];
      if (tensor) this.#tensors.set(value, tensor);
      this.#holds.set(value, ofData(tensor?.data));
    }
    for (const node of graph.nodes) {
      if (node.op === 'constant') this.#holds.set(node.outputs[0], ofData(node.attributes.tensor.data));
      if (node.op === 'full') this.#holds.set(node.outputs[0], ofData([node.attributes.value]));
    }
  }

  /**
   * Runs the graph. Returns the values to search backwards from: the outputs,
   * or the operands of an operator that failed.
   */
  async run(): Promise<readonly Value[]> {
    const progress = startProgress('looking for the operator', this.#nodes.length);
    try {
      for (let from = 0; from < this.#nodes.length && !this.#options.stopped(); from += PIECE) {
        const failed = await this.#look(from, Math.min(from + PIECE, this.#nodes.length));
        if (failed) return failed.inputs;
        progress.update(Math.min(from + PIECE, this.#nodes.length));
      }
      return this.#graph.outputs.map(({ value }) => value);
    } finally {
      progress.finish();
    }
  }

  /** Runs the nodes from `from` (inclusive) to `to` (exclusive); returns the node that failed, if any. */
  async #look(from: number, to: number): Promise<Node | undefined> {
    const nodes = this.#nodes.slice(from, to);
    const values = nodes.flatMap((node) => node.outputs);
    const kept = values.filter((value) => (this.#lastRead.get(value) ?? 0) >= to);
    const looked = values.filter(isFloat);
    try {
      const { tensors, nan, nonFinite } = await this.#runPiece(pieceOf(this.#graph, nodes, kept), looked);
      for (const [i, value] of kept.entries()) this.#tensors.set(value, tensors[i]!);
      for (const [i, value] of looked.entries())
        this.#holds.set(value, this.#held(value, nan[i]! > 0, Number.isNaN(nonFinite[i])));
    } catch (error) {
      if (!(error instanceof RunFailure)) throw error;
      if (nodes.length === 1) return nodes[0];
      const middle = from + Math.ceil(nodes.length / 2);
      return (await this.#look(from, middle)) ?? (await this.#look(middle, to));
    }
    for (const value of this.#tensors.keys()) if ((this.#lastRead.get(value) ?? 0) < to) this.#tensors.delete(value);
    return undefined;
  }

  #held({ node }: Value, nan: boolean, nonFinite: boolean): Holds {
    const behind = node.inputs.map((input) => this.#of(input)).filter((one) => one.nonFinite);
    const written = behind.length > 0 || (node.op === 'pad' && !Number.isFinite(node.attributes.value));
    return { nan, nonFinite, given: nonFinite && !nan && written && behind.every((one) => one.given) };
  }

  #of(value: Value): Holds {
    return this.#holds.get(madeFrom(value)) ?? finite;
  }

  async #tensorOf(value: Value): Promise<HostTensor | undefined> {
    const { node } = value;
    return node.op === 'weight' ? this.#weight(node) : this.#tensors.get(value);
  }

  /** Reads a weight, rounded to the graph's precision. */
  async #weight({ attributes, outputs }: NodeOf<'weight'>): Promise<HostTensor> {
    const { weights } = this.#options;
    if (!weights) throw new Error(`bug in crobc: no source for ${attributes.path}`);
    const { dtype, shape } = outputs[0].type;
    const data = await weights.read(attributes.path);
    this.#holds.set(outputs[0], ofData(data));
    return {
      dtype: portDType(dtype),
      shape: shape.map((dim) => evaluate(dim, () => 1)),
      data: dtype === 'f16' ? halfFromFloat32(data) : data,
    };
  }

  async #runPiece({ graph, reads, here }: Piece, looked: readonly Value[]) {
    const { device, threads } = this.#options;
    const checked = withChecks(
      graph,
      looked.map((value) => here.get(value)!),
    );
    const bytes = await encodeOnnx(emitOnnx(checked, { producerVersion: packageVersion() }), {
      read(path): never {
        throw new Error(`bug in crobc: the weight ${path} is in a piece, whose weights are inputs`);
      },
    });
    const session = await openSession(bytes, {
      device,
      optimised: false,
      ...(threads === undefined ? {} : { threads }),
    });
    try {
      const given = new Map<string, HostTensor | undefined>();
      for (const [i, value] of reads.entries()) given.set(graph.inputs[i]!.name, await this.#tensorOf(value));
      const feeds: Record<string, HostTensor> = {};
      for (const { name } of session.inputs) {
        const tensor = given.get(name) ?? this.#feeds[name];
        if (!tensor) throw new Error(`bug in crobc: nothing feeds the input ${name} of a piece`);
        feeds[name] = tensor;
      }
      const results = await session.run(feeds);
      return {
        tensors: graph.outputs.map(({ name }) => results[name]!),
        nan: (results[nanName]?.data ?? []) as ArrayLike<number>,
        nonFinite: (results[nonFiniteName]?.data ?? []) as ArrayLike<number>,
      };
    } finally {
      await session.release();
    }
  }

  /**
   * Searches backwards from values through operands that are NaN or infinite, or integers, which cannot show it.
   * Returns the first operator in execution order that made a NaN or an infinity from finite operands.
   */
  makerBehind(suspects: readonly Value[]): Node | undefined {
    const seen = new Set<Value>();
    const makers = new Set<Node>();
    const left = [...suspects];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const value = madeFrom(next);
      const tells = isFloat(value);
      const holds = this.#of(value);
      if (seen.has(value) || (tells && (!holds.nonFinite || holds.given))) continue;
      seen.add(value);
      const { node } = value;
      if (tells && isMaker(node) && !node.inputs.some((input) => this.#isFault(input))) makers.add(node);
      else left.push(...node.inputs);
    }
    return this.#nodes.find((node) => makers.has(node));
  }

  #isFault(value: Value): boolean {
    const { nonFinite, given } = this.#of(value);
    return nonFinite && !given;
  }

  madeBy({ outputs }: Node): 'NaN' | 'Inf' {
    return outputs.some((value) => this.#of(value).nan) ? 'NaN' : 'Inf';
  }
}

function isFloat({ type }: Value): boolean {
  return type.dtype === 'f32' || type.dtype === 'f16';
}

/** Whether an operator can be the cause: inputs, weights and constants only hold given values. */
function isMaker({ inputs, op }: Node): boolean {
  return inputs.length > 0 && op !== 'uniform';
}

function ofData(data: ArrayLike<number> | BigInt64Array | undefined): Holds {
  if (data === undefined || data instanceof BigInt64Array || allFinite(data)) return finite;
  let nan = false;
  for (let i = 0; i < data.length && !nan; i++) nan = Number.isNaN(data[i]);
  return { nan, nonFinite: true, given: !nan };
}

const nanName = 'crobc:nan';
const nonFiniteName = 'crobc:non_finite';

/**
 * Adds two outputs to the graph, each a vector over `values`: the number of NaNs, and
 * NaN if not all elements are finite, else 0.
 */
function withChecks(graph: Graph, values: readonly Value[]): Graph {
  if (values.length === 0) return graph;
  const build = new Builder(graph.facts);
  build.nodes.push(...graph.nodes);
  const total = (x: Value): Value => {
    const axes = x.type.shape.map((_, axis) => axis);
    return build.reshape(axes.length === 0 ? x : build.sum(x, axes), [constant(1)]);
  };
  const floats = values.map((x) => (x.type.dtype === 'f32' ? x : build.cast(x, 'f32')));
  const nan = floats.map((x) => total(build.cast(build.not(build.eq(x, x)), 'f32')));
  const nonFinite = floats.map((x) => total(build.sub(x, x)));
  const output = (name: string, ones: readonly Value[]): GraphOutput => ({
    name,
    value: build.concat(ones, 0),
    docs: '',
  });
  const outputs = [...graph.outputs, output(nanName, nan), output(nonFiniteName, nonFinite)];
  return finish({ ...graph, outputs }, build.nodes);
}
