import type { Facts } from '../../dims/facts.ts';
import { type IndexCheck, type IndexInput, type IndexUse, indexChecks } from '../../graphs/index-check.ts';
import type { Graph, Node, Origin, Value } from '../../ir/graph.ts';
import { sameDim } from '../../ir/shapes.ts';
import { scalar, tensor } from '../../ir/tensor-data.ts';
import type { DType, TensorData, TensorType } from '../../ir/types.ts';
import { toAttribute } from './element-types.ts';
import { type FusionPlan, planFusions } from './fusions.ts';
import {
  type Attributes,
  contribDomain,
  type Initialiser,
  type OnnxNode,
  type Subgraph,
  type ValueInfo,
} from './model.ts';
import { folder, Names } from './names.ts';
import { type OtherForm, OtherShapes } from './other-shapes.ts';
import { type Forms, formsOf, type Profile } from './profile.ts';
import { reshaped } from './reshaped.ts';
import { ShapeArithmetic } from './shape-arithmetic.ts';
import { Stored, sourceOf } from './stored.ts';
import { valueInfo } from './value-info.ts';

export interface EmissionOptions {
  readonly opset: number;
  readonly profile: Profile;
  /** Formats a place in the source for a node's documentation: `crobim.crob:41`. */
  readonly place: ((origin: Origin) => string) | undefined;
  /** The number of elements up to which ScatterND runs on one thread. */
  readonly serialScatter: number;
  readonly hostChecks: readonly IndexInput[];
}

/** Replaces a negative row number. It is out of range for every tensor, even when multiplied by the length of a row. */
const noRow = { i32: -(2 ** 31), i64: -(2 ** 40) } as const;

/** The type of an input or output of a subgraph. */
export interface PortType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Lowers one node to ONNX nodes and returns the names of its results. */
export type Lower = (node: Node, emission: Emission) => readonly (string | undefined)[];

/**
 * An ONNX graph under construction: the names of what has been emitted, and the nodes and constants that are emitted
 * only once.
 */
export class Emission {
  readonly facts: Facts;
  readonly opset: number;
  /** The forms that the profile allows. */
  readonly allowed: Forms;
  readonly serialScatter: number;
  readonly plan: FusionPlan;
  /** Values in shapes other than their own. */
  readonly shapes: OtherShapes;
  readonly dims: ShapeArithmetic;
  /** How an index is ensured to be in range. */
  readonly indexCheck: (use: IndexUse) => IndexCheck;
  /** Names of the reciprocals of deviations. */
  readonly reciprocals = new Map<Value, string>();
  readonly nodes: OnnxNode[] = [];
  readonly initialisers: Initialiser[] = [];
  readonly draws: { readonly name: string; readonly key: string; readonly type: TensorType }[] = [];
  readonly #place: EmissionOptions['place'];
  readonly #lower: Lower;
  readonly #stored: Stored;
  readonly #names = new Names();
  readonly #nodeNames = new Names();
  readonly #emitted = new Map<Value, string>();
  /** Values that were emitted in another form than their own. */
  readonly #forms = new Map<Value, OtherForm>();
  readonly #shared = new Map<string, string>();
  readonly #data = new Map<TensorData, string>();
  readonly #rowIndices = new Map<string, string>();
  /** The type of every result of a node, by name. */
  readonly #types = new Map<string, TensorType>();
  #origin: Origin | undefined;

  constructor(graph: Graph, options: EmissionOptions, lower: Lower) {
    this.facts = graph.facts;
    this.opset = options.opset;
    this.serialScatter = options.serialScatter;
    this.#place = options.place;
    this.#lower = lower;
    // The names that a user sees are reserved first, so that nothing else takes them.
    for (const { name, value } of graph.inputs) this.#emitted.set(value, this.#names.unique(name));
    for (const { name } of graph.outputs) this.#names.unique(name);
    this.#stored = new Stored(graph);
    this.allowed = formsOf[options.profile];
    this.plan = planFusions(graph, this.allowed);
    this.shapes = new OtherShapes(this);
    this.dims = new ShapeArithmetic(this, graph.inputs);
    this.indexCheck = leftToHost(graph.facts, options.hostChecks);
  }

  /** Returns the name of a value; emits it first if it is emitted on demand. */
  use(value: Value): string {
    const known = this.#emitted.get(value);
    if (known !== undefined) return known;
    const name = this.#storedName(value) ?? this.#demanded(value);
    this.#emitted.set(value, name);
    return name;
  }

  /** Emits a node, unless it is emitted on demand and has not been requested. */
  lower(node: Node): void {
    const outer = this.#origin;
    this.#origin = node.origin;
    const names = this.#lower(node, this);
    this.#origin = outer;
    for (const [i, output] of node.outputs.entries()) {
      const name = names[i];
      if (name !== undefined) this.name(output, name);
    }
  }

  /** Names a value, unless it already has a name. */
  name(value: Value, name: string): void {
    if (!this.#emitted.has(value)) this.#emitted.set(value, name);
  }

  /** Returns the name of a value; undefined if it has not been emitted. */
  nameOf(value: Value): string | undefined {
    return this.#emitted.get(value);
  }

  /** Whether the value is stored in the file, in any layout. */
  isStored(value: Value): boolean {
    return this.#stored.view(value) !== undefined;
  }

  /** Records that a value was emitted in another form; its own form is emitted on request. */
  nameForm(value: Value, form: OtherForm): void {
    this.#forms.set(value, form);
  }

  form(value: Value): OtherForm | undefined {
    return this.#forms.get(value);
  }

  /** Returns the value as an index: i64 if it was computed from i64, which saves a Cast, otherwise i32. */
  index(value: Value): string {
    return this.#asI64(value) ?? this.use(value);
  }

  /** Returns the type of the results of `index` and `rowIndex`. */
  indexType(value: Value): TensorType & { readonly dtype: 'i32' | 'i64' } {
    return { dtype: this.#asI64(value) === undefined ? 'i32' : 'i64', shape: value.type.shape };
  }

  /** Returns the value as an index for an operator that only takes i64. */
  index64(value: Value): string {
    const type = { dtype: 'i64', shape: value.type.shape } as const;
    return this.#asI64(value) ?? this.node('Cast', [this.use(value)], type, toAttribute('i64'));
  }

  /**
   * Returns row numbers as an index of either dtype. Negative numbers are replaced, because ONNX would count them from
   * the end.
   */
  rowIndex(use: IndexUse): string {
    const { index } = use;
    const check = this.indexCheck(use);
    if (check.kind !== 'run' || !check.mayBeNegative) return this.index(index);
    return this.#withoutNegative(this.index(index), this.indexType(index));
  }

  /** Like `rowIndex`, for an operator that only takes i64. */
  rowIndex64(use: IndexUse): string {
    const { index } = use;
    const check = this.indexCheck(use);
    if (check.kind !== 'run' || !check.mayBeNegative) return this.index64(index);
    return this.#withoutNegative(this.index64(index), { dtype: 'i64', shape: index.type.shape });
  }

  #asI64(value: Value): string | undefined {
    const { node } = value;
    if (node.op === 'cast' && node.inputs[0].type.dtype === 'i64') return this.use(node.inputs[0]);
    const form = this.#forms.get(value);
    return form?.kind === 'i64' ? form.name : undefined;
  }

  /** Emitted once for each index, so that a gather and its gradient share it. */
  #withoutNegative(index: string, type: TensorType & { readonly dtype: 'i32' | 'i64' }): string {
    let name = this.#rowIndices.get(index);
    if (name === undefined) {
      const { dtype, shape } = type;
      const isNegative = this.node('Less', [index, this.number(0, dtype)], { dtype: 'bool', shape });
      name = this.node('Where', [isNegative, this.number(noRow[dtype], dtype), index], type);
      this.#rowIndices.set(index, name);
    }
    return name;
  }

  /** Appends a node with one result of this type, under the current origin, and returns the result's name. */
  node(op: string, inputs: readonly string[], type: TensorType, attributes: Attributes = {}): string {
    return this.results(op, inputs, [type], attributes)[0]!;
  }

  /**
   * Appends a node with one result for each type and returns the results' names. A type that is undefined stands for a
   * result that is left out.
   */
  results(
    op: string,
    inputs: readonly string[],
    types: readonly (TensorType | undefined)[],
    attributes: Attributes = {},
  ): string[] {
    const origin = this.#origin;
    return this.#append(op, inputs, types, attributes, origin === undefined ? '' : folder(origin.path), origin);
  }

  /** Like `results`, for one of onnxruntime's own operators. */
  contrib(
    op: string,
    inputs: readonly string[],
    types: readonly (TensorType | undefined)[],
    attributes: Attributes = {},
  ): string[] {
    const origin = this.#origin;
    const scope = origin === undefined ? '' : folder(origin.path);
    return this.#append(op, inputs, types, attributes, scope, origin, contribDomain);
  }

  /** Returns the types of the nodes' results in order, except results named in `others`. */
  typesOf(nodes: readonly OnnxNode[], others: ReadonlySet<string>): ValueInfo[] {
    return nodes.flatMap(({ outputs }) =>
      outputs.flatMap((name) => {
        const type = this.#types.get(name);
        return type === undefined || others.has(name) ? [] : [valueInfo(this.facts, name, type, '')];
      }),
    );
  }

  /**
   * Returns a graph of what `fill` emits. `fill` gets the names of inputs of these types and returns the names of the
   * results. It may use numbers and constants, but no values that are computed outside.
   */
  subgraph(
    name: string,
    types: { readonly inputs: readonly PortType[]; readonly outputs: readonly PortType[] },
    fill: (inputs: readonly string[]) => readonly string[],
  ): Subgraph {
    const title = this.#nodeNames.unique(`${folder(this.#origin?.path ?? '')}${name}`);
    const port = ({ dtype, shape }: PortType, portName: string): ValueInfo => ({
      name: portName,
      dtype,
      shape,
      docs: '',
    });
    const inputs = types.inputs.map((type, i) => port(type, this.#names.unique(`${title}:${i}`)));
    const outside = this.nodes.length;
    const results = fill(inputs.map((input) => input.name));
    const nodes = this.nodes.splice(outside);
    const outputs = types.outputs.map((type, i) => port(type, results[i]!));
    return { name: title, nodes, inputs, outputs, values: this.typesOf(nodes, new Set(results)) };
  }

  /** Gives a second name to a value that already has one. */
  alias(source: string, name: string): void {
    this.nodes.push({
      name: this.#nodeNames.unique('Identity'),
      op: 'Identity',
      inputs: [source],
      outputs: [name],
      attributes: {},
      docs: '',
    });
  }

  /** Emits a node of shape arithmetic, only once for the same operator, inputs and attributes. */
  shared(
    op: string,
    inputs: readonly string[],
    type: TensorType,
    attributes: Attributes = {},
    scope = 'dims/',
  ): string {
    const key = JSON.stringify([op, inputs, attributes]);
    let name = this.#shared.get(key);
    if (name === undefined) {
      name = this.#append(op, inputs, [type], attributes, scope, undefined)[0]!;
      this.#shared.set(key, name);
    }
    return name;
  }

  /** i64[n]; emitted once. */
  i64(values: readonly number[]): string {
    return this.#constant(`i64_${values.join('_')}`, tensor('i64', [values.length], values));
  }

  /** i64[]; emitted once. */
  i64Scalar(value: number): string {
    return this.#constant(`i64_scalar_${value}`, scalar('i64', value));
  }

  /** Numbers of rows, i32 of this shape; the same numbers are emitted once. */
  rowNumbers(values: Int32Array, shape: readonly number[]): string {
    const key = `rows ${shape.join('x')} ${values.join(' ')}`;
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const name = this.#names.unique(`rows_${shape.join('_')}`);
    this.#shared.set(key, name);
    this.initialisers.push(literal(name, tensor('i32', shape, values)));
    return name;
  }

  /** A scalar of any dtype; emitted once. */
  number(value: number, dtype: DType): string {
    if (dtype === 'i64') return this.i64Scalar(value);
    const text = Object.is(value, -0) ? '-0' : String(value);
    return this.#constant(`${dtype}_${text}`, scalar(dtype, value));
  }

  /** A constant named after the current origin; the same object is emitted once. */
  data(value: TensorData): string {
    const known = this.#data.get(value);
    if (known !== undefined) return known;
    const name = this.#names.unique(`${folder(this.#origin?.path ?? '')}Constant`);
    this.#data.set(value, name);
    this.initialisers.push(literal(name, value));
    return name;
  }

  /** Returns the input that the host fills with random numbers; there is one for each key. */
  draw(key: string, type: TensorType): string {
    const known = this.draws.find((draw) => draw.key === key);
    if (known !== undefined) return known.name;
    const name = this.#names.unique(`uniform/${key}`);
    this.draws.push({ name, key, type });
    return name;
  }

  #constant(name: string, value: TensorData): string {
    const known = this.#shared.get(name);
    if (known !== undefined) return known;
    const unique = this.#names.unique(name);
    this.#shared.set(name, unique);
    this.initialisers.push(literal(unique, value));
    return unique;
  }

  #storedName(value: Value): string | undefined {
    const view = this.#stored.view(value);
    if (view === undefined) return undefined;
    const { dtype, dims, transposes } = view;
    const orders = transposes.map(({ perm }) => `[${perm.join(', ')}]`).join(' then ');
    const docs = transposes.length === 0 ? '' : `stored with its axes permuted: ${orders}`;
    const name = this.#names.unique(this.#stored.name(value, view));
    this.initialisers.push({ name, dtype, dims, source: sourceOf(view), transposes, docs });
    return name;
  }

  /** Emits a value in whatever form its lowering gives, unless it has been emitted. */
  ensure(value: Value): void {
    if (this.#emitted.has(value) || this.#forms.has(value)) return;
    if (this.isStored(value)) this.use(value);
    else this.lower(value.node);
  }

  #demanded(value: Value): string {
    if (!this.#forms.has(value)) this.lower(value.node);
    const name = this.#emitted.get(value) ?? this.#ownForm(value);
    if (name === undefined) throw new Error(`bug in crobc: ${value.node.op} left a result without a name`);
    return name;
  }

  #ownForm(value: Value): string | undefined {
    const form = this.#forms.get(value);
    if (form === undefined) return undefined;
    const outer = this.#origin;
    this.#origin = value.node.origin;
    const name =
      form.kind === 'i64'
        ? this.node('Cast', [form.name], value.type, toAttribute('i32'))
        : reshaped(this, form.name, { dtype: value.type.dtype, shape: form.shape }, value.type.shape);
    this.#origin = outer;
    return name;
  }

  #append(
    op: string,
    inputs: readonly string[],
    types: readonly (TensorType | undefined)[],
    attributes: Attributes,
    scope: string,
    origin: Origin | undefined,
    domain?: OnnxNode['domain'],
  ): string[] {
    const name = this.#nodeNames.unique(`${scope}${op}`);
    const outputs = types.map((type, i) => {
      if (type === undefined) return '';
      const output = this.#names.unique(types.length === 1 ? name : `${name}:${i}`);
      this.#types.set(output, type);
      return output;
    });
    const docs = origin === undefined ? '' : [origin.label, this.#place?.(origin)].filter(Boolean).join(' at ');
    this.nodes.push({ name, ...(domain && { domain }), op, inputs, outputs, attributes, docs });
    return outputs;
  }
}

/** Indices that the host does not check are checked at run time. */
function leftToHost(facts: Facts, hostChecks: readonly IndexInput[]): (use: IndexUse) => IndexCheck {
  const check = indexChecks(facts);
  return (use) => {
    const found = check(use);
    if (found.kind !== 'input') return found;
    const isLeft = hostChecks.some(({ name, rows }) => name === found.name && sameDim(facts, rows, use.rows));
    return isLeft ? found : { kind: 'run', mayBeNegative: found.mayBeNegative };
  };
}

function literal(name: string, value: TensorData): Initialiser {
  const source = { kind: 'data', tensor: value } as const;
  return { name, dtype: value.dtype, dims: value.shape, source, transposes: [], docs: '' };
}
