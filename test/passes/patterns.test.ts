import { describe, expect, it, test } from 'vitest';
import { read } from '../../compiler/graphs/read.ts';
import { countUses } from '../../compiler/graphs/rebuild.ts';
import type { Graph, Node, Value } from '../../compiler/ir/graph.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import {
  about,
  anything,
  finding,
  named,
  number,
  once,
  oneOf,
  operators,
  product,
  value,
  where,
  withEach,
  withSome,
} from '../../compiler/passes/patterns/construct.ts';
import { match } from '../../compiler/passes/patterns/match.ts';
import { nearestMiss } from '../../compiler/passes/patterns/miss.ts';
import type { Form, Pattern, Surroundings } from '../../compiler/passes/patterns/pattern.ts';
import { patternText } from '../../compiler/passes/patterns/text.ts';
import { pipeline } from '../../compiler/passes/pipeline.ts';
import { applyRules, rewrite, rule } from '../../compiler/passes/rule.ts';
import { drawnSeed } from '../seed.ts';
import { nodesOf } from './equivalence.ts';
import { randomGraph } from './random-graph.ts';

const { add, concat, div, mul, neg, sigmoid, sub } = operators;
const [x, y] = [value('x'), value('y')];

/** x = %0 and y = %1: f32[B, 3]; %2 is 2. The last of the lines is the result. */
function graphOf(lines: readonly string[]): Graph {
  const body = lines.map((line, i) => `%${i + 3} = ${line} : f32[B, 3]`).join('\n');
  return read(`%0 = input name="x" : f32[B, 3]
%1 = input name="y" : f32[B, 3]
%2 = full value=2 dtype=f32 shape=[] : f32[]
${body}
input "x" = %0 ""
input "y" = %1 ""
output "r" = %${lines.length + 2} ""
`);
}

function around(graph: Graph): Surroundings {
  const uses = countUses(graph);
  return { facts: graph.facts, expected: new Map(), uses: (read) => Math.max(1, uses.get(read) ?? 0) };
}

function resultOf({ outputs }: Graph): Value {
  const [result] = outputs;
  if (result === undefined) throw new Error('no output');
  return result.value;
}

/** What the pattern asks for and does not find at the result; undefined where it matches. */
function missing({ form }: Pattern<unknown>, ...lines: readonly string[]): string | undefined {
  const graph = graphOf(lines);
  const miss = nearestMiss([form], resultOf(graph), around(graph));
  const found = match(form, resultOf(graph), around(graph));
  expect(found === undefined).toBe(miss !== undefined);
  return miss && `${miss.needs}; ${miss.has}`;
}

describe('a pattern', () => {
  const silu = mul(x, sigmoid(x));

  it('names the same value wherever a name occurs', () => {
    expect(missing(silu, 'sigmoid %0', 'mul %0, %3')).toBeUndefined();
    expect(missing(silu, 'sigmoid %0', 'mul %1, %3')).toBe('the same x as the operand of sigmoid; input');
    expect(missing(add(neg(x), neg(x)), 'neg %0', 'neg %0', 'add %3, %4')).toBeUndefined();
  });

  it('takes operands in either order, where the operator commutes', () => {
    expect(missing(silu, 'sigmoid %0', 'mul %3, %0')).toBeUndefined();
    expect(missing(sub(x, neg(y)), 'neg %1', 'sub %3, %0')).toBe('neg(y) as operand 2 of sub; input');
  });

  it('tries the other order where the first only seems to match', () => {
    const twice = add(mul(x, neg(y)), y);
    // Both operands are products with a negation, and one order leads to a y that is not the other operand.
    expect(missing(twice, 'neg %0', 'neg %1', 'mul %3, %4', 'add %1, %5')).toBeUndefined();
    expect(missing(twice, 'neg %0', 'neg %1', 'mul %4, %3', 'add %0, %5')).toBeUndefined();
  });

  it('takes numbers by what they are', () => {
    expect(missing(mul(x, 2), 'mul %2, %0')).toBeUndefined();
    expect(missing(mul(x, 3), 'mul %2, %0')).toBe('3 as an operand of mul; input and the number 2');
    const even = number('n', { text: 'an even number', accepts: (n) => n % 2 === 0 });
    expect(missing(div(x, even), 'div %0, %2')).toBeUndefined();
    expect(missing(div(x, even), 'div %0, %1')).toBe('an even number as operand 2 of div; input');
  });

  it('takes products apart, however they are bracketed', () => {
    const scaled = product(about(4), x, sigmoid(y));
    expect(missing(scaled, 'sigmoid %1', 'mul %3, %2', 'mul %0, %2', 'mul %4, %5')).toBeUndefined();
    expect(missing(scaled, 'sigmoid %1', 'mul %3, %2', 'mul %0, %4')).toBe('about 4 · x · sigmoid(y); mul');
  });

  it('can ask that nothing else reads a value', () => {
    const alone = add(x, once(neg(y)));
    expect(missing(alone, 'neg %1', 'add %0, %3')).toBeUndefined();
    expect(missing(alone, 'neg %1', 'mul %3, %3', 'add %4, %3')).toBe(
      'that nothing else reads an operand of add; neg, read by 3',
    );
  });

  it('asks all operands, or one', () => {
    const joined = (line: string) =>
      read(`%0 = input name="x" : f32[B]
%1 = neg %0 : f32[B]
%2 = concat ${line} axis=0 : f32[2*B]
input "x" = %0 ""
output "r" = %2 ""
`);
    const each = withEach(['concat'], 'parts', neg(anything)).form;
    const some = withSome(['concat'], neg(x)).form;
    const both = joined('%1, %1');
    const one = joined('%0, %1');
    const none = joined('%0, %0');
    expect(match(each, resultOf(both), around(both))?.parts).toHaveLength(2);
    expect(match(each, resultOf(one), around(one))).toBeUndefined();
    expect(match(some, resultOf(one), around(one))?.x).toBe(one.inputs[0]?.value);
    expect(nearestMiss([some], resultOf(none), around(none))).toMatchObject({
      needs: 'neg(x) as an operand of concat',
    });
  });

  it('has conditions, whose text is the reason, and which may find something out', () => {
    const wide = where(add(x, y), 'x has three axes', ({ x }) => x.type.shape.length === 3);
    expect(missing(wide, 'add %0, %1')).toBe('that x has three axes; add');
    const rank = finding(add(x, y), 'rank', 'there are axes', ({ x }) => x.type.shape.length || undefined);
    const graph = graphOf(['add %0, %1']);
    expect(match(rank.form, resultOf(graph), around(graph))?.rank).toBe(2);
  });

  it('is as near as the nearest of its alternatives', () => {
    const gate = mul(x, oneOf(sigmoid(y), neg(neg(y))));
    expect(missing(gate, 'neg %1', 'neg %3', 'mul %0, %4')).toBeUndefined();
    expect(missing(gate, 'neg %1', 'mul %0, %3')).toBe('neg(y) as the operand of neg; input');
    expect(missing(gate, 'relu %1', 'mul %0, %3')).toBe(
      'sigmoid(y) or neg(neg(y)) as an operand of mul; relu and input',
    );
  });

  it('reads as it is written', () => {
    expect(patternText(silu.form)).toBe('mul(x, sigmoid(x))');
    const centred = named('c', sub(x, y));
    expect(patternText(mul(centred, centred).form)).toBe('mul(c: sub(x, y), c)');
    expect(patternText(where(once(concat(anything)), 'it is so', () => true).form)).toBe(
      'once(concat(_)), where it is so',
    );
  });
});

test('a rewrite of an operator by element gives the shape of its result', () => {
  const graph = read(`%0 = input name="x" : f32[3]
%1 = full value=1 dtype=f32 shape=[2, 3] : f32[2, 3]
%2 = mul %0, %1 : f32[2, 3]
input "x" = %0 ""
output "r" = %2 ""
`);
  const ones = rule(
    'ones',
    'gradients',
    rewrite(mul(x, 1), ({ x }) => x),
  );
  expect(nodesOf(applyRules(graph, [ones]))).toBe('%1 = broadcast %0 shape=[2, 3] : f32[2, 3]\nr = %1');
});

test('a rule matches a node of a random graph, or says what it lacks', () => {
  const rules = new Set(pipeline.flatMap((pass) => ('rules' in pass ? pass.rules : [])));
  const seen = { matched: 0, missed: 0 };
  const compare = (form: Form, node: Node, site: Surroundings): void => {
    const [at] = node.outputs;
    const found = match(form, at, site);
    const miss = nearestMiss([form], at, site);
    // What looks for the nearest miss goes through the whole pattern, and does not leave out what cannot match at a glance.
    if ((found === undefined) !== (miss !== undefined)) throw new Error(`${patternText(form)} at ${node.op}`);
    seen[found === undefined ? 'missed' : 'matched']++;
  };
  for (let i = 1; i <= 60; i++) {
    const seed = drawnSeed(i);
    const graph = randomGraph(seededRandom(seed), 20, seed % 2 === 0 ? 'views' : 'everything');
    const site = around(graph);
    for (const node of graph.nodes)
      for (const { rewrites } of rules) for (const { form } of rewrites) compare(form, node, site);
  }
  expect(seen.matched).toBeGreaterThan(100);
  expect(seen.missed).toBeGreaterThan(1000);
});
