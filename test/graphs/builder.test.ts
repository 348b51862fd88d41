import { describe, expect, it } from 'vitest';
import { constant, one, variable, zero } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { andThen, Builder, OpError } from '../../compiler/graphs/builder.ts';
import { read } from '../../compiler/graphs/read.ts';
import { countUses, finish, rewrite } from '../../compiler/graphs/rebuild.ts';

const [B, H] = [variable('B'), variable('H')];

describe('Builder', () => {
  const facts = Facts.none.assume({ kind: 'eq', left: H, right: constant(6) });
  const fresh = () => {
    const build = new Builder(facts);
    return { build, x: build.input('x', { dtype: 'f32', shape: [B, H] }) };
  };

  it.each<[string, (build: Builder, x: ReturnType<Builder['input']>) => unknown]>([
    ['reshape', (build, x) => build.reshape(x, [B, H])],
    ['reshape to what is proved the same', (build, x) => build.reshape(x, [B, constant(6)])],
    ['broadcast', (build, x) => build.broadcast(x, [B, H])],
    ['transpose', (build, x) => build.transpose(x, [0, 1])],
    ['slice', (build, x) => build.slice(x, [zero, zero], [B, constant(6)], [1, 1])],
    ['pad', (build, x) => build.pad(x, [zero, zero], [zero, zero], 1)],
    ['cast', (build, x) => build.cast(x, 'f32')],
    ['concat', (build, x) => build.concat([x], 1)],
  ])('gives back the input of a %s that does nothing', (_op, apply) => {
    const { build, x } = fresh();
    expect(apply(build, x)).toBe(x);
    expect(build.nodes).toEqual([x.node]);
  });

  it('gives the fault of what is not well typed, or throws it, and emits nothing', () => {
    const { build, x } = fresh();
    const y = build.input('y', { dtype: 'f32', shape: [B, constant(7)] });
    const emit = () => build.add(x, y);
    expect(emit).toThrow(OpError);
    expect(build.tryEmit('add', [x, y], {})).toMatchObject({
      op: 'add',
      inputs: [x, y],
      fault: { left: H, right: constant(7) },
    });
    expect(build.nodes).toHaveLength(2);
  });

  it('goes on with a value only where there is one', () => {
    const { build, x } = fresh();
    const y = build.input('y', { dtype: 'f32', shape: [B, constant(7)] });
    const negated = (other: typeof x) =>
      andThen(build.tryEmit('add', [x, other], {}), (sum) => build.tryEmit('neg', [sum], {}));
    expect(negated(y)).toMatchObject({ op: 'add' });
    expect(build.nodes).toHaveLength(2);
    expect(negated(x)).toEqual({ values: build.nodes.at(-1)?.outputs });
    expect(build.nodes.map(({ op }) => op)).toEqual(['input', 'input', 'add', 'neg']);
  });

  it('gives topk two results, and stamps origins', () => {
    const { build, x } = fresh();
    build.origin = { span: undefined, path: 'head', label: 'top_k' };
    const [values, index] = build.topk(x, 2);
    expect([values.type.dtype, index.type.dtype]).toEqual(['f32', 'i32']);
    expect(values.node).toBe(index.node);
    expect(values.node.origin.path).toBe('head');
  });

  it('copies a node as itself, by its types, or by its shape rule', () => {
    const { build, x } = fresh();
    const y = build.neg(x);
    expect(build.copy(y.node, [x])).toBe(y.node.outputs);
    const other = build.exp(x);
    expect(build.copy(y.node, [other])[0]!.type).toBe(y.type);
    const narrow = build.slice(x, [zero, zero], [B, one], [1, 1]);
    expect(build.copy(y.node, [narrow])[0]!.type.shape).toEqual([B, one]);
  });
});

describe('rewrite', () => {
  const graph = read(`%0 = input name="x" : f32[B]
%1 = input name="unused" : f32[B]
%2 = neg %0 : f32[B]
%3 = exp %2 : f32[B]
%4 = add %3, %3 : f32[B]
input "x" = %0 ""
input "unused" = %1 ""
output "y" = %4 ""
`);

  it('gives back the graph when nothing is replaced', () => {
    expect(rewrite(graph, () => undefined)).toBe(graph);
  });

  it('replaces, drops what is dead then, and keeps inputs and what did not change', () => {
    const result = rewrite(graph, (node, inputs) => (node.op === 'neg' ? [inputs[0]!] : undefined));
    expect(result.nodes.map((node) => node.op)).toEqual(['input', 'input', 'exp', 'add']);
    expect(result.nodes.slice(0, 2)).toEqual(graph.nodes.slice(0, 2));
  });

  it('finishes with every node once, in order', () => {
    const nodes = [...graph.nodes, ...graph.nodes];
    expect(finish(graph, nodes).nodes).toEqual(graph.nodes);
  });

  it('counts readers, outputs among them', () => {
    const uses = countUses(graph);
    expect(graph.nodes.map((node) => uses.get(node.outputs[0]) ?? 0)).toEqual([1, 0, 1, 2, 1]);
  });
});
