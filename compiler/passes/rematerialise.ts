import type { Builder } from '../graphs/builder.ts';
import type { Node, Value } from '../ir/graph.ts';

/**
 * Recomputes regions of the forward pass in the backward pass instead of keeping their values.
 * The nodes of a region are copied when a gradient rule first needs their values, each node once. Values from outside
 * the region are kept, and go through a `barrier` first: so no pass, here or in a runtime, merges a copy with the
 * original, and the copies are computed only in the backward pass.
 */
export class Recomputation {
  readonly #build: Builder;
  readonly #regionOf: ((path: string) => string | undefined) | undefined;
  readonly #parameters: ReadonlySet<Value>;
  readonly #copies = new Map<string, Map<Value, Value>>();

  /** `parameters` are values that exist throughout, and need no barrier. */
  constructor(
    build: Builder,
    parameters: ReadonlySet<Value>,
    regionOf: ((path: string) => string | undefined) | undefined,
  ) {
    this.#build = build;
    this.#parameters = parameters;
    this.#regionOf = regionOf;
  }

  /**
   * Returns the inputs and outputs of a node as its gradient rule should read them; `signal` is a gradient that flows
   * there.
   */
  around(node: Node, signal: Value): { readonly inputs: readonly Value[]; readonly outputs: readonly Value[] } {
    const key = this.#regionOf?.(node.origin.path);
    if (key === undefined) return node;
    let copies = this.#copies.get(key);
    if (copies === undefined) {
      copies = new Map();
      this.#copies.set(key, copies);
    }
    const region: Region = { key, signal, copies };
    const read = (value: Value) => (this.#isInside(value, key) ? this.#copied(value, region) : value);
    return { inputs: node.inputs.map(read), outputs: node.outputs.map(read) };
  }

  #isInside({ node }: Value, key: string): boolean {
    return node.inputs.length > 0 && this.#regionOf?.(node.origin.path) === key;
  }

  #isThere(value: Value): boolean {
    return this.#parameters.has(value) || (value.node.inputs.length === 0 && value.node.op !== 'input');
  }

  #copied(value: Value, region: Region): Value {
    const known = region.copies.get(value);
    if (known !== undefined) return known;
    const { node } = value;
    if (this.#isThere(value)) return value;
    const inputs = this.#isInside(value, region.key)
      ? node.inputs.map((input) => this.#copied(input, region))
      : node.inputs;
    // Values from outside the region, or that depend on parameters alone, are kept.
    const isKept = inputs.every((input, i) => input === node.inputs[i]);
    const results = isKept
      ? node.outputs.map((output) => this.#build.barrier(output, region.signal))
      : this.#build.copy(node, inputs);
    for (const [i, output] of node.outputs.entries()) region.copies.set(output, results[i]!);
    return results[value.index]!;
  }
}

interface Region {
  readonly key: string;
  readonly signal: Value;
  /** The copies of values of the forward pass. */
  readonly copies: Map<Value, Value>;
}
