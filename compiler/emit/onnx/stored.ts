import type { Facts } from '../../dims/facts.ts';
import type { Graph, Node, Value } from '../../ir/graph.ts';
import type { DType } from '../../ir/types.ts';
import { isFloat } from '../../ops/typing.ts';
import type { Initialiser, StoredTranspose } from './model.ts';
import { folder } from './names.ts';
import { knownShape } from './reshape-target.ts';

/** A weight or constant in another layout. It can be stored in that layout, so nothing is moved at run time. */
export interface StoredView {
  readonly root: Value;
  /** The shape of the root. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly transposes: readonly StoredTranspose[];
}

/**
 * Finds stored views: weights and constants under transposes, reshapes and casts between floats. A weight that is used
 * in several orders is stored once in its own order, and the session computes the transposes when it loads the model.
 * Reshaped views have the same bytes, so each is stored.
 */
export class Stored {
  readonly #facts: Facts;
  readonly #views = new Map<Value, StoredView | undefined>();
  /** The orders, and the forms (order, shape and dtype), in which computing nodes use each root. */
  readonly #uses = new Map<Value, { readonly orders: Set<string>; readonly forms: Set<string> }>();

  constructor(graph: Graph) {
    this.#facts = graph.facts;
    for (const node of graph.nodes) {
      const computes = node.outputs.some((output) => this.#trace(output) === undefined);
      if (computes) for (const input of node.inputs) this.#note(input);
    }
    for (const { value } of graph.outputs) this.#note(value);
  }

  view(value: Value): StoredView | undefined {
    const view = this.#trace(value);
    if (view === undefined) return undefined;
    return view.transposes.length === 0 || this.#soleOrder(view.root) ? view : undefined;
  }

  /**
   * Returns the weight's path. If it is stored in several forms, the form is appended to the path, except for its own
   * form.
   */
  name(value: Value, view: StoredView): string {
    const { node } = view.root;
    const base = node.op === 'weight' ? node.attributes.path : `${folder(node.origin.path)}Constant`;
    const sole = this.#uses.get(view.root)?.forms.size === 1;
    return sole || value === view.root ? base : `${base}:${[view.dtype, ...view.dims].join('x')}`;
  }

  #note(value: Value): void {
    const view = this.#trace(value);
    if (view === undefined) return;
    const uses = this.#uses.get(view.root) ?? { orders: new Set(), forms: new Set() };
    const order = JSON.stringify(view.transposes);
    uses.orders.add(order);
    uses.forms.add(`${order} ${view.dtype} ${view.dims.join(' ')}`);
    this.#uses.set(view.root, uses);
  }

  #soleOrder(root: Value): boolean {
    return this.#uses.get(root)?.orders.size === 1;
  }

  #trace(value: Value): StoredView | undefined {
    if (this.#views.has(value)) return this.#views.get(value);
    const view = this.#look(value);
    this.#views.set(value, view);
    return view;
  }

  #look(value: Value): StoredView | undefined {
    const node: Node = value.node;
    const dims = knownShape(this.#facts, value.type.shape);
    if (dims === undefined) return undefined;
    const { dtype } = value.type;
    if (node.op === 'weight' || node.op === 'constant')
      return { root: value, shape: dims, dtype, dims, transposes: [] };
    const inner = node.inputs[0] === undefined ? undefined : this.#trace(node.inputs[0]);
    if (inner === undefined) return undefined;
    switch (node.op) {
      case 'reshape':
      case 'stop_gradient':
        return { ...inner, dims };
      case 'transpose':
        return { ...inner, dims, transposes: [...inner.transposes, { shape: inner.dims, perm: node.attributes.perm }] };
      case 'cast':
        return isFloat(dtype) && inner.dtype === 'f32' ? { ...inner, dtype } : undefined;
      default:
        return undefined;
    }
  }
}

export function sourceOf({ root, shape }: StoredView): Initialiser['source'] {
  const { node } = root;
  if (node.op === 'constant') return { kind: 'data', tensor: node.attributes.tensor };
  if (node.op === 'weight') return { kind: 'weight', path: node.attributes.path, shape };
  throw new Error(`bug in crobc: ${node.op} is not stored`);
}
