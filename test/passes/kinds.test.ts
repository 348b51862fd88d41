import { describe, expect, test } from 'vitest';
import { constant, variable } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { finish } from '../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import type { OpAttributes, OpName } from '../../compiler/ir/names.ts';
import type { DType } from '../../compiler/ir/types.ts';
import { opNames } from '../../compiler/ops/table.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { rowOf, samples } from '../ops/samples.ts';

// What passes do for every operator of a kind, whichever it is: an operator that is added gets it by its row alone.

/** Computed element by element from tensors alone. */
const elementwise = opNames.filter((op) => {
  const [sample] = samples(op, 1);
  return rowOf(op).elements === 'own' && sample!.inputs.length > 0 && Object.keys(sample!.attributes).length === 0;
});
const dtypesOf = (op: OpName): DType[] => samples(op, 1)[0]!.inputs.map(({ dtype }) => dtype);

function optimised(op: OpName, make: (build: Builder, xs: Value[], apply: (xs: Value[]) => Value) => Value[]): Graph {
  const build = new Builder(Facts.none);
  const shape = [variable('B'), constant(3), constant(4)];
  const xs = dtypesOf(op).map((dtype, i) => build.input(`x${i}`, { dtype, shape }));
  const apply = (operands: Value[]): Value => build.emit(op, operands, {} as OpAttributes[OpName])[0];
  const outputs = make(build, xs, apply).map((value, i) => ({ name: `y${i}`, value, docs: '' }));
  const inputs = xs.map((value, i) => ({ name: `x${i}`, value, docs: '' }));
  const graph = finish({ name: op, docs: '', inputs, outputs, facts: build.facts, guards: [] }, build.nodes);
  return runPipeline(graph, { verify: true });
}
const computing = ({ nodes }: Graph): string[] => nodes.map(({ op }) => op).filter((op) => op !== 'input');

describe.each(elementwise)('%s', (op) => {
  test('transposes on both sides cancel', () => {
    const turned = optimised(op, (build, xs, apply) => [
      build.transpose(apply(xs.map((x) => build.transpose(x, [2, 0, 1]))), [1, 2, 0]),
    ]);
    expect(computing(turned)).not.toContain('transpose');
  });

  test('reshapes on both sides cancel', () => {
    const flat = optimised(op, (build, xs, apply) => {
      const rows = xs.map((x) => build.reshape(x, [variable('B'), constant(12)]));
      return [build.reshape(apply(rows), [variable('B'), constant(3), constant(4)])];
    });
    expect(computing(flat)).not.toContain('reshape');
  });

  test('the same application is computed once', () => {
    const twice = optimised(op, (build, xs, apply) => {
      // Operands that may change places may stand either way.
      const again = rowOf(op).commutes ? [...xs].reverse() : xs;
      return [build.cast(apply(xs), 'i64'), build.cast(apply(again), 'i64')];
    });
    expect(computing(twice).filter((name) => name === op).length).toBeLessThan(2);
  });

  test('of constants it is computed in advance', () => {
    const constants = samples(op, 1)[0]!.inputs;
    const folded = optimised(op, (build, _xs, apply) => [apply(constants.map((tensor) => build.constant(tensor)))]);
    for (const name of computing(folded)) expect(['constant', 'full', 'broadcast', 'reshape']).toContain(name);
  });
});
