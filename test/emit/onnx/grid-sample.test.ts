import { expect, test } from 'vitest';
import { constant, mul, variable } from '../../../compiler/dims/dim.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { scalar } from '../../../compiler/ir/tensor-data.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { floats } from '../../../compiler/ops/sampling.ts';
import { expectClose } from './closeness.ts';
import { emitted, graphOf, lines } from './graphs.ts';
import { runOnnx } from './session.ts';

const [B, P] = [variable('B'), variable('P')];
const n = constant;

/** Offsets in rows of four points, moved by fixed places, as deformable attention makes them. */
const rows = graphOf((build) => {
  const places = build.constant(floats(seededRandom(7), [4, 5, 2], 0, 5));
  const at = build.add(places, build.given('offsets', 'f32', 'B', 4, 5, 2));
  const sampled = build.gridSample(build.given('x', 'f32', 'B', 3, 6, 8), build.reshape(at, [B, n(20), n(2)]));
  return { y: build.neg(build.reshape(sampled, [B, n(3), n(4), n(5)])) };
});

/** The same as planes of x and of y, by channels first. */
const planes = graphOf((build) => {
  const places = build.constant(floats(seededRandom(7), [2, 1, 5], 0, 5));
  const at = build.add(build.given('offsets', 'f32', 'B', 2, 4, 5), places);
  const points = build.transpose(build.reshape(at, [B, n(2), n(20)]), [0, 2, 1]);
  const sampled = build.gridSample(build.given('x', 'f32', 'B', 3, 6, 8), points);
  return { y: build.neg(build.reshape(sampled, [B, n(3), n(4), n(5)])) };
});

test('planes of points are transposed once', () => {
  expect(lines(emitted(planes)).map((line) => line.replace(/\(.*/, ''))).toEqual([
    'Mul = Mul',
    'Add = Add',
    'Transpose = Transpose',
    'GridSample = GridSample',
    'y = Neg',
  ]);
});

test('rows of points stay rows, and a fixed shift is added with the normalisation', () => {
  expect(lines(emitted(rows)).map((line) => line.replace(/\(.*/, ''))).toEqual([
    'Mul = Mul',
    'Add = Add',
    'GridSample = GridSample',
    'y = Neg',
  ]);
});

test('the results of rows and planes of points, under every shape', async () => {
  const flat = graphOf((build) => {
    const at = build.given('offsets', 'f32', 'B', 4, 5, 2);
    const sampled = build.gridSample(build.given('x', 'f32', 'B', 3, 'H', 'W'), build.reshape(at, [B, n(20), n(2)]));
    return { y: build.reshape(sampled, [mul(B, n(3)), n(20)]), flat: sampled };
  });
  const columns = graphOf((build) => {
    const at = build.add(build.given('offsets', 'f32', 'B', 2, 'P'), build.constant(floats(seededRandom(7), [2, 1])));
    const x = build.given('x', 'f32', 'B', 3, 6, 8);
    return { y: build.gridSample(x, build.transpose(at, [0, 2, 1])) };
  });
  const anySize = graphOf((build) => {
    const at = build.reshape(build.given('offsets', 'f32', 'B', 2, 4, 5), [B, n(2), n(20)]);
    return { y: build.gridSample(build.given('x', 'f32', 'B', 3, 'H', 'W'), build.transpose(at, [0, 2, 1])) };
  });
  const random = seededRandom(8);
  const shapes = [
    [4, 5, 2],
    [4, 5, 2],
    [2, 4, 5],
    [2, 9],
    [2, 4, 5],
  ];
  for (const [i, graph] of [rows, flat, planes, columns, anySize].entries()) {
    const feeds = new Map([
      ['offsets', floats(random, [2, ...shapes[i]!], -3, 5)],
      ['x', floats(random, [2, 3, 6, 8])],
    ]);
    const actual = await runOnnx(emitted(graph), feeds);
    for (const [name, want] of interpret(graph, feeds, () => scalar('f32', 0)))
      expectClose(name, actual.get(name)!, want);
  }
});

test('an addition that something else needs is emitted for it', () => {
  const shared = graphOf((build) => {
    const shift = build.constant(floats(seededRandom(9), [2]));
    const at = build.add(build.given('at', 'f32', 'B', 'P', 2), shift);
    const x = build.given('x', 'f32', 'B', 3, 6, 8);
    return { y: build.gridSample(x, at), z: build.neg(build.reshape(at, [B, mul(P, n(2))])) };
  });
  expect(lines(emitted(shared)).map((line) => line.replace(/\(.*/, ''))).toEqual([
    'Add = Add',
    'Mul = Mul',
    'Add_1 = Add',
    'Reshape = Reshape',
    'GridSample = GridSample',
    'Reshape_1 = Reshape',
    'z = Neg',
    'y = Reshape',
  ]);
});
