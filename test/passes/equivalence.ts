import { expect } from 'vitest';
import { asConstant, asVariable, evaluate, variables } from '../../compiler/dims/dim.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { print } from '../../compiler/ir/print.ts';
import { elementCount, tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom, seedOf } from '../../compiler/ops/random.ts';
import type { Random } from '../../compiler/ops/row.ts';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { applyRules, type Rule } from '../../compiler/passes/rule.ts';

/** Random elements of an input or weight. */
function draw(random: Random, dtype: TensorData['dtype'], shape: readonly number[]): TensorData {
  const element = (): number => {
    if (dtype === 'bool') return random.int(0, 1);
    return dtype === 'f32' || dtype === 'f16' ? 4 * random.real() - 2 : random.int(-5, 5);
  };
  return tensor(dtype, shape, Array.from({ length: elementCount(shape) }, element));
}

/** Both graphs on the same random feeds and weights; results agree to a few parts in a million. */
export function expectSameResults(
  before: Graph,
  after: Graph,
  seed = 1,
  sizes: ReadonlyMap<string, number> = smallest(before),
): void {
  const random = seededRandom(seed);
  const at = (name: string): number => sizes.get(name)!;
  const feeds = new Map<string, TensorData>();
  for (const { name, value } of before.inputs) {
    const shape = value.type.shape.map((dim) => evaluate(dim, at));
    feeds.set(name, draw(random, value.type.dtype, shape));
  }
  const weights = (path: string, shape: readonly number[]): TensorData =>
    draw(seededRandom(seedOf(path)), 'f32', shape);
  const wanted = interpret(before, feeds, weights, sizes);
  const got = interpret(after, feeds, weights, sizes);
  expect([...got.keys()]).toEqual([...wanted.keys()]);
  for (const [name, expected] of wanted) {
    const actual = got.get(name)!;
    expect(actual.dtype).toBe(expected.dtype);
    expect(actual.shape).toEqual(expected.shape);
    for (const [i, x] of expected.data.entries()) {
      const y = actual.data[i]!;
      const close = Object.is(x, y) || Math.abs(x - y) <= 5e-6 * Math.max(1, Math.abs(x));
      if (!close && !(Number.isNaN(x) && Number.isNaN(y))) expect.fail(`${name}[${i}] is ${y}, was ${x}`);
    }
  }
}

/** Sizes that satisfy the facts, and tell dims apart where they can. */
function smallest(graph: Graph): Map<string, number> {
  const names = new Set(graph.inputs.flatMap(({ value }) => value.type.shape.flatMap((dim) => [...variables(dim)])));
  for (const node of graph.nodes)
    for (const { type } of node.outputs)
      for (const dim of type.shape) for (const name of variables(dim)) names.add(name);
  const sizes = new Map<string, number>();
  for (const name of names) {
    const equation = graph.facts.clauses.find((each) => each.kind === 'eq' && asVariable(each.left) === name);
    const bound = equation?.kind === 'eq' ? asConstant(equation.right) : undefined;
    if (bound !== undefined) {
      sizes.set(name, bound);
      continue;
    }
    const clause = graph.facts.clauses.find((each) => each.kind === 'mod' && asVariable(each.value) === name);
    const [modulus, remainder] = clause?.kind === 'mod' ? [clause.modulus, clause.remainder] : [1, 0];
    sizes.set(name, modulus * (2 + (sizes.size % 3)) + remainder);
  }
  return sizes;
}

/** Applies rules to IR text, checks the graph on both sides and that they compute the same, and prints the nodes. */
export function rewritten(rules: readonly Rule[], text: string): string {
  return transformed((graph) => applyRules(graph, rules), text);
}

export function transformed(pass: (graph: Graph) => Graph, text: string): string {
  const before = eliminateDeadCode(read(text));
  expect(verify(before)).toEqual([]);
  const after = pass(before);
  expect(verify(after)).toEqual([]);
  expectSameResults(before, after);
  return nodesOf(after);
}

/** Node and output lines, sources left out. */
export function nodesOf(graph: Graph): string {
  return print(graph)
    .split('\n')
    .filter((line) => line !== '' && !/^(graph|fact|guard|input) |^%\d+ = (input|weight) /.test(line))
    .map((line) => line.replace(/^output "(.*)" = (%\d+) .*$/, '$1 = $2'))
    .join('\n');
}
