import {
  type Attributes,
  contribDomain,
  type Initialiser,
  type OnnxModel,
  type OnnxNode,
  type ValueInfo,
} from '../../../../compiler/emit/onnx/model.ts';
import { elementCount, tensor } from '../../../../compiler/ir/tensor-data.ts';
import type { DType, PortDType, TensorData } from '../../../../compiler/ir/types.ts';

/** One way to compute something. Ways of the same `what` and `size` compute the same. */
export interface Form {
  readonly what: string;
  /** The operators. */
  readonly how: string;
  readonly size: string;
  /** Bytes that must be read and written at least. */
  readonly bytes: number;
  /** How often the graph does it, each time with inputs of its own, so that a run is long enough to be timed. */
  readonly times: number;
  /** Whether only CUDA's provider has all kernels. */
  readonly onCuda?: boolean;
  readonly write: (graph: FormGraph) => void;
}

/** An input, with what its elements are: numbers in -1..1, or whole numbers from 0 to below `below`. */
export interface Given {
  readonly name: string;
  readonly dtype: PortDType;
  readonly shape: readonly number[];
  readonly below: number | undefined;
}

interface Shaped {
  readonly dtype: PortDType;
  readonly shape: readonly number[];
}

/** A graph in the making. Values are names. */
export class FormGraph {
  readonly given: Given[] = [];
  readonly results: (Shaped & { readonly name: string })[] = [];
  readonly #nodes: OnnxNode[] = [];
  readonly #constants: Initialiser[] = [];
  /** The names of values that are outputs. */
  readonly #outputs = new Map<string, string>();

  input(shape: readonly number[], dtype: PortDType = 'f32', below?: number): string {
    const name = `x${this.given.length}`;
    this.given.push({ name, dtype, shape, below });
    return name;
  }

  constant(dtype: DType, dims: readonly number[], elements: ArrayLike<number>): string {
    return this.#stored(tensor(dtype, dims, elements));
  }

  #stored(data: TensorData): string {
    const name = `c${this.#constants.length}`;
    const { dtype, shape: dims } = data;
    this.#constants.push({ name, dtype, dims, source: { kind: 'data', tensor: data }, transposes: [], docs: '' });
    return name;
  }

  /** A constant with elements in -1..1. */
  weights(dtype: DType, dims: readonly number[]): string {
    return this.#stored({ dtype, shape: dims, data: waves(elementCount(dims)) });
  }

  ints(...elements: readonly number[]): string {
    return this.constant('i64', [elements.length], elements);
  }

  node(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodes(op, inputs, 1, attributes)[0]!;
  }

  /** A node of onnxruntime's own operators. */
  contrib(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodes(op, inputs, 1, attributes, contribDomain)[0]!;
  }

  nodes(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Attributes = {},
    domain?: typeof contribDomain,
  ): readonly string[] {
    const name = `n${this.#nodes.length}`;
    const outputs = Array.from({ length: count }, (_, i) => `${name}.${i}`);
    this.#nodes.push({ name, op, inputs, outputs, attributes, docs: '', ...(domain === undefined ? {} : { domain }) });
    return outputs;
  }

  output(value: string, shape: readonly number[], dtype: PortDType = 'f32'): void {
    const name = `y${this.results.length}`;
    this.#outputs.set(value, name);
    this.results.push({ name, dtype, shape });
  }

  model(): OnnxModel {
    const port = ({ name, dtype, shape }: Shaped & { readonly name: string }): ValueInfo => ({
      name,
      dtype,
      shape,
      docs: '',
    });
    const named = (names: readonly string[]) => names.map((name) => this.#outputs.get(name) ?? name);
    return {
      irVersion: 9,
      opsets: [
        { domain: '', version: 20 },
        { domain: contribDomain, version: 1 },
      ],
      producerName: 'crobc',
      producerVersion: '',
      docs: '',
      metadata: [],
      graph: {
        name: 'form',
        nodes: this.#nodes.map((node) => ({ ...node, inputs: named(node.inputs), outputs: named(node.outputs) })),
        initialisers: this.#constants,
        inputs: this.given.map(port),
        outputs: this.results.map(port),
        values: [],
        draws: [],
      },
    };
  }
}

let wave = new Float32Array(0);

function waves(count: number): Float32Array {
  if (wave.length < count) wave = Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1));
  return wave.subarray(0, count);
}

/** `count` times something. */
export function repeat(count: number, what: (i: number) => void): void {
  for (let i = 0; i < count; i++) what(i);
}

export const f32Bytes = (...shapes: readonly (readonly number[])[]): number =>
  4 * shapes.reduce((sum, shape) => sum + elementCount(shape), 0);

/** Sizes at which forms are compared: those of CroBIM at 480², batch 2, or small ones. */
export type Scale = 'full' | 'small';
