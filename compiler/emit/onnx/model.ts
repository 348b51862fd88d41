import type { DType, TensorData } from '../../ir/types.ts';

/** An ONNX model as plain data: the contents of `ModelProto`, with initialisers described rather than read. */
export interface OnnxModel {
  readonly irVersion: number;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly producerName: string;
  readonly producerVersion: string;
  readonly docs: string;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  readonly graph: OnnxGraph;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initialisers: readonly Initialiser[];
  /** The model's inputs in order, then its random draws. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /**
   * The type of every intermediate value, with the names of dims: viewers show them, and onnxruntime plans memory with
   * them.
   */
  readonly values: readonly ValueInfo[];
  /** Inputs that the host fills with numbers in [0, 1): the input's name and the key of the draw. */
  readonly draws: readonly { readonly name: string; readonly key: string }[];
}

/** onnxruntime's own operators; each has version 1. */
export const contribDomain = 'com.microsoft';

export interface OnnxNode {
  readonly name: string;
  /** Undefined for ONNX's own operators. */
  readonly domain?: typeof contribDomain;
  readonly op: string;
  /** An operand or result that is left out has the name ''. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  readonly docs: string;
}

export type Attributes = Readonly<Record<string, Attribute>>;
export type Attribute =
  | { readonly kind: 'int' | 'float'; readonly value: number }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: TensorData }
  | { readonly kind: 'graph'; readonly value: Subgraph };

/** The body of an operator such as Scan, run for each part; it can read the initialisers of the enclosing graph. */
export interface Subgraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly values: readonly ValueInfo[];
}

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const string = (value: string): Attribute => ({ kind: 'string', value });
export const tensorOf = (value: TensorData): Attribute => ({ kind: 'tensor', value });
export const graphOf = (value: Subgraph): Attribute => ({ kind: 'graph', value });

export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  /** A size, or the dim as written by the user (`dim_param`): `B`, `H/4`; undefined: not known. */
  readonly shape: readonly (number | string | undefined)[];
  readonly docs: string;
}

/** A stored tensor: the source of its elements, and how they are rearranged. */
export interface Initialiser {
  readonly name: string;
  /** The dtype in the file; float elements are rounded to it. */
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly source:
    | { readonly kind: 'weight'; readonly path: string; readonly shape: readonly number[] }
    | { readonly kind: 'data'; readonly tensor: TensorData };
  /** Applied in order; reshapes follow from `dims` and the operand shapes here. */
  readonly transposes: readonly StoredTranspose[];
  readonly docs: string;
}

/** A view of the elements as `shape` with permuted axes. */
export interface StoredTranspose {
  readonly shape: readonly number[];
  readonly perm: readonly number[];
}
