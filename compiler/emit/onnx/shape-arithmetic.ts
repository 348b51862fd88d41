import {
  add,
  asConstant,
  asVariable,
  constant,
  type Dim,
  floorDiv,
  fold,
  max,
  min,
  mul,
  one,
  product,
  sub,
  substitute,
  sum,
  variable,
  variables,
  zero,
} from '../../dims/dim.ts';
import type { Graph } from '../../ir/graph.ts';
import type { DType, TensorType } from '../../ir/types.ts';
import { toAttribute } from './element-types.ts';
import { int } from './model.ts';
import type { NodeWriter } from './node-writer.ts';
import { known } from './reshape-target.ts';

/** A part of a polynomial: the dim, its sign in a sum, and how to compute its absolute value. */
interface Term {
  readonly dim: Dim;
  readonly negative: boolean;
  magnitude(): string;
  /** For a sum: the same sum without its constant. */
  readonly withoutNumber?: Term;
}

/**
 * Computes dims that are unknown when the graph is built as i64[1] tensors from the shapes of the inputs. Every
 * distinct polynomial and subexpression is computed once.
 */
export class ShapeArithmetic {
  readonly #emission: NodeWriter;
  /** Where a variable can be read: an input and its axis whose size is a linear function of the variable. */
  readonly #sources = new Map<string, { readonly input: string; readonly axis: number; readonly dim: Dim }>();
  readonly #computed = new Map<string, string>();

  constructor(emission: NodeWriter, inputs: Graph['inputs']) {
    this.#emission = emission;
    for (const bare of [true, false])
      for (const { name, value } of inputs)
        for (const [axis, dim] of value.type.shape.entries()) {
          const found = bare ? asVariable(dim) : soleVariable(dim);
          if (found !== undefined && !this.#sources.has(found)) this.#sources.set(found, { input: name, axis, dim });
        }
  }

  /** i64[n]: a shape, or starts and stops. Known entries become constants. */
  vector(dims: readonly Dim[]): string {
    const emission = this.#emission;
    const pieces: string[] = [];
    for (let i = 0; i < dims.length; ) {
      let end = i;
      const numbers: number[] = [];
      for (let n = known(emission.facts, dims[i]!); n !== undefined; ) {
        numbers.push(n);
        end++;
        n = end < dims.length ? known(emission.facts, dims[end]!) : undefined;
      }
      if (end > i) pieces.push(emission.i64(numbers));
      else {
        end = this.#runOfAxes(dims, i);
        pieces.push(end > i + 1 ? this.#axes(dims[i]!, end - i) : this.element(dims[i]!));
      }
      i = end;
    }
    if (pieces.length === 0) return emission.i64([]);
    return pieces.length === 1
      ? pieces[0]!
      : emission.shared('Concat', pieces, vectorType(dims.length), { axis: int(0) });
  }

  /** i64[1]. */
  element(dim: Dim): string {
    const emission = this.#emission;
    const size = known(emission.facts, dim);
    if (size !== undefined) return emission.i64([size]);
    const term = this.#term(dim);
    return term.negative ? this.#number('Neg', [term.magnitude()]) : term.magnitude();
  }

  /** [1] of the given dtype. */
  number(dim: Dim, dtype: DType): string {
    const element = this.element(dim);
    return dtype === 'i64'
      ? element
      : this.#emission.shared('Cast', [element], { dtype, shape: [one] }, toAttribute(dtype));
  }

  /** [n] of the given dtype. */
  vectorOf(dims: readonly Dim[], dtype: DType): string {
    const type = { dtype, shape: [constant(dims.length)] };
    return this.#emission.shared('Cast', [this.vector(dims)], type, toAttribute(dtype));
  }

  /** [] of the given dtype. */
  scalar(dim: Dim, dtype: DType): string {
    const inputs = [this.element(dim), this.#emission.i64([0])];
    const scalar = this.#emission.shared('Squeeze', inputs, { dtype: 'i64', shape: [] });
    return dtype === 'i64' ? scalar : this.#emission.shared('Cast', [scalar], { dtype, shape: [] }, toAttribute(dtype));
  }

  /** Returns the end of the run, from `i`, of bare variables that are consecutive axes of one input. */
  #runOfAxes(dims: readonly Dim[], i: number): number {
    const first = this.#bare(dims[i]!);
    let end = i + 1;
    if (first === undefined) return end;
    for (; end < dims.length; end++) {
      const next = this.#bare(dims[end]!);
      if (next?.input !== first.input || next.axis !== first.axis + end - i) break;
    }
    return end;
  }

  #bare(dim: Dim) {
    const name = asVariable(dim);
    const source = name === undefined ? undefined : this.#sources.get(name);
    return source?.dim.key === dim.key ? source : undefined;
  }

  #axes(dim: Dim, count: number): string {
    const source = this.#bare(dim)!;
    const [start, end] = [int(source.axis), int(source.axis + count)];
    return this.#emission.shared('Shape', [source.input], vectorType(count), { start, end });
  }

  #number(op: string, inputs: readonly string[]): string {
    return this.#emission.shared(op, inputs, vectorType(1));
  }

  #once(dim: Dim, compute: () => string): string {
    const known = this.#computed.get(dim.key);
    if (known !== undefined) return known;
    const name = compute();
    this.#computed.set(dim.key, name);
    return name;
  }

  #positive(dim: Dim, compute: () => string): Term {
    return { dim, negative: false, magnitude: () => this.#once(dim, compute) };
  }

  #term(dim: Dim): Term {
    const emission = this.#emission;
    const extremum = (op: 'Min' | 'Max', dim: Dim, a: Term, b: Term) =>
      this.#positive(dim, () => this.#number(op, [this.#signed(a), this.#signed(b)]));
    return fold<Term>(dim, {
      constant: (n) => ({ dim: constant(n), negative: n < 0, magnitude: () => emission.i64([Math.abs(n)]) }),
      variable: (name) => this.#positive(variable(name), () => this.#variable(name)),
      add: (terms) => this.#sum(terms),
      mul: (terms) => this.#product(terms),
      floorDiv: (a, k) => this.#positive(floorDiv(a.dim, k), () => this.#quotient(a, k)),
      min: (a, b) => extremum('Min', min(a.dim, b.dim), a, b),
      max: (a, b) => extremum('Max', max(a.dim, b.dim), a, b),
    });
  }

  #signed(term: Term): string {
    return term.negative ? this.#number('Neg', [term.magnitude()]) : term.magnitude();
  }

  #sum(terms: readonly Term[]): Term {
    const whole = sum(terms.map((term) => term.dim));
    // Constants come last, so that H/2 is reused in H/2 - 1.
    const ordered = [...terms].sort((a, b) => Number(isNumber(a)) - Number(isNumber(b)));
    const first = ordered.find((term) => !term.negative);
    // All negative: the sum of the magnitudes, negated.
    if (first === undefined) {
      const opposite = sub(zero, whole);
      const flipped = ordered.map((term) => ({ ...term, dim: sub(zero, term.dim), negative: false }));
      return { dim: whole, negative: true, magnitude: () => this.#once(opposite, () => this.#chain(flipped)) };
    }
    const total = this.#positive(whole, () => this.#chain([first, ...ordered.filter((term) => term !== first)]));
    const rest = terms.filter((term) => !isNumber(term));
    if (rest.length === terms.length) return total;
    return { ...total, withoutNumber: rest.length === 1 ? rest[0]! : this.#sum(rest) };
  }

  /** Adds and subtracts from left to right; the first term is not negative. */
  #chain([first, ...rest]: readonly Term[]): string {
    if (first === undefined) throw new Error('bug in crobc: an empty sum of dims');
    return rest.reduce(
      (total, term) => this.#number(term.negative ? 'Sub' : 'Add', [total, term.magnitude()]),
      first.magnitude(),
    );
  }

  #product(factors: readonly Term[]): Term {
    const dim = product(factors.map((factor) => factor.dim));
    const negative = factors.filter((factor) => factor.negative).length % 2 === 1;
    const ordered = [...factors]
      .sort((a, b) => Number(isNumber(a)) - Number(isNumber(b)))
      .filter((factor) => Math.abs(asConstant(factor.dim) ?? 0) !== 1);
    const magnitude = () =>
      ordered.length === 0
        ? this.#emission.i64([1])
        : ordered.map((factor) => factor.magnitude()).reduce((a, b) => this.#number('Mul', [a, b]));
    return { dim, negative, magnitude: () => this.#once(negative ? sub(zero, dim) : dim, magnitude) };
  }

  /** Simplifies floor((W + 15)/16) to W/16 if 16 divides W: rounding up has no effect on such a size. */
  #dividend(a: Term, k: number): Term {
    const rest = a.withoutNumber;
    if (rest === undefined) return a;
    const number = asConstant(sub(a.dim, rest.dim))!;
    const exact = 0 <= number && number < k && this.#emission.facts.divides(k, rest.dim).answer === 'proved';
    return exact ? rest : a;
  }

  /** Div truncates: for a non-negative dividend that is the floor; otherwise the result is (a - a mod k) / k. */
  #quotient(of: Term, k: number): string {
    const emission = this.#emission;
    const a = this.#dividend(of, k);
    const [dividend, divisor] = [this.#signed(a), emission.i64([k])];
    if (emission.facts.interval(a.dim).lo >= 0) return this.#number('Div', [dividend, divisor]);
    const remainder = this.#number('Mod', [dividend, divisor]);
    return this.#number('Div', [this.#number('Sub', [dividend, remainder]), divisor]);
  }

  /** Reads the variable from an axis of an input: the size itself, or the solution of size = a·V + b. */
  #variable(name: string): string {
    const emission = this.#emission;
    const source = this.#sources.get(name);
    if (source === undefined) throw new Error(`bug in crobc: the dim ${name} is not the size of any input`);
    const [start, end] = [int(source.axis), int(source.axis + 1)];
    const size = emission.shared('Shape', [source.input], vectorType(1), { start, end });
    const { slope, offset } = linear(source.dim, name)!;
    const shifted =
      offset === 0 ? size : this.#number(offset > 0 ? 'Sub' : 'Add', [size, emission.i64([Math.abs(offset)])]);
    return slope === 1 ? shifted : this.#number('Div', [shifted, emission.i64([slope])]);
  }
}

const vectorType = (length: number): TensorType => ({ dtype: 'i64', shape: [constant(length)] });

function isNumber(term: Term): boolean {
  return asConstant(term.dim) !== undefined;
}

/** Returns the only variable of a dim, if the dim is linear in it. */
function soleVariable(dim: Dim): string | undefined {
  const [name, ...others] = variables(dim);
  return name !== undefined && others.length === 0 && linear(dim, name) !== undefined ? name : undefined;
}

function linear(dim: Dim, name: string): { slope: number; offset: number } | undefined {
  const [offset, at1] = [zero, one].map((x) => asConstant(substitute(dim, new Map([[name, x]]))));
  if (offset === undefined || at1 === undefined) return undefined;
  const slope = at1 - offset;
  const line = add(mul(constant(slope), variable(name)), constant(offset));
  return slope > 0 && line.key === dim.key ? { slope, offset } : undefined;
}
