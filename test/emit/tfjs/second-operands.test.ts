import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { constant } from '../../../compiler/dims/dim.ts';
import { emitTfjs } from '../../../compiler/emit/tfjs/emit.ts';
import { generateTfjs } from '../../../compiler/emit/tfjs/generate.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import type { Graph, Value } from '../../../compiler/ir/graph.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { loadTfjs } from '../../../runtime/tfjs/load.ts';
import { importProgram, type State, type Tensor } from '../../../runtime/tfjs/program.ts';
import { expectClose } from '../onnx/closeness.ts';
import { type GraphBuilder, graphOf } from '../onnx/graphs.ts';
import { held, runTfjs, watched } from './run.ts';

const ramp = (...shape: number[]) =>
  tensor(
    'f32',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i - 2),
  );
const shaped = (build: GraphBuilder, x: Value, ...shape: number[]) => build.reshape(x, shape.map(constant));

async function agrees(graph: Graph): Promise<void> {
  const feeds = new Map(
    graph.inputs.map(({ name, value }) => [name, ramp(...value.type.shape.map((dim) => Number(dim.key)))]),
  );
  const { results, leaked } = await runTfjs(graph, feeds);
  const none = (path: string): never => {
    throw new Error(`no weight ${path}`);
  };
  for (const [name, data] of interpret(graph, feeds, none)) expectClose(name, results.get(name)!, data);
  expect(leaked).toBe(0);
}

async function calls(graph: Graph, state: ReadonlyMap<string, string | undefined> = new Map()): Promise<string[]> {
  const text = await generateTfjs(emitTfjs('Test', '', 'sha256:0', [{ name: 'run', docs: '', graph, state }]));
  return text.split('\n').flatMap((line) => (/tf\.(clone|matMul)/.test(line) ? line.trim().replace(/;$/, '') : []));
}

/** A column and a row of the same elements, each the second factor of a product. */
const inTwoShapes = (take: (build: GraphBuilder) => Value) =>
  graphOf((build) => {
    const x = take(build);
    return {
      rows: build.matmul(build.given('a', 'f32', 2, 3), shaped(build, x, 3, 2)),
      columns: build.matmul(build.given('b', 'f32', 3, 2), shaped(build, x, 2, 3)),
    };
  });

describe('the second factor of a product', () => {
  test('is a copy where the same data are multiplied in another shape', async () => {
    const computed = inTwoShapes((build) => build.exp(build.given('x', 'f32', 6)));
    await agrees(computed);
    expect(await calls(computed)).toEqual([
      'const matMul = tf.matMul(a, reshape)',
      'const copy = tf.clone(reshape2)',
      'const matMul2 = tf.matMul(b, copy)',
    ]);
  });

  test('is a copy of what is fed, whose data may be anyone’s', async () => {
    await agrees(inTwoShapes((build) => build.given('x', 'f32', 6)));
    await agrees(inTwoShapes((build) => build.given('x', 'f32', 3, 2)));
    const once = graphOf((build) => ({
      y: build.matmul(build.given('a', 'f32', 2, 3), build.given('w', 'f32', 3, 2)),
    }));
    expect(await calls(once)).toEqual(['const copy = tf.clone(w)', 'const matMul = tf.matMul(a, copy)']);
  });

  test('is what it is where its data have one shape', async () => {
    const graph = graphOf((build) => {
      const x = build.exp(build.given('x', 'f32', 3, 2));
      const a = build.given('a', 'f32', 2, 3);
      const w = build.param('w', 3, 2);
      return { y: build.matmul(a, x), z: build.matmul(build.neg(a), x), v: build.matmul(a, w), u: build.sum(x, [0]) };
    });
    expect((await calls(graph)).filter((line) => line.includes('clone'))).toEqual([]);
  });

  test('of the state is a copy in any shape but its own, in which all programs know it', async () => {
    const graph = graphOf((build) => ({
      y: build.matmul(build.given('a', 'f32', 2, 3), shaped(build, build.param('w', 1, 3), 3, 1)),
    }));
    expect(await calls(graph)).toContain('const copy = tf.clone(reshape)');
  });

  test('is a copy where the data are given out in another shape', async () => {
    const graph = graphOf((build) => {
      const x = build.exp(build.given('x', 'f32', 6));
      return { y: build.matmul(build.given('a', 'f32', 2, 3), shaped(build, x, 3, 2)), x };
    });
    expect(await calls(graph)).toContain('const copy = tf.clone(reshape)');
  });
});

/** w + 1 is multiplied as [3, 2] in the step that makes it, and as [2, 3] in the next one. */
test('new state, multiplied in the step that makes it and in the next', async () => {
  const { tf } = await loadTfjs();
  const graph = graphOf((build) => {
    const w = build.given('w', 'f32', 2, 3);
    const next = build.add(w, build.full(1, 'f32', []));
    return {
      'next:w': next,
      own: build.matmul(build.given('a', 'f32', 1, 2), w),
      turned: build.matmul(build.given('b', 'f32', 1, 3), shaped(build, next, 3, 2)),
    };
  });
  const program = emitTfjs('Test', '', 'sha256:0', [
    { name: 'run', docs: '', graph, state: new Map([['w', 'next:w']]) },
  ]);
  const folder = await mkdtemp(join(tmpdir(), 'crobc-tfjs-'));
  try {
    const module = await importProgram(await generateTfjs(program), folder, 'Test');
    const constants = module.makeConstants(tf);
    const state: State = new Map([['w', tf.tensor([0, 1, 2, 3, 4, 5], [2, 3])]]);
    const feeds = { a: tf.tensor([[1, 1]]), b: tf.tensor([[1, 1, 1]]) };
    const before = held(tf);
    for (const step of [0, 1, 2]) {
      const { own, turned } = module.call('run')(watched(tf), state, constants, feeds);
      expect([...(await own!.data())]).toEqual([3, 5, 7].map((n) => n + 2 * step));
      expect([...(await turned!.data())]).toEqual([6, 9].map((n) => n + 3 * (step + 1)));
      tf.dispose([own!, turned!]);
      expect(held(tf)).toBe(before);
    }
    tf.dispose([...state.values()]);
    tf.dispose(feeds);
    tf.dispose(constants as Record<string, Tensor>);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('matrices of the state that share their data are refused', async () => {
  const { tf } = await loadTfjs();
  const graph = graphOf((build) => ({
    y: build.matmul(build.given('a', 'f32', 1, 3), build.param('w', 3, 2)),
    z: build.matmul(build.given('b', 'f32', 1, 2), build.param('v', 2, 3)),
  }));
  const program = emitTfjs('Test', '', 'sha256:0', [{ name: 'run', docs: '', graph, state: new Map() }]);
  const folder = await mkdtemp(join(tmpdir(), 'crobc-tfjs-'));
  try {
    const module = await importProgram(await generateTfjs(program), folder, 'Test');
    const w = tf.ones([3, 2]);
    const v = tf.reshape(w, [2, 3]);
    const feeds = { a: tf.ones([1, 3]), b: tf.ones([1, 2]) };
    const run = (state: State) => module.call('run')(watched(tf), state, {}, feeds);
    expect(() =>
      run(
        new Map([
          ['w', w],
          ['v', v],
        ]),
      ),
    ).toThrow('v [2,3] shares its data with a matrix [3,2]: put a clone into the state');
    const { y, z } = run(
      new Map([
        ['w', w],
        ['v', tf.clone(v)],
      ]),
    );
    expect([[...(await y!.data())], [...(await z!.data())]]).toEqual([
      [3, 3],
      [2, 2, 2],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
