import { readFileSync } from 'node:fs';
import onnxProto from 'onnx-proto';
import { expect, test } from 'vitest';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { temporaryFolder } from '../../runtime/temporary-folder.ts';
import { emitted, graphOf } from './graphs.ts';
import { openOnnx, runOnnx } from './session.ts';

const at = temporaryFolder();

test('a barrier keeps the bits of what passes it, whatever the signal is', async () => {
  const graph = graphOf((build) => {
    const [x, signal] = [build.given('x', 'f32', 6), build.given('signal', 'f32', 2, 2)];
    return { y: build.barrier(build.neg(x), signal) };
  });
  const numbers = [0, 1.5, Number.POSITIVE_INFINITY, Number.NaN, 2 ** -140, -0];
  for (const number of [0, -0, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 127, 2 ** -149]) {
    const feeds = new Map([
      ['x', tensor('f32', [6], numbers)],
      ['signal', tensor('f32', [2, 2], [number, 1, 2, 3])],
    ]);
    const y = (await runOnnx(emitted(graph), feeds)).get('y')!;
    for (const [i, n] of numbers.entries()) expect(y.data[i], `${n} with ${number}`).toBe(-n);
  }
});

test.each(['bool', 'u8', 'i32', 'i64'] as const)('a barrier of %s', async (dtype) => {
  const graph = graphOf((build) => ({
    y: build.barrier(build.given('x', dtype, 3), build.given('signal', 'f32')),
  }));
  const x = tensor(dtype, [3], [1, 0, 1]);
  const feeds = new Map([
    ['x', x],
    ['signal', tensor('f32', [], [Number.NaN])],
  ]);
  expect([...(await runOnnx(emitted(graph), feeds)).get('y')!.data].map(Number)).toEqual([1, 0, 1]);
});

test('onnxruntime computes twice what is on both sides of a barrier, and once what has the same signal', async () => {
  const graph = graphOf((build) => {
    const [x, signal] = [build.given('x', 'f32', 4, 4), build.given('signal', 'f32', 4)];
    const twice = [x, build.barrier(x, signal), build.barrier(build.neg(x), signal)];
    return Object.fromEntries(twice.map((one, i) => [`y${i}`, build.exp(build.sin(one))]));
  });
  const path = at('optimised.onnx');
  const options = { logSeverityLevel: 3, optimizedModelFilePath: path, graphOptimizationLevel: 'all' } as const;
  await (await openOnnx(emitted(graph), undefined, options)).release();
  const ops = onnxProto.onnx.ModelProto.decode(readFileSync(path)).graph!.node!.map(({ opType }) => opType);
  expect(ops.filter((op) => op === 'Sin')).toHaveLength(3);
  expect(ops.filter((op) => op === 'Pow')).toHaveLength(1);
});
