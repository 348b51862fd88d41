import { describe, expect, it } from 'vitest';
import { definitionOf } from '../../compiler/definitions/table.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { read } from '../../compiler/graphs/read.ts';
import { finish } from '../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { print } from '../../compiler/ir/print.ts';
import { mergeCommonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { pipeline, runPipeline } from '../../compiler/passes/pipeline.ts';
import { nodesOf, transformed } from './equivalence.ts';

/** x = %0: f32[B, 6], s = %1 and b = %2: f32[6]; the result is %99. */
function optimised(body: string): string {
  return transformed(
    (graph) => runPipeline(graph, { verify: true }),
    `%0 = input name="x" : f32[B, 6]
%1 = weight path="s" role="param" init=ones() decay=true keepF32=false : f32[6]
%2 = weight path="b" role="param" init=zeros() decay=true keepF32=false : f32[6]
${body}
input "x" = %0 ""
output "y" = %99 ""
`,
  );
}
const number = (name: string, value: number) => `${name} = full value=${value} dtype=f32 shape=[] : f32[]`;
const norm = `%3 = mean %0 axes=[1] keep=true : f32[B, 1]
%4 = sub %0, %3 : f32[B, 6]
${number('%5', 2)}
%6 = pow %4, %5 : f32[B, 6]
%7 = mean %6 axes=[1] keep=true : f32[B, 1]
${number('%8', 0.5)}
%9 = add %7, %8 : f32[B, 1]`;

describe('layer normalisation', () => {
  it.each([
    ['by the root', `${norm}\n%10 = sqrt %9 : f32[B, 1]\n%11 = div %4, %10 : f32[B, 6]`],
    [
      'by the reciprocal root',
      `${norm}\n${number('%20', -0.5)}\n%10 = pow %9, %20 : f32[B, 1]\n%11 = mul %4, %10 : f32[B, 6]`,
    ],
  ])('%s, with scale and bias', (_how, body) => {
    const whole = `${body}\n%12 = mul %1, %11 : f32[B, 6]\n%99 = add %12, %2 : f32[B, 6]`;
    expect(optimised(whole)).toBe('%3 = layer_norm %0, %1, %2 eps=0.5 : f32[B, 6]\ny = %3');
  });

  it('keeps another mean', () => {
    const body = `%3 = mean %0 axes=[0] keep=true : f32[1, 6]
%4 = sub %0, %3 : f32[B, 6]
%6 = mul %4, %4 : f32[B, 6]
%7 = mean %6 axes=[1] keep=true : f32[B, 1]
${number('%8', 0.5)}
%9 = add %7, %8 : f32[B, 1]
%10 = sqrt %9 : f32[B, 1]
%99 = div %4, %10 : f32[B, 6]`;
    expect(optimised(body)).not.toContain('layer_norm');
  });
});

describe('activations', () => {
  const gate = `${number('%3', Math.SQRT1_2)}\n%4 = mul %0, %3 : f32[B, 6]\n%5 = erf %4 : f32[B, 6]\n${number('%6', 1)}\n%7 = add %5, %6 : f32[B, 6]\n${number('%8', 0.5)}`;
  it.each([
    ['x · (gate · ½)', `%9 = mul %7, %8 : f32[B, 6]\n%99 = mul %0, %9 : f32[B, 6]`],
    ['(½ · x) · gate', `%9 = mul %8, %0 : f32[B, 6]\n%99 = mul %9, %7 : f32[B, 6]`],
    ['(x · gate) / 2', `${number('%20', 2)}\n%9 = mul %0, %7 : f32[B, 6]\n%99 = div %9, %20 : f32[B, 6]`],
  ])('gelu as %s', (_how, body) => {
    expect(optimised(`${gate}\n${body}`)).toBe('%1 = gelu %0 approximate=false : f32[B, 6]\ny = %1');
  });

  it('relu and sigmoid', () => {
    expect(optimised(`${number('%3', 0)}\n%99 = max %3, %0 : f32[B, 6]`)).toBe('%1 = relu %0 : f32[B, 6]\ny = %1');
    const logistic = `%3 = neg %0 : f32[B, 6]\n%4 = exp %3 : f32[B, 6]\n${number('%5', 1)}\n%6 = add %5, %4 : f32[B, 6]\n%99 = div %5, %6 : f32[B, 6]`;
    expect(optimised(logistic)).toBe('%1 = sigmoid %0 : f32[B, 6]\ny = %1');
  });

  it('takes no other number for ½', () => {
    const body = `${gate.replace('value=0.5', 'value=0.25')}\n%9 = mul %7, %8 : f32[B, 6]\n%99 = mul %0, %9 : f32[B, 6]`;
    expect(optimised(body)).not.toContain('gelu');
  });
});

describe('softmax', () => {
  it('over a sum that is reshaped to fit', () => {
    const body = `%3 = reduce_max %0 axes=[1] keep=true : f32[B, 1]
%4 = sub %0, %3 : f32[B, 6]
%5 = exp %4 : f32[B, 6]
%6 = sum %5 axes=[1] keep=false : f32[B]
%7 = reshape %6 shape=[B, 1] : f32[B, 1]
%99 = div %5, %7 : f32[B, 6]`;
    expect(optimised(body)).toBe('%1 = softmax %0 axis=1 : f32[B, 6]\ny = %1');
  });

  it('and its logarithm', () => {
    const body = '%3 = softmax %0 axis=1 : f32[B, 6]\n%99 = log %3 : f32[B, 6]';
    expect(optimised(body)).toBe('%1 = log_softmax %0 axis=1 : f32[B, 6]\ny = %1');
  });

  it('along two axes stays', () => {
    const body = `%5 = exp %0 : f32[B, 6]\n%6 = sum %5 axes=[0, 1] keep=true : f32[1, 1]\n%99 = div %5, %6 : f32[B, 6]`;
    expect(optimised(body)).not.toContain('softmax');
  });
});

describe('attention', () => {
  const scores = (q: string, k: string, type: string, scale: string) =>
    transformed(
      (graph) => runPipeline(graph, { verify: true }),
      `%0 = input name="q" : ${q}
%1 = input name="k" : ${k}
%2 = transpose %1 perm=[0, 2, 1] : ${k.replace(/\[(.*), (.*), (.*)\]/, '[$1, $3, $2]')}
%3 = matmul %0, %2 : ${type}
${number('%4', 0.125)}
${scale} : ${type}
input "q" = %0 ""
input "k" = %1 ""
output "y" = %5 ""
`,
    );

  it('scales the smaller operand, and leaves the transpose next to the product', () => {
    expect(scores('f32[B, N, 8]', 'f32[B, 20, 8]', 'f32[B, N, 20]', '%5 = mul %3, %4')).toMatchInlineSnapshot(`
      "%2 = full value=0.125 dtype=f32 shape=[] : f32[]
      %3 = mul %1, %2 : f32[B, 20, 8]
      %4 = transpose %3 perm=[0, 2, 1] : f32[B, 8, 20]
      %5 = matmul %0, %4 : f32[B, N, 20]
      y = %5"
    `);
    expect(scores('f32[B, 20, 8]', 'f32[B, N, 8]', 'f32[B, 20, N]', '%5 = div %3, %4')).toMatchInlineSnapshot(`
      "%2 = transpose %1 perm=[0, 2, 1] : f32[B, 8, N]
      %3 = full value=8 dtype=f32 shape=[] : f32[]
      %4 = mul %0, %3 : f32[B, 20, 8]
      %5 = matmul %4, %2 : f32[B, 20, N]
      y = %5"
    `);
  });

  it('scales the product where it is the smallest', () => {
    const text = scores('f32[B, 2, 64]', 'f32[B, 3, 64]', 'f32[B, 2, 3]', '%5 = mul %3, %4');
    expect(text).toContain('%5 = mul %3, %4');
  });
});

/** Every composite that rules look for, from its own definition. */
describe('definitions', () => {
  const shape = 'f32[B, 6]';
  const cases = [
    ['mean', { axes: [1], keep: true }],
    ['softmax', { axis: 1 }],
    ['log_softmax', { axis: 1 }],
    ['layer_norm', { eps: 1e-5 }],
    ['gelu', { approximate: false }],
    ['gelu', { approximate: true }],
  ] as const;
  it.each(cases)('%s %j is recognised', (op, attributes) => {
    const start = read(`%0 = input name="x" : ${shape}
%1 = weight path="s" role="param" init=ones() decay=true keepF32=false : f32[6]
%2 = weight path="b" role="param" init=zeros() decay=true keepF32=false : f32[6]
input "x" = %0 ""
`);
    const build = new Builder(start.facts);
    const [x, s, b] = start.nodes.map((node) => build.copy(node, [])[0]!) as [Value, Value, Value];
    const inputs = op === 'layer_norm' ? [x, s, b] : [x];
    const value = definitionOf(op)!(build, inputs, attributes)[0]!;
    const graph: Graph = finish({ ...start, outputs: [{ name: 'y', value, docs: '' }] }, build.nodes);
    const lines = nodesOf(runPipeline(graph)).split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain(` = ${op} `);
  });
});

describe('rules', () => {
  it('say why they did not match', () => {
    const graph = read(`%0 = input name="x" : f32[B]
%1 = full value=3 dtype=f32 shape=[] : f32[]
%2 = div %0, %1 : f32[B]
input "x" = %0 ""
output "y" = %2 ""
`);
    const misses: string[] = [];
    runPipeline(graph, {
      trace: (rule, node, missed) => misses.push(`${rule} at ${node.op}: ${missed?.needs}; ${missed?.has}`),
    });
    expect(misses).toContain('exact-quotients at div: 1 or a power of two as operand 2 of div; the number 3');
  });

  it('say when they fired', () => {
    const graph = read(`%0 = input name="x" : f32[B]
%1 = neg %0 : f32[B]
%2 = neg %1 : f32[B]
input "x" = %0 ""
output "y" = %2 ""
`);
    const fired: string[] = [];
    runPipeline(graph, { trace: (rule, _node, missed) => missed === undefined && fired.push(rule) });
    expect(fired).toEqual(['double-negation']);
  });
});

describe('the pipeline', () => {
  it('is a list of passes with names of their own', () => {
    const names = pipeline.map((pass) => pass.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('shows the graph after every pass, and blames the pass that breaks it', () => {
    const graph = read(`%0 = input name="x" : f32[B]
%1 = neg %0 : f32[B]
%2 = neg %0 : f32[B]
%3 = mul %1, %2 : f32[B]
input "x" = %0 ""
output "y" = %3 ""
`);
    const seen: string[] = [];
    runPipeline(graph, { after: (pass, after) => seen.push(`${pass} ${after.nodes.length}`) });
    expect(seen.slice(0, 2)).toEqual(['dead-code 4', 'common-subexpressions 3']);
    const wrong = read(print(graph).replace('%3 = mul %1, %2 : f32[B]', '%3 = mul %1, %2 : f32[B, B]'));
    expect(() => runPipeline(wrong, { verify: true })).toThrow(
      'bug in crobc: after common-subexpressions, types are what',
    );
  });
});

describe('common subexpressions', () => {
  it('are merged whatever the order of operands that commute, and constants by their elements', () => {
    const text = transformed(
      mergeCommonSubexpressions,
      `%0 = input name="x" : f32[3]
%1 = constant tensor=f32[3](1, 2, 3) : f32[3]
%2 = constant tensor=f32[3](1, 2, 3) : f32[3]
%3 = constant tensor=f32[3](1, 2, 4) : f32[3]
%4 = add %0, %1 : f32[3]
%5 = add %2, %0 : f32[3]
%6 = sub %4, %3 : f32[3]
%7 = sub %3, %5 : f32[3]
%8 = mul %6, %7 : f32[3]
input "x" = %0 ""
output "y" = %8 ""
`,
    );
    expect(text).toMatchInlineSnapshot(`
      "%1 = constant tensor=f32[3](1, 2, 3) : f32[3]
      %2 = constant tensor=f32[3](1, 2, 4) : f32[3]
      %3 = add %0, %1 : f32[3]
      %4 = sub %3, %2 : f32[3]
      %5 = sub %2, %3 : f32[3]
      %6 = mul %4, %5 : f32[3]
      y = %6"
    `);
  });

  it('keep random draws apart, and -0 from 0', () => {
    const text = transformed(
      mergeCommonSubexpressions,
      `%1 = uniform shape=[2] key="a" : f32[2]
%2 = uniform shape=[2] key="b" : f32[2]
%3 = full value=0 dtype=f32 shape=[2] : f32[2]
%4 = full value=-0 dtype=f32 shape=[2] : f32[2]
%5 = sub %1, %2 : f32[2]
%6 = sub %3, %4 : f32[2]
%7 = add %5, %6 : f32[2]
output "y" = %7 ""
`,
    );
    expect(text.match(/uniform|full/g)).toHaveLength(4);
  });
});
