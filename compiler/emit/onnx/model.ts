import type { DType, TensorData } from '../../ir/types.ts';

/** An ONNX model as plain data: what `ModelProto` holds, with initialisers described and not yet read. */
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
  /** The type of every value that lies between, with the names of dims: viewers show them, onnxruntime plans memory by them. */
  readonly values: readonly ValueInfo[];
  /** Inputs that the host fills with numbers in [0, 1): input name and key of the draw. */
  readonly draws: readonly { readonly name: string; readonly key: string }[];
}

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
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

/** What an operator such as Scan runs for each of its parts; it sees the initialisers of the graph around it. */
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
  /** A size, or the dim as the reader wrote it (`dim_param`): `B`, `H/4`. */
  readonly shape: readonly (number | string)[];
  readonly docs: string;
}

/** A stored tensor: where its elements come from, and how they are rearranged on the way. */
export interface Initialiser {
  readonly name: string;
  /** As stored: float elements are rounded to it. */
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly source:
    | { readonly kind: 'weight'; readonly path: string; readonly shape: readonly number[] }
    | { readonly kind: 'data'; readonly tensor: TensorData };
  /** Applied in order; reshapes are implied by `dims` and the operand shapes here. */
  readonly transposes: readonly StoredTranspose[];
  readonly docs: string;
}

/** Elements seen as `shape`, their axes permuted. */
export interface StoredTranspose {
  readonly shape: readonly number[];
  readonly perm: readonly number[];
}
