import { asConstant } from '../compiler/dims/dim.ts';
import type { Graph, Value } from '../compiler/ir/graph.ts';
import { graphHash } from '../compiler/ir/hash.ts';
import { portDType, type TensorType } from '../compiler/ir/types.ts';
import type { CompiledFile, CompiledTrainingFile } from '../runtime/build/source-model.ts';
import { UserError } from '../runtime/files/user-error.ts';

/** The type of a tensor's elements. */
export type ElementType = 'f32' | 'f16' | 'i32' | 'i64' | 'u8' | 'bool';

/** An input or an output. */
export interface Port {
  readonly name: string;
  readonly dtype: ElementType;
  /** In row-major order. A size that is not bound is a polynomial in the dims of the model, as text: `H`, `2*floor(H/2)`. */
  readonly shape: readonly (number | string)[];
}

/** A model whose shapes are proved; the result of `compile`. */
export class CompiledModel {
  readonly name: string;
  /** The file that declares it. */
  readonly file: string;
  /** Dims that are bound to a size. */
  readonly dims: Readonly<Record<string, number>>;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The hash of the graph, in hexadecimal: models with the same hash compute the same. It is also in the client and the manifest. */
  readonly hash: string;
  /** @internal */
  readonly source: CompiledFile;

  /** @internal */
  constructor(source: CompiledFile) {
    const { graph } = source;
    this.name = graph.name;
    this.file = source.file;
    this.dims = Object.fromEntries(source.dims);
    this.inputs = portsOf(graph, graph.inputs);
    this.outputs = portsOf(graph, graph.outputs);
    this.hash = graphHash(graph);
    this.source = source;
  }
}

/** A model with a recipe, at the sizes of the training; the result of `compileTraining`. */
export class TrainableModel {
  readonly name: string;
  readonly file: string;
  /** The name of its recipe. */
  readonly recipe: string;
  /** Dims that are bound by the recipe, or by the options of `compileTraining`. */
  readonly dims: Readonly<Record<string, number>>;
  /** The inputs of the model in inference. */
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** @internal */
  readonly source: CompiledTrainingFile;

  /** @internal */
  constructor(source: CompiledTrainingFile) {
    const { inference, recipe } = source.training;
    this.name = inference.name;
    this.file = source.file;
    this.recipe = recipe.name;
    this.dims = Object.fromEntries(recipe.dims);
    this.inputs = portsOf(inference, inference.inputs);
    this.outputs = portsOf(inference, inference.outputs);
    this.source = source;
  }
}

/** @internal A weights map without a file to read by it would have no effect. */
export function requireWeights({ source, name }: CompiledModel, weights: string | undefined): void {
  if (source.via !== undefined && weights === undefined)
    throw new UserError(`${name} was compiled with via, which is for a file of weights: give that too`);
}

function portsOf(graph: Graph, ports: readonly { readonly name: string; readonly value: Value }[]): Port[] {
  return ports.map(({ name, value }) => portOf(graph, name, value.type));
}

/** @internal */
export function portOf({ facts }: Graph, name: string, { dtype, shape }: TensorType): Port {
  return { name, dtype: portDType(dtype), shape: shape.map((dim) => asConstant(dim) ?? facts.show(dim)) };
}
