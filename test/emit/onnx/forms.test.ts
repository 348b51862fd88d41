import { describe, expect, test } from 'vitest';
import {
  add,
  ceilDiv,
  constant,
  floorDiv,
  max,
  min,
  mul,
  negate,
  one,
  sub,
  variable,
  zero,
} from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import type { Value } from '../../../compiler/ir/graph.ts';
import { scalar, tensor } from '../../../compiler/ir/tensor-data.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { floats } from '../../../compiler/ops/sampling.ts';
import { expectClose } from './closeness.ts';
import { emitted, type GraphBuilder, graphOf, lines } from './graphs.ts';
import { runOnnx } from './session.ts';

const [B, H, W] = [variable('B'), variable('H'), variable('W')];
const n = constant;

function form(outputs: (build: GraphBuilder) => Readonly<Record<string, Value>>, facts?: Facts): string[] {
  return lines(emitted(graphOf(outputs, facts)));
}

describe('reshape', () => {
  test('a size that stays is 0, one that is left is -1, known ones are numbers', () => {
    expect(
      form((build) => {
        const x = build.given('x', 'f32', 'B', 24, 24, 96);
        return { y: build.reshape(x, [mul(B, n(16)), n(36), n(96)]), z: build.reshape(x, [B, n(2), n(288), n(96)]) };
      }),
    ).toEqual(['y = Reshape(x, [-1, 36, 96])', 'z = Reshape(x, [0, 2, 288, 96])']);
  });

  test('axes of size 1 come and go without sizes', () => {
    expect(
      form((build) => {
        const x = build.given('x', 'f32', 'B', 'H', 'W');
        return { y: build.reshape(x, [B, one, H, one, W]) };
      }),
    ).toEqual(['y = Unsqueeze(x, [1, 3])']);
  });

  test('of several sizes that are left, all but one are computed, each once', () => {
    const facts = Facts.none
      .assume({ kind: 'mod', value: H, modulus: 4, remainder: 0 })
      .assume({ kind: 'mod', value: W, modulus: 4, remainder: 0 });
    const [h, w] = [floorDiv(H, 4), floorDiv(W, 4)];
    const text = form((build) => {
      const x = build.given('x', 'f32', 'B', 'H', 'W', 8);
      const windows = build.reshape(x, [B, h, n(4), w, n(4), n(8)]);
      return { y: windows, z: build.reshape(build.relu(windows), [mul(B, h), n(4), w, n(32)]) };
    }, facts);
    expect(text).toEqual([
      'dims/Shape = Shape(x, start=2, end=3)',
      'dims/Div = Div(dims/Shape, [4])',
      'dims/Concat = Concat([0, -1, 4], dims/Div, [4, 8], axis=0)',
      'y = Reshape(x, dims/Concat)',
      'Relu = Relu(y)',
      'dims/Concat_1 = Concat([-1, 4], dims/Div, [32], axis=0)',
      'z = Reshape(Relu, dims/Concat_1)',
    ]);
  });
});

describe('layer norm', () => {
  const residual = graphOf((build) => {
    const sum = build.add(build.given('x', 'f32', 'B', 'H', 8), build.given('s', 'f32', 'B', 'H', 8));
    const y = build.layerNorm(sum, build.param('scale', 8), build.param('bias', 8), 1e-5);
    return { y: build.relu(y), rows: build.reshape(y, [mul(B, H), n(8)]) };
  });

  test('rows of a sum have four axes, so that onnxruntime does not fuse them', () => {
    expect(lines(emitted(residual))).toEqual([
      'Add = Add(x, s)',
      'Reshape = Reshape(Add, [0, 1, -1, 8])',
      'LayerNormalization = LayerNormalization(Reshape, scale, bias, axis=-1, epsilon=0.00001)',
      'Reshape_1 = Reshape(LayerNormalization, [0, -1, 8])',
      'y = Relu(Reshape_1)',
      'rows = Reshape(LayerNormalization, [-1, 8])',
    ]);
  });

  test('other operands stay as they are', () => {
    expect(
      form((build) => ({
        y: build.layerNorm(build.given('x', 'f32', 'B', 'H', 8), build.param('scale', 8), build.param('bias', 8), 1e-5),
      })),
    ).toEqual(['y = LayerNormalization(x, scale, bias, axis=-1, epsilon=0.00001)']);
  });

  test('the same numbers', async () => {
    const random = seededRandom(5);
    const feeds = new Map(['x', 's'].map((name) => [name, floats(random, [2, 3, 8])]));
    const weights = new Map(['scale', 'bias'].map((name) => [name, floats(random, [8])]));
    const read = async (path: string) => Float32Array.from(weights.get(path)!.data);
    const actual = await runOnnx(emitted(residual), feeds, { read });
    for (const [name, want] of interpret(residual, feeds, (path) => weights.get(path)!))
      expectClose(name, actual.get(name)!, want);
  });
});

describe('mean', () => {
  const means = graphOf((build) => {
    const x = build.given('x', 'f32', 'B', 6, 4);
    return { kept: build.mean(x, [1], true), dropped: build.relu(build.mean(build.neg(x), [1])) };
  });

  test('over rows of a known number is a product with a row', () => {
    expect(lines(emitted(means))).toEqual([
      'dims/ConstantOfShape = ConstantOfShape([1, 6], value=[0.16666666666666666])',
      'kept = MatMul(dims/ConstantOfShape, x)',
      'Neg = Neg(x)',
      'MatMul_1 = MatMul(dims/ConstantOfShape, Neg)',
      'Reshape = Reshape(MatMul_1, [0, 4])',
      'dropped = Relu(Reshape)',
    ]);
  });

  test('along other axes, and over a number that is not known, it is ReduceMean', () => {
    expect(
      form((build) => {
        const x = build.given('x', 'f32', 2, 'N', 4);
        return { last: build.mean(x, [2]), rows: build.mean(x, [1]), both: build.mean(x, [1, 2]) };
      }),
    ).toEqual([
      'last = ReduceMean(x, [2], keepdims=0)',
      'rows = ReduceMean(x, [1], keepdims=0)',
      'ReduceMean_2 = ReduceMean(x, [2])',
      'both = ReduceMean(ReduceMean_2, [1, 2], keepdims=0)',
    ]);
  });

  test('the same numbers', async () => {
    const feeds = new Map([['x', floats(seededRandom(6), [2, 6, 4])]]);
    const actual = await runOnnx(emitted(means), feeds);
    for (const [name, want] of interpret(means, feeds, () => scalar('f32', 0)))
      expectClose(name, actual.get(name)!, want);
  });
});

describe('shape arithmetic', () => {
  test('neighbouring dims of one input are read at once', () => {
    expect(
      form((build) => {
        const x = build.given('x', 'f32', 'B', 3, 'H', 'W');
        return {
          y: build.broadcast(build.reshape(x, [B, n(3), one, H, W]), [B, n(3), H, H, W]),
          z: build.full(0, 'f32', [H, W]),
        };
      }).filter((line) => line.startsWith('dims') || line.startsWith('z')),
    ).toEqual([
      'dims/Shape = Shape(x, start=2, end=3)',
      'dims/Concat = Concat([1, 1], dims/Shape, [1, 1], axis=0)',
      'dims/Shape_1 = Shape(x, start=2, end=4)',
      'z = ConstantOfShape(dims/Shape_1, value=[0])',
    ]);
  });

  test('a polynomial and its parts are computed once', () => {
    const half = floorDiv(H, 2);
    expect(
      form((build) => {
        const x = build.given('x', 'f32', 'B', 'H');
        const y = build.cast(build.dim(add(mul(n(2), mul(B, half)), n(-3))), 'f32');
        return { negated: build.neg(x), y, z: build.dim(mul(B, half)) };
      }),
    ).toEqual([
      'negated = Neg(x)',
      'dims/Shape = Shape(x, start=0, end=1)',
      'dims/Shape_1 = Shape(x, start=1, end=2)',
      'dims/Div = Div(dims/Shape_1, [2])',
      'dims/Mul = Mul(dims/Shape, dims/Div)',
      'dims/Mul_1 = Mul(dims/Mul, [2])',
      'dims/Sub = Sub(dims/Mul_1, [3])',
      'dims/Squeeze = Squeeze(dims/Sub, [0])',
      'y = Cast(dims/Squeeze, to=1)',
      'dims/Squeeze_1 = Squeeze(dims/Mul, [0])',
      'z = Cast(dims/Squeeze_1, to=6)',
    ]);
  });

  test('rounding up a size that divides is dividing it', () => {
    const text = (facts: Facts) =>
      form((build) => {
        build.given('x', 'f32', 'H');
        return { y: build.dim(ceilDiv(add(H, n(-4)), 4)) };
      }, facts).slice(1, -2);
    const whole = Facts.none.assume({ kind: 'mod', value: H, modulus: 8, remainder: 0 });
    expect(text(whole)).toEqual(['dims/Div = Div(dims/Shape, [4])', 'dims/Sub = Sub(dims/Div, [1])']);
    expect(text(Facts.none)).toEqual([
      'dims/Add = Add(dims/Shape, [3])',
      'dims/Div = Div(dims/Add, [4])',
      'dims/Sub = Sub(dims/Div, [1])',
    ]);
  });

  test('what may be negative is rounded down, not towards zero', async () => {
    const graph = graphOf((build) => {
      const x = build.given('x', 'f32', 'H');
      // floor((3 - H)/2), floor((3 - H)/2)·H and min(3 - H, -H·H): every kind of part, negative ones too.
      const low = sub(n(3), H);
      const dims = {
        a: floorDiv(low, 2),
        b: mul(floorDiv(low, 2), H),
        c: min(low, negate(mul(H, H))),
        d: max(low, n(-2)),
      };
      return { y: build.neg(x), ...Object.fromEntries(Object.entries(dims).map(([name, d]) => [name, build.dim(d)])) };
    });
    for (const size of [1, 2, 6, 9]) {
      const feeds = new Map([['x', tensor('f32', [size], new Float64Array(size))]]);
      expect(await runOnnx(emitted(graph), feeds)).toEqual(interpret(graph, feeds, () => scalar('f32', 0)));
    }
  });

  test('a dim that stands in a product only is solved for', () => {
    expect(
      form((build) => ({
        y: build.broadcast(build.given('x', 'f32', add(mul(n(4), H), n(3)), 1), [add(mul(n(4), H), n(3)), H]),
      })),
    ).toEqual([
      'dims/Shape = Shape(x, start=0, end=1)',
      'dims/Sub = Sub(dims/Shape, [3])',
      'dims/Div = Div(dims/Sub, [4])',
      'dims/Concat = Concat([1], dims/Div, axis=0)',
      'y = Expand(x, dims/Concat)',
    ]);
  });
});

describe('weights', () => {
  test('a transposed weight is stored transposed', () => {
    const model = emitted(
      graphOf((build) => {
        const x = build.given('x', 'f32', 'B', 8);
        const y = build.matmul(x, build.transpose(build.param('fc.weight', 4, 8), [1, 0]));
        return { y: build.add(y, build.param('fc.bias', 4)) };
      }),
    );
    expect(lines(model)).toEqual(['MatMul = MatMul(x, fc.weight)', 'y = Add(MatMul, fc.bias)']);
    expect(model.graph.initialisers[0]).toMatchObject({
      name: 'fc.weight',
      dims: [8, 4],
      source: { kind: 'weight', path: 'fc.weight', shape: [4, 8] },
      transposes: [{ shape: [4, 8], perm: [1, 0] }],
    });
  });

  test('a weight that is used in two orders is stored once', () => {
    const model = emitted(
      graphOf((build) => {
        const table = build.param('table', 16, 8);
        const x = build.gather(table, build.cast(build.given('tokens', 'i64', 'B', 'T'), 'i32'));
        return { y: build.matmul(x, build.transpose(table, [1, 0])) };
      }),
    );
    expect(lines(model)).toEqual([
      'Gather = Gather(table, tokens)',
      'Transpose = Transpose(table, perm=[1, 0])',
      'y = MatMul(Gather, Transpose)',
    ]);
  });

  test('a bias of one number a channel goes into Conv', () => {
    const model = emitted(
      graphOf((build) => {
        const attributes = { stride: [2, 2], pad: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;
        const y = build.conv2d(build.given('x', 'f32', 'B', 3, 32, 32), build.param('w', 8, 3, 3, 3), attributes);
        return { y: build.relu(build.add(build.reshape(build.param('b', 8), [n(8), one, one]), y)) };
      }),
    );
    expect(lines(model)).toEqual([
      'Conv = Conv(x, w, b, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])',
      'y = Relu(Conv)',
    ]);
    expect(model.graph.initialisers.map(({ name }) => name)).toEqual(['w', 'b']);
  });
});

describe('operators that need no node of their own', () => {
  test('numbers stay scalars where an operator broadcasts', () => {
    expect(
      form((build) => {
        const x = build.given('x', 'f32', 'B', 'H');
        const scale = build.broadcast(build.given('s', 'f32', 'H'), [B, H]);
        return { y: build.mul(build.add(x, build.full(2, 'f32', [B, H])), scale) };
      }),
    ).toEqual(['Add = Add(x, [2])'.replace('[2]', '2'), 'y = Mul(Add, s)']);
  });

  test('a full tensor that decides the shape is not left out', () => {
    expect(
      form((build) => ({ y: build.add(build.given('x', 'f32', 1, 'H'), build.full(2, 'f32', [n(5), H])) })).at(-1),
    ).toBe('y = Add(x, ConstantOfShape)');
  });

  test('an i64 input that only indexes is not cast', () => {
    expect(
      form((build) => {
        const tokens = build.given('tokens', 'i64', 'B', 'T');
        return { y: build.gather(build.param('table', 16, 8), build.cast(tokens, 'i32')) };
      }),
    ).toEqual(['y = Gather(table, tokens)']);
  });

  test('the index of topk is narrowed only for what computes with it', () => {
    const text = (used: (build: GraphBuilder, index: Value) => Value) =>
      form((build) => {
        const [values, index] = build.topk(build.given('x', 'f32', 'B', 9), 3);
        return { values, y: used(build, index) };
      });
    expect(text((build, index) => build.gather(build.param('table', 9, 2), index))).toEqual([
      'values, TopK:1 = TopK(x, [3])',
      'y = Gather(table, TopK:1)',
    ]);
    expect(text((_, index) => index)).toEqual(['values, TopK:1 = TopK(x, [3])', 'y = Cast(TopK:1, to=6)']);
  });

  test('slices that cut an axis into neighbouring parts are one Split', () => {
    expect(
      form((build) => {
        const x = build.given('x', 'f32', 'B', 'T', 7);
        const T = variable('T');
        const part = (start: number, stop: number) =>
          build.slice(x, [zero, zero, n(start)], [B, T, n(stop)], [1, 1, 1]);
        return { c: part(5, 7), a: part(0, 2), b: part(2, 5) };
      }),
    ).toEqual(['a, b, c = Split(x, [2, 3, 2], axis=2)']);
  });

  test('one place of an axis is a Gather at a scalar', () => {
    expect(
      form(
        (build) => {
          const x = build.given('x', 'f32', 'B', 'T', 8);
          const T = variable('T');
          const first = build.slice(x, [zero, zero, zero], [B, one, n(8)], [1, 1, 1]);
          const last = build.slice(x, [zero, sub(T, one), zero], [B, T, n(8)], [1, 1, 1]);
          return { first: build.reshape(first, [B, n(8)]), last: build.reshape(last, [B, n(8)]) };
        },
        Facts.none.assume({ kind: 'le', left: n(2), right: variable('T') }),
      ),
    ).toEqual(['first = Gather(x, 0, axis=1)', 'last = Gather(x, -1, axis=1)']);
  });

  test('bounds are counted from the end where that needs no size', () => {
    expect(
      form(
        (build) => {
          const x = build.given('x', 'f32', 'B', 'T');
          const T = variable('T');
          return { y: build.slice(x, [zero, one], [B, sub(T, one)], [1, 1]) };
        },
        Facts.none.assume({ kind: 'le', left: n(4), right: variable('T') }),
      ),
    ).toEqual(['y = Slice(x, [1], [-1], [1])']);
  });

  test('floordiv of what is never negative is Div', () => {
    expect(
      form((build) => {
        const i = build.iota(variable('T'));
        const x = build.given('x', 'i32', 'T');
        const four = build.full(4, 'i32', []);
        return { y: build.floordiv(i, four), z: build.floordiv(x, four) };
      }).slice(-8),
    ).toEqual([
      'y = Div(Range, 4)',
      'Div_1 = Div(x, 4)',
      'Mul = Mul(Div_1, 4)',
      'Sub = Sub(x, Mul)',
      'Sign = Sign(Sub)',
      'Sub_1 = Sub(4, 4)',
      'Min = Min(Sign, Sub_1)',
      'z = Add(Div_1, Min)',
    ]);
  });

  test('of the places of top_k as well, and of its values only where they come of such', () => {
    const operators = form((build) => {
      const [value, place] = build.topk(build.given('x', 'f32', 'B', 4), 2);
      const four = build.full(4, 'i32', []);
      const whole = build.cast(value, 'i32');
      return { y: build.floordiv(place, four), z: build.floordiv(whole, four) };
    });
    expect(operators).toContain('y = Div(Cast, 4)');
    expect(operators.filter((line) => line.startsWith('z = '))).toEqual(['z = Add(Div_1, Min)']);
  });

  test('an output that is an input, a weight or another output has an Identity', () => {
    expect(
      form((build) => {
        const x = build.given('x', 'f32', 'B');
        const y = build.neg(x);
        return { y, again: y, same: build.stopGradient(x), w: build.param('p', 3) };
      }),
    ).toEqual(['y = Neg(x)', 'again = Identity(y)', 'same = Identity(x)', 'w = Identity(p)']);
  });
});

test('nodes are named by module and operator, and say where they come from', () => {
  const graph = graphOf((build) => {
    build.origin = { span: undefined, path: 'backbone.layers.0.attn', label: 'linear' };
    const x = build.given('x', 'f32', 'B', 4);
    return { y: build.relu(build.neg(build.neg(x))) };
  });
  const nodes = emitted(graph).graph.nodes;
  expect(nodes.map(({ name }) => name)).toEqual([
    'backbone/layers.0/attn/Neg',
    'backbone/layers.0/attn/Neg_1',
    'backbone/layers.0/attn/Relu',
  ]);
  expect(nodes.map(({ docs }) => docs)).toEqual(['linear', 'linear', 'linear']);
});

test('with only the batch symbolic, a window attention computes no shape', () => {
  const text = form((build) => {
    const x = build.given('x', 'f32', 'B', 8, 8, 12);
    const windows = build.reshape(
      build.transpose(build.reshape(x, [B, n(2), n(4), n(2), n(4), n(12)]), [0, 1, 3, 2, 4, 5]),
      [mul(B, n(4)), n(16), n(12)],
    );
    const scores = build.softmax(build.matmul(windows, build.transpose(windows, [0, 2, 1])), 2);
    const mask = build.reshape(build.param('mask', 4, 16, 16), [one, n(4), n(16), n(16)]);
    const masked = build.add(build.reshape(scores, [B, n(4), n(16), n(16)]), mask);
    const y = build.matmul(build.reshape(masked, [mul(B, n(4)), n(16), n(16)]), windows);
    return { y: build.reshape(y, [B, n(8), n(8), n(12)]) };
  });
  expect(text.filter((line) => line.includes('Shape('))).toEqual([]);
  expect(text).toContain('Reshape_2 = Reshape(Softmax, [-1, 4, 16, 16])');
});

test('halves: weights are stored rounded, numbers are halves, and scatter_add goes by f32', async () => {
  const graph = graphOf((build) => {
    const half = (value: Value) => build.cast(value, 'f16');
    const x = half(build.given('x', 'f32', 'B', 8));
    const y = build.matmul(x, build.transpose(half(build.param('w', 8, 8)), [1, 0]));
    const z = build.add(build.gelu(y, false), build.full(0.5, 'f16', []));
    const rows = build.scatterAdd(build.given('index', 'i32', 'B'), z, n(3));
    return { y: build.cast(build.layerNorm(rows, half(build.param('s', 8)), half(build.param('b', 8)), 1e-3), 'f32') };
  });
  const model = emitted(graph);
  expect(
    model.graph.initialisers.filter(({ source }) => source.kind === 'weight').map(({ name, dtype }) => [name, dtype]),
  ).toEqual([
    ['w', 'f16'],
    ['s', 'f16'],
    ['b', 'f16'],
  ]);
  expect(lines(model).filter((line) => line.includes('Cast('))).toHaveLength(4);
  const random = seededRandom(3);
  const weights = new Map([8 * 8, 8, 8].map((count, i) => [['w', 's', 'b'][i]!, floats(random, [count])]));
  const feeds = new Map([
    ['x', floats(random, [5, 8])],
    ['index', tensor('i32', [5], [0, 2, 1, 2, 0])],
  ]);
  const actual = await runOnnx(model, feeds, { read: (path) => Float32Array.from(weights.get(path)!.data) });
  const expected = interpret(graph, feeds, (path, shape) => ({ ...weights.get(path)!, shape }));
  for (const [i, want] of expected.get('y')!.data.entries())
    expect(Math.abs(actual.get('y')!.data[i]! - want)).toBeLessThan(0.03);
});
