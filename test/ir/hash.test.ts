import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { read } from '../../compiler/graphs/read.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { graphHash, sha256 } from '../../compiler/ir/hash.ts';
import { print } from '../../compiler/ir/print.ts';
import { holds } from '../property.ts';

describe('sha256', () => {
  it('agrees with the published examples', () => {
    const hash = (text: string) => sha256(new TextEncoder().encode(text));
    expect(hash('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hash('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('agrees with Node on any bytes', () => {
    holds(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(sha256(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

const text = `graph "A" "docs"
fact H mod 2 == 0
%0 = input name="x" : f32[B, H]  // a
%1 = exp %0 : f32[B, H]
%2 = neg %0 : f32[B, H]
%3 = add %1, %2 : f32[B, H]
input "x" = %0 ""
output "y" = %3 ""
`;

describe('graphHash', () => {
  const changed = (from: string, to: string): Graph => {
    expect(text).toContain(from);
    return read(text.replace(from, to));
  };
  const hash = graphHash(read(text));

  it('does not depend on ids, names of the model, documentation, origins or the order of equations', () => {
    expect(graphHash(read(text))).toBe(hash);
    expect(graphHash(changed('"A" "docs"', '"B" ""'))).toBe(hash);
    expect(graphHash(changed('// a', '// b: c'))).toBe(hash);
    expect(graphHash(changed('%3 ""', '%3 "documented"'))).toBe(hash);
    const swapped = changed(
      '%1 = exp %0 : f32[B, H]\n%2 = neg %0 : f32[B, H]',
      '%2 = neg %0 : f32[B, H]\n%1 = exp %0 : f32[B, H]',
    );
    expect(print(swapped)).not.toBe(text);
    expect(graphHash(swapped)).toBe(hash);
  });

  it.each([
    ['exp', 'log'],
    ['%1, %2', '%2, %1'],
    ['mod 2', 'mod 4'],
    ['output "y"', 'output "z"'],
  ])('depends on %s', (from, to) => {
    expect(graphHash(changed(from, to))).not.toBe(hash);
  });
});
