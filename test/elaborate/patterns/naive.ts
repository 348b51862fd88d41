import { constant, type Dim, evaluate, floorDiv, mul, one, print, variable } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { patternStore } from '../../../compiler/elaborate/patterns/context.ts';
import { isRefused, type PatternFault, type PatternResult } from '../../../compiler/elaborate/patterns/index.ts';
import { Builder } from '../../../compiler/graphs/builder.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { finish } from '../../../compiler/graphs/rebuild.ts';
import type { Value } from '../../../compiler/ir/graph.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import type { NonEmpty } from '../../../compiler/lists.ts';

/** `2*H/4` as a dim: factors, and at the end an exact quotient. */
export function dim(text: string | number): Dim {
  if (typeof text === 'number') return constant(text);
  const [factors = '', divisor] = text.split('/');
  const whole = factors
    .split('*')
    .map((factor) => (/^\d+$/.test(factor) ? constant(Number(factor)) : variable(factor)))
    .reduce(mul, one);
  return divisor === undefined ? whole : floorDiv(whole, Number(divisor));
}

export type Numbers = Readonly<Record<string, number>>;
export type DimTexts = Readonly<Record<string, string | number>>;

export function given(sizes: DimTexts): Map<string, Dim> {
  return new Map(Object.entries(sizes).map(([name, text]) => [name, dim(text)]));
}

/** A builder with f32 inputs x0, x1, … of the given shapes. */
export function inputs(shapes: readonly (readonly (string | number)[])[], facts: Facts = Facts.none) {
  const build = new Builder(facts);
  const [x, ...others] = shapes.map((shape, i) => build.input(`x${i}`, { dtype: 'f32', shape: shape.map(dim) }));
  if (!x) throw new Error('no shapes');
  const xs: NonEmpty<Value> = [x, ...others];
  return { cx: { build, facts, store: patternStore() }, xs, x };
}

export function value<T>(result: PatternResult<T>): T {
  if (isRefused(result)) throw new Error(`refused: ${JSON.stringify(result.fault)}`);
  return result;
}

export function fault(result: PatternResult<unknown>): PatternFault {
  if (!isRefused(result)) throw new Error('not refused');
  return result.fault;
}

export function shapeOf(x: Value): string {
  return x.type.shape.map(print).join(', ');
}

/** The operators behind the inputs. */
export function operators(build: Builder): string[] {
  return build.nodes.filter((node) => node.op !== 'input').map((node) => node.op);
}

/** Runs what was built on numbers 1, 2, 3, … and checks the result's shape against its type. */
export function compute(build: Builder, xs: readonly Value[], result: Value, at: Numbers = {}) {
  const bindings = new Map(Object.entries(at));
  const tensors = xs.map((x, i) =>
    counting(
      x.type.shape.map((size) => evaluate(size, (name) => at[name]!)),
      7 * i,
    ),
  );
  const graph = finish(
    {
      name: 'test',
      docs: '',
      inputs: xs.map((x, i) => ({ name: `x${i}`, value: x, docs: '' })),
      outputs: [{ name: 'y', value: result, docs: '' }],
      facts: build.facts,
      guards: [],
    },
    build.nodes,
  );
  const feeds = new Map(tensors.map((tensor, i) => [`x${i}`, tensor]));
  const y = interpret(
    graph,
    feeds,
    () => {
      throw new Error('no weights here');
    },
    bindings,
  ).get('y')!;
  return { tensors, y: { shape: [...y.shape], data: [...y.data].map(unsigned) } };
}

/** Sums in another order may differ in the sign of zero. */
const unsigned = (n: number) => n + 0;

/** Distinct small numbers of both signs. */
function counting(shape: readonly number[], seed: number): TensorData {
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 37 + seed) % 101) - 50);
  return { dtype: 'f32', shape, data };
}

/** One side of a pattern as lists of names, a list for each axis; reads only well-formed patterns. */
function readSide(text: string): string[][] {
  return (text.match(/\([^)]*\)|\S+/g) ?? []).map((axis) =>
    axis
      .replace(/[()]/g, '')
      .trim()
      .split(/\s+/)
      .filter((name) => name !== '1'),
  );
}

/**
 * The meaning of every pattern with an arrow, by its definition: for every assignment of indices to
 * names, the product of the operands there is one term of the result there. Every size is given.
 */
export function terms(pattern: string, tensors: readonly TensorData[], sizes: Numbers) {
  const [left = '', right = ''] = pattern.split('->');
  const operands = left.split(',').map(readSide);
  const result = readSide(right);
  const shape = result.map((names) => names.reduce((total, name) => total * sizes[name]!, 1));
  const found: number[][] = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => []);
  const names = [...new Set([...operands, result].flat(2))];
  const index: Record<string, number> = {};
  const walk = (depth: number): void => {
    const name = names[depth];
    if (name !== undefined) {
      for (index[name] = 0; index[name] < sizes[name]!; index[name]++) walk(depth + 1);
      return;
    }
    const offset = (side: string[][]) => side.flat().reduce((at, axis) => at * sizes[axis]! + index[axis]!, 0);
    found[offset(result)]!.push(operands.reduce((product, side, i) => product * tensors[i]!.data[offset(side)]!, 1));
  };
  walk(0);
  return { shape, terms: found };
}

export const combine = {
  sum: (xs: number[]) => xs.reduce((a, b) => a + b, 0),
  mean: (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length,
  max: (xs: number[]) => Math.max(...xs),
};

export function naive(
  pattern: string,
  tensors: readonly TensorData[],
  sizes: Numbers,
  how: keyof typeof combine = 'sum',
) {
  const { shape, terms: all } = terms(pattern, tensors, sizes);
  return { shape, data: all.map((found) => unsigned(combine[how](found))) };
}
