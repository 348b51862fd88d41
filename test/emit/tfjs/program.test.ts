// slow: compiles generated programs

import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { constant } from '../../../compiler/dims/dim.ts';
import { emitTfjs } from '../../../compiler/emit/tfjs/emit.ts';
import { generateTfjs } from '../../../compiler/emit/tfjs/generate.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { loadTfjs } from '../../../runtime/tfjs/load.ts';
import { importProgram } from '../../../runtime/tfjs/program.ts';
import { strictTypeScript } from '../../strict-typescript.ts';
import { graphOf } from '../onnx/graphs.ts';
import { held, runTfjs } from './run.ts';

const program = (graph: Graph, state: ReadonlyMap<string, string | undefined> = new Map()) =>
  emitTfjs('Test', 'Test */ with the end of a comment', 'sha256:0', [
    { name: 'step', docs: 'One step.', graph, state },
  ]);
const written = async (graph: Graph, state?: ReadonlyMap<string, string | undefined>) => {
  const text = await generateTfjs(program(graph, state));
  return text.slice(text.indexOf('export function step')).split('\n}\n')[0]!.split('\n').slice(1);
};

/** w - rate · x, and its own square as what is given out. */
const updating = () =>
  graphOf((build) => {
    const w = build.given('weight:w', 'f32', 2);
    const x = build.given('x', 'f32', 2);
    build.origin = { span: undefined, path: 'head', label: '' };
    const next = build.sub(w, build.mul(x, build.full(0.5, 'f32', [constant(2)])));
    return { 'next:w': next, square: build.mul(next, next), same: next };
  });

describe('the program', () => {
  test('reads as what it does, and disposes of each tensor at its last use', async () => {
    expect(await written(updating(), new Map([['weight:w', 'next:w']]))).toEqual([
      "  const x = given('x', feeds.x, [2], 'float32');",
      '',
      '  // head',
      '  const mul = tf.mul(x, 0.5);',
      "  const weight_w = take(state, 'weight:w', [2]);",
      '  const sub = tf.sub(weight_w, mul);',
      '  mul.dispose();',
      '  const mul2 = tf.mul(sub, sub);',
      '  const clone = tf.clone(sub);',
      "  replace(state, 'weight:w', clone);",
      '  return { square: mul2, same: sub };',
    ]);
  });

  test('compiles under strict, whatever names hold', async () => {
    const graph = graphOf((build) => {
      const x = build.given('a b*/', 'f32', 2, 3, 4, 4);
      const w = build.given('class', 'f32', 5, 3, 3, 3);
      build.origin = { span: undefined, path: 'a\n*/b', label: '' };
      const window = { stride: [1, 1], pad: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;
      const y = build.conv2d(x, w, window);
      const pooled = build.maxPool2d(y, { kernel: [2, 2], stride: [2, 2], pad: [0, 0, 0, 0] });
      const [values, index] = build.topk(build.reshape(pooled, [constant(10), constant(4)]), 2);
      const rows = build.gather(values, build.constant(tensor('i32', [40], new Int32Array(40).fill(3, 7))));
      return { 'x.y': rows, index, flag: build.le(values, build.full(0, 'f32', [])) };
    });
    const folder = await mkdtemp(join(tmpdir(), 'crobc-tfjs-'));
    try {
      await symlink(resolve('node_modules'), join(folder, 'node_modules'));
      await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
      const path = join(folder, 'Test.ts');
      await writeFile(path, await generateTfjs(program(graph, new Map([['class', undefined]]))));
      const options: ts.CompilerOptions = {
        ...strictTypeScript,
        noUnusedLocals: true,
        noUnusedParameters: true,
        noEmit: true,
      };
      const found = ts.getPreEmitDiagnostics(ts.createProgram([path], options));
      expect(found.map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('replaces the state, gives every output a tensor of its own, and leaves nothing behind', async () => {
    const { tf } = await loadTfjs();
    const folder = await mkdtemp(join(tmpdir(), 'crobc-tfjs-'));
    try {
      const text = await generateTfjs(program(updating(), new Map([['weight:w', 'next:w']])));
      const module = await importProgram(text, folder, 'Test');
      const before = held(tf);
      const state = new Map([['weight:w', tf.tensor([1, 2])]]);
      const x = tf.tensor([2, -2]);
      const outputs = module.call('step')(tf, state, module.makeConstants(tf), { x });
      expect([...(await state.get('weight:w')!.data())]).toEqual([0, 3]);
      expect([...(await outputs.square!.data())]).toEqual([0, 9]);
      tf.dispose(outputs as never);
      tf.dispose([x, ...state.values()]);
      expect(held(tf)).toBe(before);
      const wrong = tf.tensor([1, 2, 3]);
      expect(() => module.call('step')(tf, state, {}, { x: wrong })).toThrow('x is float32[3]: must be float32[2]');
      wrong.dispose();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** Runs one graph and gives its only output. */
async function only(graph: Graph, feeds: Readonly<Record<string, TensorData>>): Promise<number[]> {
  const { results } = await runTfjs(graph, new Map(Object.entries(feeds)));
  return Array.from(results.get('y')!.data);
}

describe('what back ends do differently', () => {
  test('an index that is no row is refused', async () => {
    const graph = graphOf((build) => ({ y: build.gather(build.given('x', 'f32', 3), build.given('i', 'i32', 2)) }));
    const x = tensor('f32', [3], [1, 2, 3]);
    expect(await only(graph, { x, i: tensor('i32', [2], [2, 0]) })).toEqual([3, 1]);
    await expect(only(graph, { x, i: tensor('i32', [2], [0, 3]) })).rejects.toThrow('i is 3 at [1]: must lie in 0..2');
  });

  test('a fraction is true', async () => {
    const graph = graphOf((build) => ({ y: build.cast(build.given('x', 'f32', 3), 'bool') }));
    expect(await only(graph, { x: tensor('f32', [3], [0.5, 0, -0.25]) })).toEqual([1, 0, 1]);
  });

  test('equal elements come in the order of their places', async () => {
    const graph = graphOf((build) => ({ y: build.topk(build.given('x', 'f32', 6), 4)[1] }));
    expect(await only(graph, { x: tensor('f32', [6], [1, 3, 1, 3, 3, 1]) })).toEqual([1, 3, 4, 0]);
  });

  test('seven axes broadcast', async () => {
    const sizes = [2, 1, 2, 1, 2, 1, 2];
    const other = [1, 2, 1, 2, 1, 2, 1];
    const graph = graphOf((build) => ({
      y: build.sub(build.given('a', 'f32', ...sizes), build.given('b', 'f32', ...other)),
    }));
    const a = Array.from({ length: 16 }, (_, i) => 2 ** i);
    const b = Array.from({ length: 8 }, (_, i) => i / 8);
    const wanted = Array.from({ length: 128 }, (_, i) => {
      const bit = (place: number) => (i >> (6 - place)) & 1;
      const left = bit(0) * 8 + bit(2) * 4 + bit(4) * 2 + bit(6);
      return a[left]! - b[bit(1) * 4 + bit(3) * 2 + bit(5)]!;
    });
    expect(await only(graph, { a: tensor('f32', sizes, a), b: tensor('f32', other, b) })).toEqual(wanted);
  });

  test('batches of large matrices', async () => {
    const [many, n] = [3, 64];
    const graph = graphOf((build) => ({
      y: build.matmul(build.given('a', 'f32', many, n, n), build.given('b', 'f32', many, n, n)),
    }));
    const numbers = (by: number) => Array.from({ length: many * n * n }, (_, i) => ((i * by) % 7) - 3);
    const [a, b] = [numbers(3), numbers(5)];
    const y = await only(graph, { a: tensor('f32', [many, n, n], a), b: tensor('f32', [many, n, n], b) });
    for (const [image, row, column] of [
      [0, 0, 0],
      [1, 5, 63],
      [2, 63, 7],
    ] as const) {
      const at = (i: number, j: number) => image * n * n + i * n + j;
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[at(row, k)]! * b[at(k, column)]!;
      expect(y[at(row, column)]).toBe(sum);
    }
  });
});
