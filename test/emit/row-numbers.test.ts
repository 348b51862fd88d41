// slow: large graphs

import { describe, expect, test } from 'vitest';
import { constant } from '../../compiler/dims/dim.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { DType, TensorData } from '../../compiler/ir/types.ts';
import { encodeOnnx } from '../../runtime/onnx/onnx-file.ts';
import { rowNumberCheck } from '../../runtime/ort/row-numbers.ts';
import { openSession } from '../../runtime/ort/session.ts';
import { dim, type GraphBuilder, graphOf, lines } from './onnx/graphs.ts';
import { runTfjs, toHost } from './tfjs/run.ts';

const noWeights = {
  read: (): never => {
    throw new Error('no weights here');
  },
};
type Run = (graph: Graph, feeds: ReadonlyMap<string, TensorData>) => Promise<ReadonlyMap<string, TensorData>>;

/** As commands run it: what is left to the host is looked at there. `serialScatter` chooses between its lowerings. */
const onnx =
  (serialScatter: number, byHost: boolean): Run =>
  async (graph, feeds) => {
    const hostChecks = byHost ? indexInputs(graph) : [];
    const model = emitOnnx(graph, { producerVersion: 'test', serialScatter, hostChecks });
    const session = await openSession(await encodeOnnx(model, noWeights), { device: 'cpu', threads: 1 });
    try {
      const given = Object.fromEntries([...feeds].map(([name, data]) => [name, toHost(data)]));
      if (byHost) rowNumberCheck(graph)(given);
      const results = await session.run(given);
      return new Map(
        Object.entries(results).map(([name, { dtype, shape, data }]) => {
          return [name, tensor(dtype, shape, Array.from(data as ArrayLike<number>, Number))];
        }),
      );
    } finally {
      await session.release();
    }
  };

const targets: readonly (readonly [string, Run])[] = [
  ['onnxruntime, by rows', onnx(Number.POSITIVE_INFINITY, false)],
  ['onnxruntime, by elements', onnx(0, false)],
  ['onnxruntime, the host looking', onnx(0, true)],
  ['tfjs', async (graph, feeds) => (await runTfjs(graph, feeds)).results],
];

const rows = 5;
/** What the index comes as, and what is made of it. */
const indices: readonly (readonly [string, DType, (build: GraphBuilder, given: Value) => Value])[] = [
  ['an input', 'i32', (_build, given) => given],
  ['an i64 input', 'i64', (build, given) => build.cast(given, 'i32')],
  ['an input in another shape', 'i64', (build, given) => build.reshape(build.cast(given, 'i32'), [dim(2), dim(1)])],
  ['computed', 'i32', (build, given) => build.sub(given, build.given('zero', 'i32', 2))],
  ['computed, not negative', 'i32', (build, given) => build.max(given, build.full(0, 'i32', []))],
  ['a part of an input', 'i64', (build, given) => build.slice(build.cast(given, 'i32'), [dim(1)], [dim(2)], [1])],
];
const uses: readonly (readonly [string, (build: GraphBuilder, index: Value) => Value])[] = [
  ['gather of rows', (build, index) => build.gather(build.given('x', 'f32', rows, 4), index)],
  ['gather of numbers', (build, index) => build.gather(build.given('x', 'i32', rows), index)],
  ['gather of truths', (build, index) => build.gather(build.given('x', 'bool', rows, 2), index)],
  ['scatter of rows', (build, index) => build.scatterAdd(index, updates(build, index, 4), constant(rows))],
  ['scatter of numbers', (build, index) => build.scatterAdd(index, updates(build, index), constant(rows))],
];
const updates = (build: GraphBuilder, index: Value, ...row: number[]) =>
  build.given('x', 'f32', ...index.type.shape, ...row);

function feedsOf(graph: Graph, index: readonly number[]): Map<string, TensorData> {
  return new Map(
    graph.inputs.map(({ name, value: { type } }) => {
      const shape = type.shape.map((size) => Number(size.key));
      const count = shape.reduce((a, b) => a * b, 1);
      const numbers = Array.from({ length: count }, (_, i) => (type.dtype === 'bool' ? i % 2 : i + 1));
      return [name, tensor(type.dtype, shape, name === 'index' ? index : name === 'zero' ? [0, 0] : numbers)];
    }),
  );
}

describe.each(targets)('%s', (_target, run) => {
  const cases = indices.flatMap((index) => uses.map((use) => [`${use[0]} by ${index[0]}`, index, use] as const));
  test.each(cases)('%s', async (_name, [kind, dtype, make], [, use]) => {
    const graph = graphOf((build) => ({ y: use(build, make(build, build.given('index', dtype, 2))) }));
    for (const right of [
      [0, 4],
      [4, 4],
    ]) {
      const feeds = feedsOf(graph, right);
      expect((await run(graph, feeds)).get('y')).toEqual(interpret(graph, feeds, noWeights.read).get('y'));
    }
    for (const wrong of [-1, rows, 2 ** 30, -(2 ** 31)]) {
      const isCut = kind === 'computed, not negative' && wrong < 0;
      const result = run(graph, feedsOf(graph, [3, wrong]));
      if (isCut) await expect(result).resolves.toBeDefined();
      else await expect(result, String(wrong)).rejects.toThrow(/must lie in 0\.\.4$|out of range$/);
    }
  });
});

test('rows and their length need not be known', async () => {
  const graph = graphOf((build) => {
    const index = build.add(build.given('index', 'i32', 'K'), build.given('zero', 'i32', 'K'));
    const table = build.given('table', 'f32', 'N', 'C');
    const sum = build.scatterAdd(index, build.given('updates', 'f32', 'K', 'C'), dim('N'));
    return { y: build.add(sum, build.mul(table, table)), z: build.gather(table, index) };
  });
  const ones = (...shape: number[]) => tensor('f32', shape, new Array(shape.reduce((a, b) => a * b)).fill(1));
  for (const serial of [0, Number.POSITIVE_INFINITY])
    for (const wrong of [undefined, -1, 3, 2 ** 30]) {
      const index = tensor('i32', [2], [2, wrong ?? 0]);
      const feeds = new Map(
        Object.entries({ index, zero: tensor('i32', [2], [0, 0]), table: ones(3, 4), updates: ones(2, 4) }),
      );
      const results = onnx(serial, true)(graph, feeds);
      if (wrong === undefined) expect(await results).toEqual(interpret(graph, feeds, noWeights.read));
      else await expect(results).rejects.toThrow(/must lie in 0\.\.2$|out of range$/);
    }
});

test('what is said of it', async () => {
  const graph = graphOf((build) => {
    const index = build.given('index', 'i64', 2, 3);
    return { y: build.gather(build.given('x', 'f32', 5), build.cast(index, 'i32')) };
  });
  const feeds = feedsOf(graph, [0, 1, 2, 3, 4, 7]);
  const message = 'index is 7 at [1, 2]: must lie in 0..4';
  await expect(onnx(0, true)(graph, feeds)).rejects.toThrow(message);
  await expect(runTfjs(graph, feeds)).rejects.toThrow(message);
  const computed = graphOf((build) => {
    build.origin = { span: undefined, path: 'text.table', label: 'gather' };
    const index = build.given('index', 'i32', 2);
    return { y: build.gather(build.given('x', 'f32', 5), build.add(index, index)) };
  });
  const said = async (wrong: number) => {
    const given = feedsOf(computed, [0, wrong]);
    const texts = [onnx(0, true)(computed, given), runTfjs(computed, given)].map((run) =>
      run.then(
        () => 'nothing',
        (error: Error) => error.message,
      ),
    );
    return Promise.all(texts);
  };
  expect(await said(3)).toEqual([
    'the model cannot run with these inputs: an index in text/table/Gather is 6: must lie in 0..4',
    'an index in text.table is 6 at [1]: must lie in 0..4',
  ]);
  expect(await said(-3)).toEqual([
    'the model cannot run with these inputs: an index in text/table/Gather is negative: must lie in 0..4',
    'an index in text.table is -6 at [1]: must lie in 0..4',
  ]);
});

describe('what is in range costs nothing', () => {
  const operators = (graph: Graph, byHost = true) => {
    const hostChecks = byHost ? indexInputs(graph) : [];
    return lines(emitOnnx(graph, { producerVersion: 'test', hostChecks })).map((line) => /= (\w+)/.exec(line)?.[1]);
  };
  const table = (build: GraphBuilder) => build.given('x', 'f32', 'N', 4);

  test.each<[string, (build: GraphBuilder) => Value]>([
    ['all rows', (build) => build.iota(dim('N'))],
    ['an input that the host looks at', (build) => build.cast(build.given('index', 'i64', 'B'), 'i32')],
    ['places of the largest', (build) => build.topk(build.given('score', 'f32', 'B', 'N'), 1)[1]],
  ])('%s', (_name, make) => {
    const ops = operators(graphOf((build) => ({ y: build.gather(table(build), make(build)) })));
    expect(ops).not.toContain('Where');
  });

  test('an index is looked at once, in the run, where no host does', () => {
    const graph = graphOf((build) => {
      const index = build.given('index', 'i32', 3);
      return { a: build.gather(build.given('x', 'f32', 5), index), b: build.gather(build.given('z', 'f32', 7), index) };
    });
    expect(operators(graph, false)).toEqual(['Less', 'Where', 'Gather', 'Gather']);
    expect(indexInputs(graph).map(({ name, rows: n }) => `${name} ${n.key}`)).toEqual(['index 5', 'index 7']);
    expect(operators(graph)).toEqual(['Gather', 'Gather']);
  });
});
