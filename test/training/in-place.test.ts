import { expect, test } from 'vitest';
import { constant } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { finish } from '../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { inPlaceFaults } from '../../compiler/training/in-place.ts';

const state = [{ name: 's', next: 'next' }];

/** A graph over one state of two numbers. */
function graphOf(make: (build: Builder, s: Value) => Readonly<Record<string, Value>>): Graph {
  const build = new Builder(Facts.none);
  const s = build.input('s', { dtype: 'f32', shape: [constant(2)] });
  const outputs = Object.entries(make(build, s)).map(([name, value]) => ({ name, value, docs: '' }));
  const inputs = [{ name: 's', value: s, docs: '' }];
  return finish({ name: '', docs: '', inputs, outputs, facts: Facts.none, guards: [] }, build.nodes);
}

const faults = (make: Parameters<typeof graphOf>[0]) => inPlaceFaults(graphOf(make), state).map(({ reason }) => reason);

test('what is read on the way to the new value is read in time', () => {
  expect(faults((b, s) => ({ next: b.add(b.neg(b.reshape(s, [constant(1), constant(2)])), s) }))).toEqual([]);
  expect(faults((b, s) => ({ next: s, other: b.exp(s) }))).toEqual([]);
});

test('what is read beside it may be read too late', () => {
  expect(faults((b, s) => ({ next: b.add(s, s), other: b.exp(s) }))).toEqual([expect.stringContaining('exp')]);
  // Also through what may be the same memory.
  const viewed = faults((b, s) => ({ next: b.add(s, s), other: b.exp(b.reshape(s, [constant(1), constant(2)])) }));
  expect(viewed.join()).toContain('exp');
});

test('waiting makes it right', () => {
  const waiting = (b: Builder, s: Value) => {
    const other = b.exp(s);
    return { next: b.mul(b.add(s, s), b.sum(other, [0])), other };
  };
  expect(faults(waiting)).toEqual([]);
});

test('an output that shows the old value is a fault, and a new value that is none', () => {
  expect(faults((b, s) => ({ next: b.add(s, s), other: b.reshape(s, [constant(1), constant(2)]) })).join()).toContain(
    'other',
  );
  expect(faults((b, s) => ({ next: b.slice(b.concat([s, s], 0), [constant(1)], [constant(3)], [1]) }))).not.toEqual([]);
});

test('a piece of the same memory is read in time as the whole is', () => {
  const build = new Builder(Facts.none);
  const input = (name: string, size: number) => {
    const value = build.input(name, { dtype: 'f32', shape: [constant(size)] });
    return { name, value, docs: '' };
  };
  const [pack, part] = [input('pack', 4), input('part', 2)];
  const read = build.exp(part.value);
  const inputs = [pack, part];
  const faultsOf = (next: Value) => {
    const outputs = [
      { name: 'next', value: next, docs: '' },
      { name: 'read', value: read, docs: '' },
    ];
    const graph = finish({ name: '', docs: '', inputs, outputs, facts: Facts.none, guards: [] }, build.nodes);
    return inPlaceFaults(graph, [{ name: 'pack', next: 'next', parts: ['part'] }]).map(({ name, reason }) => [
      name,
      reason,
    ]);
  };
  const doubled = build.add(pack.value, pack.value);
  expect(faultsOf(doubled)).toEqual([['pack', expect.stringContaining('exp')]]);
  expect(faultsOf(build.mul(doubled, build.sum(read, [0])))).toEqual([]);
});
