// slow: large sums in onnxruntime

import { expect, test } from 'vitest';
import { constant, variable } from '../../../compiler/dims/dim.ts';
import { type Clause, Facts } from '../../../compiler/dims/facts.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { scalar, tensor } from '../../../compiler/ir/tensor-data.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { floats } from '../../../compiler/ops/sampling.ts';
import { ops } from '../../../compiler/ops/table.ts';
import { toHalf } from '../../../compiler/passes/half.ts';
import { expectClose } from './closeness.ts';
import { emitted, GraphBuilder, lines } from './graphs.ts';
import { runOnnx } from './session.ts';

const noWeights = () => scalar('f32', 0);

/** A convolution and both its gradients in one graph, over images of symbolic size. */
function trained(
  attributes: Parameters<typeof ops.conv2d.reference>[1],
  channels: number,
  w: readonly number[],
  facts: Facts,
) {
  const build = new GraphBuilder(facts);
  const image = build.given('x', 'f32', 'B', channels, 'H', 'W');
  const weights = build.given('w', 'f32', ...w);
  const y = build.conv2d(image, weights, attributes);
  const [dx] = build.emit('conv2d_dx', [y, weights], { ...attributes, shape: image.type.shape });
  const [dw] = build.emit('conv2d_dw', [image, y], { ...attributes, kernel: [w[2]!, w[3]!] });
  return build.graph({ y, dx: dx!, dw: dw! });
}

test('convolutions and their gradients over images of any size', async () => {
  const random = seededRandom(5);
  for (let i = 0; i < 40; i++) {
    const { inputs, attributes } = ops.conv2d.sample(random);
    const [x, w] = inputs.map(({ shape }) => shape) as [number[], number[]];
    // The facts that let the window fit.
    const atLeast = (name: string, size: number): Clause => ({
      kind: 'le',
      left: constant(size),
      right: variable(name),
    });
    const facts = Facts.none.assume(atLeast('H', x[2]!)).assume(atLeast('W', x[3]!));
    const graph = trained(attributes, x[1]!, w, facts);
    const model = emitted(graph);
    for (const grown of [0, 1, 2]) {
      const shape = [x[0]! + grown, x[1]!, x[2]! + grown, x[3]! + 2 * grown];
      const feeds = new Map([
        ['x', floats(random, shape)],
        ['w', floats(random, w)],
      ]);
      const [actual, expected] = [await runOnnx(model, feeds), interpret(graph, feeds, noWeights)];
      for (const [name, data] of expected) expectClose(name, actual.get(name)!, data);
    }
  }
});

test('rows that no window reached are output_padding where their number is known', () => {
  const attributes = { stride: [2, 2], pad: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;
  const even = (name: string): Clause => ({ kind: 'mod', value: variable(name), modulus: 2, remainder: 0 });
  const text = lines(emitted(trained(attributes, 4, [8, 4, 3, 3], Facts.none.assume(even('H')).assume(even('W')))));
  expect(text.filter((line) => line.includes('ConvTranspose'))).toEqual([
    'dx = ConvTranspose(y, w, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])',
  ]);
});

test('padding that differs from side to side is cropped apart: the CUDA provider has no kernel for it', () => {
  const attributes = { stride: [2, 2], pad: [0, 0, 1, 1], dilation: [1, 1], groups: 1 } as const;
  const even = (name: string): Clause => ({ kind: 'mod', value: variable(name), modulus: 2, remainder: 0 });
  const text = lines(emitted(trained(attributes, 4, [8, 4, 3, 3], Facts.none.assume(even('H')).assume(even('W')))));
  const [transposed] = text.filter((line) => line.includes('ConvTranspose'));
  expect(transposed).toMatch(/ConvTranspose\(y, w, kernel_shape=\[3, 3\], strides=\[2, 2\]\)$/);
  expect(text.find((line) => line.startsWith('dx = '))).toContain('Pad(');
});

test('updates to one row add up, from however many threads', async () => {
  const build = new GraphBuilder(Facts.none);
  const rows = constant(7);
  const total = build.scatterAdd(build.given('index', 'i32', 'N'), build.given('updates', 'f32', 'N', 16), rows);
  const graph = build.graph({ total });
  const [n, random] = [50_000, seededRandom(6)];
  const index = Int32Array.from({ length: n }, () => random.int(0, 6));
  const feeds = new Map([
    ['index', tensor('i32', [n], index)],
    ['updates', tensor('f32', [n, 16], new Float64Array(16 * n).fill(1))],
  ]);
  expect((await runOnnx(emitted(graph), feeds)).get('total')).toEqual(interpret(graph, feeds, noWeights).get('total'));
});

test.each([
  ['a symbolic image', 'H'],
  ['an image of a known size', 5],
  ['an image of a known size, in half precision', 5, true],
])('over %s with a padded kernel', async (_, height, isHalf = false) => {
  const random = seededRandom(7);
  const build = new GraphBuilder(Facts.none.assume({ kind: 'le', left: constant(3), right: variable('H') }));
  const image = build.given('x', 'f32', 1, 2, height, 5);
  const kernel = build.given('w', 'f32', 3, 2, 1, 3);
  const nothing = [0, 0, 0, 0].map(constant);
  const padded = build.pad(kernel, [0, 0, 1, 0].map(constant), [0, 0, 1, 0].map(constant), 0);
  const window = { stride: [1, 1], pad: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const;
  const y = build.conv2d(build.pad(image, nothing, [0, 0, 1, 0].map(constant), 0), padded, window);
  const whole = build.graph({ y });
  const graph = isHalf ? toHalf(whole, { type: 'f16' }) : whole;
  const feeds = new Map([
    ['x', floats(random, [1, 2, 5, 5])],
    ['w', floats(random, [3, 2, 1, 3])],
  ]);
  const actual = await runOnnx(emitted(graph), feeds);
  expectClose('y', actual.get('y')!, interpret(graph, feeds, noWeights).get('y')!, isHalf ? 1e-2 : 1e-5);
});

test.each([
  ['one zero in front', 1, 0, 2],
  ['zeros on both sides', 1, 1, 3],
  ['as many zeros as the window is wide', 2, 0, 2],
])('the largest of negative numbers with %s', async (_, low, high, width) => {
  const random = seededRandom(9);
  const build = new GraphBuilder(Facts.none);
  const image = build.given('x', 'f32', 'B', 2, 4, 5);
  const below = build.sub(build.neg(build.abs(image)), build.full(1, 'f32', []));
  const padded = build.pad(below, [0, 0, 0, low].map(constant), [0, 0, 0, high].map(constant), 0);
  const y = build.maxPool2d(padded, { kernel: [1, width], stride: [1, 1], pad: [0, 0, 0, 0] });
  const graph = build.graph({ y });
  const feeds = new Map([['x', floats(random, [2, 2, 4, 5])]]);
  const actual = await runOnnx(emitted(graph), feeds);
  expectClose('y', actual.get('y')!, interpret(graph, feeds, noWeights).get('y')!);
});

test('a product reads a cast of a reshape of a transpose: onnxruntime ended the process when the cast came last', async () => {
  const build = new GraphBuilder(Facts.none);
  const moved = build.reshape(build.transpose(build.given('x', 'bool', 2, 2), [1, 0]), [1, 2, 2].map(constant));
  const halves = build.full(0.5, 'f32', [2, 1, 2, 3].map(constant));
  const graph = build.graph({ y: build.matmul(build.cast(moved, 'f32'), halves) });
  expect(lines(emitted(graph)).filter((line) => / = (Cast|Transpose|Unsqueeze|Reshape)\(/.test(line))).toEqual([
    expect.stringMatching(/^\S+ = Cast\(x, /),
    expect.stringMatching(/^\S+ = Transpose\(\S*Cast\S*, perm=\[1, 0\]\)$/),
    expect.stringMatching(/^\S+ = (Unsqueeze|Reshape)\(\S*Transpose\S*, /),
  ]);
  const feeds = new Map([['x', tensor('bool', [2, 2], Uint8Array.of(1, 0, 1, 1))]]);
  expectClose('y', (await runOnnx(emitted(graph), feeds)).get('y')!, interpret(graph, feeds, noWeights).get('y')!);
});

test('a product reads a cast of a transpose: onnxruntime ended the process when the cast came last', async () => {
  const build = new GraphBuilder(Facts.none);
  const whole = build.given('x', 'i32', 'B', 2, 3);
  const moved = build.cast(build.transpose(whole, [1, 0, 2]), 'f32');
  const halves = build.full(0.5, 'f32', [constant(3), variable('B')]);
  const y = build.slice(build.matmul(halves, moved), [0, 0, 2].map(constant), [2, 3, 3].map(constant), [1, 1, 1]);
  const graph = build.graph({ y: build.reshape(y, [constant(2), constant(3)]) });
  expect(lines(emitted(graph)).filter((line) => / = (Cast|Transpose)\(/.test(line))).toEqual([
    expect.stringMatching(/^\S+ = Cast\(x, /),
    expect.stringMatching(/^\S+ = Transpose\(\S*Cast\S*, perm=\[1, 0, 2\]\)$/),
  ]);
  const feeds = new Map([
    [
      'x',
      tensor(
        'i32',
        [2, 2, 3],
        Int32Array.from({ length: 12 }, (_, i) => i),
      ),
    ],
  ]);
  expectClose('y', (await runOnnx(emitted(graph), feeds)).get('y')!, interpret(graph, feeds, noWeights).get('y')!);
});
