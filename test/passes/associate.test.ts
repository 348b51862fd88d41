import { describe, expect, it } from 'vitest';
import { asConstant } from '../../compiler/dims/dim.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { print } from '../../compiler/ir/print.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { associationRules } from '../../compiler/passes/associate.ts';
import { mergeCommonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { productRules } from '../../compiler/passes/product-before-sum.ts';
import { applyRules } from '../../compiler/passes/rule.ts';
import { work } from '../../compiler/passes/work.ts';
import { expectSameResults } from './equivalence.ts';
import { randomGraph } from './random-graph.ts';

const rules = [...associationRules, ...productRules];

function workOf(graph: Graph): number {
  return asConstant(work(graph.nodes, { expected: graph.expected ?? new Map() }))!;
}

describe('products in other brackets, in random graphs', () => {
  const sizes = new Map([
    ['B', 2],
    ['H', 6],
  ]);

  it('compute the same, cost no more, and settle', () => {
    const fired = new Map<string, number>();
    for (let seed = 1; seed <= 300; seed++) {
      const before = mergeCommonSubexpressions(eliminateDeadCode(randomGraph(seededRandom(seed), 12, 'products')));
      const count = (rule: string, _node: unknown, miss: unknown) =>
        miss === undefined && fired.set(rule, (fired.get(rule) ?? 0) + 1);
      const after = eliminateDeadCode(applyRules(before, rules, count));
      const text = `seed ${seed}:\n${print(before)}\nbecame\n${print(after)}`;
      expect(verify(after), text).toEqual([]);
      expectSameResults(before, after, seed, sizes);
      expect(workOf(after), text).toBeLessThanOrEqual(workOf(before));
      let settled = after;
      for (let i = 0; i < 3; i++) settled = eliminateDeadCode(applyRules(settled, rules));
      expect(print(applyRules(settled, rules)), text).toBe(print(settled));
    }
    for (const { name } of rules) expect(fired.get(name) ?? 0, name).toBeGreaterThan(10);
  });
});
