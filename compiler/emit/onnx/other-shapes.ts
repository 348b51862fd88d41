import { type Dim, product } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { sameDim, sameShape } from '../../ir/shapes.ts';
import type { FusionPlan } from './fusions.ts';
import type { NodeWriter } from './node-writer.ts';
import { known } from './reshape-target.ts';
import { reshaped } from './reshaped.ts';
import type { ShapeArithmetic } from './shape-arithmetic.ts';

/** The i64 form of an i32 value, or the elements of a value in another shape. */
export type OtherForm =
  | { readonly kind: 'i64'; readonly name: string }
  | { readonly kind: 'reshaped'; readonly name: string; readonly shape: readonly Dim[] };

/** What has been emitted so far, and how to emit more. */
interface Emitted extends NodeWriter {
  readonly dims: ShapeArithmetic;
  readonly plan: FusionPlan;
  use(value: Value): string;
  nameOf(value: Value): string | undefined;
  form(value: Value): OtherForm | undefined;
  ensure(value: Value): void;
  isStored(value: Value): boolean;
}

interface Shaped {
  readonly name: string;
  readonly shape: readonly Dim[];
}

/** Values in shapes other than their own, with the same elements in the same order. */
export class OtherShapes {
  readonly #emission: Emitted;
  readonly #found = new Map<Value, Shaped[]>();

  constructor(emission: Emitted) {
    this.#emission = emission;
  }

  /** Returns the name of a value in a shape; emits at most one Reshape for each shape. */
  as(value: Value, shape: readonly Dim[]): string {
    const source = this.#unreshaped(value);
    const { facts } = this.#emission;
    const all = this.#formsOf(source);
    const same = all.find((form) => sameShape(facts, form.shape, shape));
    if (same !== undefined) return same.name;
    const from = all[0]!;
    const name = reshaped(this.#emission, from.name, { dtype: value.type.dtype, shape: from.shape }, shape);
    all.push({ name, shape });
    return name;
  }

  /** Returns the name of a value as a matrix [all axes before the last, last axis]. */
  rows(value: Value): string {
    return this.as(value, this.rowShape(value.type.shape));
  }

  rowShape(shape: readonly Dim[]): readonly [Dim, Dim] {
    return [product(shape.slice(0, -1)), shape.at(-1)!];
  }

  /** Whether a value was emitted as a matrix of its rows, although it has more axes. */
  hasRows(value: Value): boolean {
    const { shape } = value.type;
    if (shape.length < 3) return false;
    const source = this.#unreshaped(value);
    const form = this.#emission.form(source);
    const forms = [...(this.#found.get(source) ?? []), ...(form?.kind === 'reshaped' ? [form] : [])];
    return forms.some((one) => sameShape(this.#emission.facts, one.shape, this.rowShape(shape)));
  }

  /** Whether the shape can be left and restored without computing sizes: at most one size is unknown. */
  canFold(shape: readonly Dim[]): boolean {
    const { facts } = this.#emission;
    return shape.length > 2 && shape.filter((dim) => known(facts, dim) === undefined).length <= 1;
  }

  /** Whether a shape is that of a vector along the last axis of another. */
  isAlongLast(shape: readonly Dim[], whole: readonly Dim[]): boolean {
    return shape.length === 1 && sameDim(this.#emission.facts, shape[0]!, whole.at(-1)!);
  }

  #formsOf(source: Value): Shaped[] {
    const emission = this.#emission;
    const all = this.#found.get(source) ?? [];
    this.#found.set(source, all);
    const add = (shaped: Shaped) => all.some(({ name }) => name === shaped.name) || all.push(shaped);
    emission.ensure(source);
    const form = emission.form(source);
    if (form?.kind === 'reshaped') add({ name: form.name, shape: form.shape });
    else if (all.length === 0) add({ name: emission.use(source), shape: source.type.shape });
    const own = emission.nameOf(source);
    if (own !== undefined) add({ name: own, shape: source.type.shape });
    return all;
  }

  /** Returns the value whose elements a reshape takes over, through reshapes of reshapes. */
  #unreshaped(value: Value): Value {
    const { node } = value;
    const { plan } = this.#emission;
    if (node.op !== 'reshape' || plan.picks.has(node) || plan.moves.has(node) || this.#emission.isStored(value))
      return value;
    return this.#unreshaped(node.inputs[0]);
  }
}
