import { describe, expect, it } from 'vitest';
import { add, constant, floorDiv, max, mod, mul, negate, one, power, variable, zero } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { print } from '../../compiler/ir/print.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';

const [B, H] = [variable('B'), variable('H')];

function everyKind(): Graph {
  const facts = Facts.none
    .assume({ kind: 'mod', value: H, modulus: 32, remainder: 0 })
    .assume({ kind: 'le', left: B, right: constant(64) });
  const build = new Builder(facts);
  const x = build.input('x', { dtype: 'f32', shape: [B, H, constant(4)] });
  build.origin = { span: undefined, path: 'encoder.layers.0', label: 'linear: out' };
  const weight = build.weight(
    {
      path: 'encoder.layers.0.weight',
      role: 'param',
      init: { name: 'trunc_normal', args: { std: 0.02, shape: [1, 2] } },
      decay: true,
      keepF32: false,
    },
    { dtype: 'f32', shape: [constant(4), constant(4)] },
  );
  const y = build.matmul(x, weight);
  build.origin = { span: undefined, path: 'encoder.layers.0', label: '' };
  const small = build.constant(tensor('f32', [4], [1, -0, Number.POSITIVE_INFINITY, 1e-7]));
  const large = build.constant(
    tensor(
      'f32',
      [5, 4],
      Array.from({ length: 20 }, (_, i) => i / 3),
    ),
  );
  const flat = build.reshape(build.add(y, small), [mul(B, floorDiv(H, 4)), constant(4), constant(4)]);
  const cut = build.slice(flat, [zero, zero, zero], [one, constant(4), constant(4)], [1, 1, 2]);
  const [values, index] = build.topk(
    build.matmul(cut, build.full(Number.NEGATIVE_INFINITY, 'f32', [constant(2), constant(3)])),
    2,
  );
  return {
    name: 'Every "kind"',
    docs: 'Two\nlines.',
    inputs: [{ name: 'x', value: x, docs: 'An input.' }],
    outputs: [
      { name: 'values', value: values, docs: '' },
      { name: 'index', value: index, docs: '' },
      { name: 'sum', value: build.add(large, build.cast(build.dim(H), 'f32')), docs: '' },
    ],
    nodes: build.nodes,
    facts,
    guards: [
      { text: 'H % 32 == 0', left: H, relation: '%', right: constant(32), remainder: 0, span: undefined },
      { text: 'B <= 64', left: B, relation: '<=', right: constant(64), span: undefined },
    ],
  };
}

describe('print', () => {
  it('writes one node a line', () => {
    expect(print(everyKind())).toMatchInlineSnapshot(`
      "graph "Every \\"kind\\"" "Two\\nlines."
      fact H mod 32 == 0
      fact B <= 64
      guard "H % 32 == 0" H mod 32 == 0
      guard "B <= 64" B <= 64
      %0 = input name="x" : f32[B, H, 4]
      %1 = weight path="encoder.layers.0.weight" role="param" init=trunc_normal(std=0.02, shape=[1, 2]) decay=true keepF32=false : f32[4, 4]  // encoder.layers.0: linear: out
      %2 = matmul %0, %1 : f32[B, H, 4]  // encoder.layers.0: linear: out
      %3 = constant tensor=f32[4](1, -0, inf, 1e-7) : f32[4]  // encoder.layers.0
      %4 = constant tensor=f32[5, 4](f64 "AAAAAAAAAABVVVVVVVXVP1VVVVVVVeU/AAAAAAAA8D9VVVVVVVX1P6uqqqqqqvo/AAAAAAAAAECrqqqqqqoCQFVVVVVVVQVAAAAAAAAACECrqqqqqqoKQFVVVVVVVQ1AAAAAAAAAEEBVVVVVVVURQKuqqqqqqhJAAAAAAAAAFEBVVVVVVVUVQKuqqqqqqhZAAAAAAAAAGEBVVVVVVVUZQA==") : f32[5, 4]  // encoder.layers.0
      %5 = add %2, %3 : f32[B, H, 4]  // encoder.layers.0
      %6 = reshape %5 shape=[B*floor(H/4), 4, 4] : f32[B*floor(H/4), 4, 4]  // encoder.layers.0
      %7 = slice %6 start=[0, 0, 0] stop=[1, 4, 4] step=[1, 1, 2] : f32[1, 4, 2]  // encoder.layers.0
      %8 = full value=-inf dtype=f32 shape=[2, 3] : f32[2, 3]  // encoder.layers.0
      %9 = matmul %7, %8 : f32[1, 4, 3]  // encoder.layers.0
      %10, %11 = topk %9 k=2 : f32[1, 4, 2], i32[1, 4, 2]  // encoder.layers.0
      %12 = dim value=H : i32[]  // encoder.layers.0
      %13 = cast %12 dtype=f32 : f32[]  // encoder.layers.0
      %14 = add %4, %13 : f32[5, 4]  // encoder.layers.0
      input "x" = %0 "An input."
      output "values" = %10 ""
      output "index" = %11 ""
      output "sum" = %14 ""
      "
    `);
  });
});

describe('read', () => {
  it('gives back what was printed', () => {
    const text = print(everyKind());
    const again = read(text);
    expect(print(again)).toBe(text);
    expect(verify(again)).toEqual([]);
    expect(again.nodes[1]!.origin).toEqual({ span: undefined, path: 'encoder.layers.0', label: 'linear: out' });
  });

  it.each([
    add(power(H, 2), one),
    negate(H),
    mod(negate(H), 32),
    mul(constant(3), mod(add(H, one), 2)),
    floorDiv(add(mul(B, H), constant(3)), 4),
    mul(floorDiv(H, 4), floorDiv(add(H, constant(3)), 4)),
    max(mul(constant(2), B), floorDiv(H, 2)),
    add(variable('H[0]'), constant(-7)),
  ])('reads the dim $key', (dim) => {
    const build = new Builder(Facts.none);
    const value = build.dim(dim);
    const graph: Graph = {
      name: '',
      docs: '',
      inputs: [],
      outputs: [{ name: 'y', value, docs: '' }],
      nodes: build.nodes,
      facts: Facts.none,
      guards: [],
    };
    const node = read(print(graph)).nodes[0]!;
    expect(node.op === 'dim' && node.attributes.value.key).toBe(dim.key);
  });

  it.each([
    ['%0 = frobnicate : f32[2]', 'IR text, line 1, column 16: expected an operator, not frobnicate'],
    ['%0 = neg %7 : f32[2]', 'IR text, line 1, column 12: expected a value that is defined above'],
    ['%0 = full value=1 dtype=f33 shape=[] : f32[]', 'IR text, line 1, column 28: expected a dtype, not f33'],
    ['%0 = full value=1 dtype=f32 shape=[] : f32[] 3', 'IR text, line 1, column 46: expected the end of the line'],
    ['\n%0 = constant tensor=f32[3](1, 2) : f32[3]', 'IR text, line 2, column 34: expected 3 elements'],
  ])('refuses %j', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});
