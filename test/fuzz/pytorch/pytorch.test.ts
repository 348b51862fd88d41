// slow: starts PyTorch

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { evaluate } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { finish } from '../../../compiler/graphs/rebuild.ts';
import type { Node, Value } from '../../../compiler/ir/graph.ts';
import type { OpName } from '../../../compiler/ir/names.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { seededRandom, seedOf } from '../../../compiler/ops/random.ts';
import type { Sample } from '../../../compiler/ops/row.ts';
import { floats } from '../../../compiler/ops/sampling.ts';
import { opNames } from '../../../compiler/ops/table.ts';
import { gradients } from '../../../compiler/passes/differentiate.ts';
import { GraphBuilder } from '../../emit/onnx/graphs.ts';
import { kinkCases } from '../../gradients/kinks.ts';
import { samples } from '../../ops/samples.ts';
import { difference } from '../compare/close.ts';
import { drawProgram } from '../draw/program.ts';
import { tried } from '../worker.ts';
import { findPyTorch, PyTorch } from './python.ts';
import { requestOf } from './request.ts';

const file = new URL('operators.py', import.meta.url);

test('operators.py has an entry for every operator, and no other', () => {
  const [, table = ''] = readFileSync(file, 'utf8').split('OPERATORS = {');
  const names = [...table.matchAll(/^ {4}"(\w+)":/gm)].map(([, name]) => name);
  expect(names.sort()).toEqual([...opNames].sort());
});

test('a Python that does not start has no PyTorch', async () => {
  expect(await findPyTorch('no-such-python')).toEqual({ absent: expect.stringContaining('no-such-python') });
});

const found = await findPyTorch();

describe.skipIf('absent' in found)('with PyTorch', () => {
  const pytorch = new PyTorch('absent' in found ? '' : found.python);
  afterAll(() => pytorch.end());

  /** The results of an operator, and the gradients of their sum, weighed, in its float operands; both must be PyTorch's. */
  async function compared(op: OpName, { inputs, attributes }: Sample<OpName>): Promise<string | undefined> {
    const build = new GraphBuilder(Facts.none);
    const given = inputs.map(({ dtype, shape }, i) => build.given(`x${i}`, dtype, ...shape));
    const results = build.emit(op, given, attributes);
    const random = seededRandom(seedOf(op));
    const terms = results
      .filter(({ type }) => type.dtype === 'f32')
      .map((y) => {
        const shape = y.type.shape.map((dim) => evaluate(dim, none));
        const weighed = build.mul(y, build.constant(floats(random, shape, 0.5, 2)));
        return shape.length === 0 ? weighed : build.sum(weighed, [...shape.keys()], false);
      });
    const [first, ...rest] = terms;
    const loss = first && rest.reduce<Value>((sum, term) => build.add(sum, term), first);
    const floatInputs = given.filter(({ type }) => type.dtype === 'f32');
    const slopes = loss ? gradients(build, loss, floatInputs) : new Map<Value, Value>();
    const outputs = [...results, ...(loss ? [loss] : [])];
    const named = (value: Value, i: number) => ({ name: String(i), value, docs: '' });
    const wanted = [
      ...outputs,
      ...(loss ? floatInputs.map((x) => slopes.get(x) ?? build.mul(x, build.full(0, 'f32', []))) : []),
    ];
    const feeds = new Map(inputs.map((x, i) => [`x${i}`, x]));
    const inGraph = given.map((value, i) => ({ name: `x${i}`, value, docs: '' }));
    const parts = { name: '', docs: '', inputs: inGraph, facts: Facts.none, guards: [] };
    const graph = finish({ ...parts, outputs: wanted.map(named) }, build.nodes);
    const ours = [...interpret(graph, feeds, none).values()];
    const forward = finish({ ...parts, outputs: outputs.map(named) }, build.nodes);
    const theirs = await pytorch.evaluate(
      requestOf({
        nodes: forward.nodes,
        outputs,
        loss,
        given: (node: Node): TensorData => (node.op === 'input' ? feeds.get(node.attributes.name)! : none()),
        learns: (node: Node) => loss !== undefined && node.outputs[0].type.dtype === 'f32' && node.op === 'input',
        size: none,
      }),
    );
    if (theirs.kind === 'unclear') return undefined;
    for (const [i, want] of theirs.tensors.entries()) {
      const what = i < outputs.length ? `result ${i}` : `gradient ${i - outputs.length}`;
      const wrong = difference(what, ours[i], want, 1e-9, 1e-9);
      if (wrong !== undefined) return wrong;
    }
    return theirs.tensors.length === wanted.length ? undefined : 'there are other results';
  }

  test.each(opNames)('%s is PyTorch’s, in results and gradients', async (op) => {
    for (const sample of samples(op, 30)) expect(await compared(op, sample), JSON.stringify(sample)).toBeUndefined();
  });

  test.each(Object.keys(kinkCases) as OpName[])('%s is PyTorch’s where it has no derivative', async (op) => {
    for (const sample of kinkCases[op]!) expect(await compared(op, sample), JSON.stringify(sample)).toBeUndefined();
  });

  test('what its operators refuse is a failure, and the next graph is evaluated', async () => {
    const build = new GraphBuilder(Facts.none);
    const x = build.given('x', 'f32', 2);
    const half = build.cast(x, 'f16');
    const ask = (value: Value) =>
      pytorch.evaluate(
        requestOf({
          nodes: [x.node, ...(value === x ? [] : [value.node])],
          outputs: [value],
          loss: undefined,
          given: () => ({ dtype: 'f32', shape: [2], data: Float64Array.of(1, 2) }),
          learns: () => false,
          size: none,
        }),
      );
    await expect(ask(half)).rejects.toThrow('there is no f16 here');
    expect(await ask(x)).toMatchObject({ kind: 'results', tensors: [{ shape: [2] }] });
  });

  test('programs are compared with it', async () => {
    const seed = Array.from({ length: 100 }, (_, i) => i + 1).find((i) => drawProgram(i).recipe)!;
    const { failure, counts } = await tried(seed, pytorch);
    expect(failure).toBeUndefined();
    expect(counts.PyTorch).toBe(4);
  });
});

const none = (): never => {
  throw new Error('everything is given');
};
