import { describe, expect, it } from 'vitest';
import { constant } from '../../../compiler/dims/dim.ts';
import { einsum, type PatternFault, rearrange, reduce, repeat } from '../../../compiler/elaborate/patterns/index.ts';
import { type DimTexts, fault, given, inputs } from './naive.ts';

/** The piece of the pattern that a fault points at. */
function pointed(pattern: string, found: PatternFault): string {
  if (found.kind !== 'syntax' && found.kind !== 'names') throw new Error(`${found.kind} faults have no position`);
  return pattern.slice(found.at, found.at + found.length);
}

const run = { rearrange, repeat };

const syntax = [
  ['b c', '', 'expected `->`'],
  ['b (c -> b c', '(', 'this group is not closed'],
  ['b ((c d) e) -> b', '(', 'groups do not nest'],
  ['b () -> b', '()', 'the group is empty: write `1`'],
  ['b c) -> b', ')', '`)` is not expected here'],
  ['b C -> b C', 'C', 'names of axes are lower-case'],
  ['b 3 -> b 3', '3', 'only the size 1 can be written as a number: name the axis and give its size, `n = 3`'],
  ['b * -> b', '*', '`*` has no meaning here'],
  ['b ? -> b', '?', '`?` is not expected here'],
  ['b c -> b -> c', '->', '`->` is not expected here'],
  ['b, c -> b c', ',', 'only `einsum` takes several operands'],
  ['b (... c) -> b c ...', '...', '`...` cannot be taken out of a group'],
] as const;

const names: readonly (readonly ['rearrange' | 'repeat', string, DimTexts, string, string])[] = [
  ['rearrange', 'b b -> b', {}, 'b', '`b` stands twice'],
  ['rearrange', 'b c -> b c c', {}, 'c', '`c` stands twice'],
  ['rearrange', '... ... -> ...', {}, '...', '`...` stands twice'],
  ['rearrange', 'b c -> b', {}, 'c', '`c` is not on the right side: rearrange keeps every axis'],
  ['rearrange', 'b c -> b c d', {}, 'd', '`d` is not on the left side: `repeat` adds axes'],
  ['rearrange', 'b c -> b c ...', {}, 'b c ...', '`...` is not on the left side'],
  ['rearrange', 'b c ... -> b c', {}, 'b c ...', '`...` is not on the right side: rearrange keeps every axis'],
  ['rearrange', 'b c -> c b', { d: 2 }, 'b c -> c b', 'the pattern has no axis `d`'],
  [
    'rearrange',
    'b (c d) -> b c d',
    {},
    '(c d)',
    'the sizes of `c` and `d` are both unknown: give one of them, `d = …`',
  ],
  ['repeat', 'b c -> b c d', {}, 'd', '`d` is new on the right side: give its size, `d = …`'],
  ['repeat', 'b c -> b d', { d: 2 }, 'c', '`c` is not on the right side: `mean`, `sum` and `max` remove axes'],
];

const dims = [
  [
    'rearrange',
    'b (n p) -> b n p',
    { p: 2 },
    '%',
    1,
    'the axis of `(n p)` is not a multiple of the sizes that are given',
  ],
  [
    'rearrange',
    'b (n p) -> b n p',
    { p: 'W' },
    '%',
    1,
    'the axis of `(n p)` is not a multiple of the sizes that are given',
  ],
  ['rearrange', 'b (n p) -> b n p', { n: 'N', p: 3 }, '==', 1, 'the sizes of `(n p)` do not multiply to its axis'],
  ['rearrange', 'b 1 -> b', {}, '==', 1, 'an axis that is written `1` has another size'],
  ['rearrange', 'b n -> n b', { n: 4 }, '==', 1, 'the axis `n` has two sizes'],
  ['repeat', 'b n -> b n p', { p: 0 }, '<=', -1, 'the size of `p` must be at least 1'],
] as const;

describe('faults', () => {
  it.each(syntax)('syntax: %s', (pattern, piece, message) => {
    const { cx, x } = inputs([['B', 'C']]);
    const found = fault(rearrange(cx, x, pattern, new Map()));
    expect(found).toMatchObject({ kind: 'syntax', message });
    expect(pointed(pattern, found)).toBe(piece);
  });

  it.each(names)('names: %s %s %o', (operation, pattern, sizes, piece, message) => {
    const { cx, x } = inputs([['B', 'C']]);
    const found = fault(run[operation](cx, x, pattern, given(sizes)));
    expect(found).toMatchObject({ kind: 'names', message });
    expect(pointed(pattern, found)).toBe(piece);
  });

  it.each(dims)('dims: %s %s %o', (operation, pattern, sizes, relation, axis, message) => {
    const { cx, x } = inputs([['B', 'N']]);
    expect(fault(run[operation](cx, x, pattern, given(sizes)))).toMatchObject({
      kind: 'dims',
      relation,
      axis,
      message,
    });
    expect(cx.build.nodes).toHaveLength(1);
  });

  it('points at the second of two names', () => {
    const { cx, x } = inputs([['B', 'C']]);
    expect(fault(rearrange(cx, x, 'b b -> b', new Map()))).toMatchObject({ at: 2, length: 1 });
  });

  it('gives what an operator refuses', () => {
    const { cx, x } = inputs([['B', 'C']]);
    const flags = cx.build.cast(x, 'bool');
    expect(fault(reduce(cx, 'mean', flags, 'b c -> b', new Map()))).toMatchObject({
      kind: 'operator',
      refusal: { op: 'mean', inputs: [flags] },
    });
  });

  it('says what a division owes, and what to do where a clause cannot say it', () => {
    const { cx, x } = inputs([['B', 'H']]);
    const even = fault(rearrange(cx, x, 'b (h p) -> b h p', given({ p: 2 })));
    expect(even).toMatchObject({ relation: '%', right: constant(2) });
    expect(even).not.toHaveProperty('help');
    const symbolic = fault(rearrange(cx, x, 'b (h p) -> b h p', given({ p: 'W' })));
    expect(symbolic).toMatchObject({ help: 'give every size of `(h p)`, `h = …` too' });
  });

  it('counts axes and operands', () => {
    const { cx, x, xs } = inputs([
      ['B', 'N'],
      ['B', 'N', 'C'],
    ]);
    const rank = (message: string) => ({ kind: 'rank', message });
    expect(fault(rearrange(cx, x, 'b -> b', new Map()))).toEqual(
      rank('the pattern names 1 axis, the tensor has 2 axes'),
    );
    expect(fault(rearrange(cx, x, 'a b c ... -> a b c ...', new Map()))).toEqual(
      rank('the pattern names at least 3 axes, the tensor has 2 axes'),
    );
    expect(fault(einsum(cx, 'b n, b n -> b', xs, new Map()))).toEqual(
      rank('the pattern names 2 axes, operand 2 has 3 axes'),
    );
    expect(fault(einsum(cx, 'b n -> b', xs, new Map()))).toEqual(
      rank('the pattern has 1 operand, the call has 2 operands'),
    );
    expect(fault(einsum(cx, '... n, ... c -> ... n c', xs, new Map()))).toEqual(
      rank('`...` stands for 2 axes in operand 2, for 1 before'),
    );
  });

  it('checks the names and sizes of einsum', () => {
    const { cx, xs } = inputs([
      ['B', 'N'],
      ['B', 'M'],
    ]);
    expect(fault(einsum(cx, 'b n, b m -> b k', xs, new Map()))).toMatchObject({ kind: 'names', at: 14, length: 1 });
    expect(fault(einsum(cx, 'b n, b m -> ... b', xs, new Map()))).toMatchObject({ kind: 'names' });
    expect(fault(einsum(cx, '... n, b m -> n', xs, new Map()))).toMatchObject({ kind: 'names' });
    expect(fault(einsum(cx, 'b n, b n -> b', xs, new Map()))).toMatchObject({
      kind: 'dims',
      relation: '==',
      input: 1,
      axis: 1,
      message: 'the axis `n` has two sizes',
    });
  });

  it('lets a reduction only remove', () => {
    const { cx, x } = inputs([['B', 'N']]);
    expect(fault(reduce(cx, 'mean', x, 'b n -> b n c', new Map()))).toMatchObject({ kind: 'names', at: 11 });
  });
});
