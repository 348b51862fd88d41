// slow: formats mistaken sources

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/parse.ts';
import type { Span } from '../../grammar/span.ts';
import { holds } from '../property.ts';
import { snippets } from './snippets/read.ts';
import { sources } from './sources.ts';
import { bare, sourceFile } from './trees.ts';

/** Formats, and holds the result to what every formatting promises. */
function check(text: string): string {
  const { tree, faults } = parse('x.crob', text);
  expect(faults).toEqual([]);
  const formatted = format(tree);
  const again = parse('x.crob', formatted);
  expect(again.faults).toEqual([]);
  expect(bare(again.tree)).toEqual(bare(tree));
  expect(again.tree.comments.map((comment) => comment.text)).toEqual(tree.comments.map((comment) => comment.text));
  expect(format(again.tree)).toBe(formatted);
  return formatted;
}

describe('snippets', () => {
  test.each(snippets)('%s', (_, text) => {
    check(text);
  });

  test.each(snippets)('%s with comments anywhere', (_, text) => {
    const { tree } = parse('x.crob', text);
    let checked = 0;
    const same = JSON.stringify(bare(tree));
    holds(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: text.length }), fc.boolean()), { minLength: 1, maxLength: 6 }),
        (places) => {
          let changed = text;
          places
            .sort((a, b) => b[0] - a[0])
            .forEach(([at, own], i) => {
              // At the next end of a line, or behind the next comma, operator or bracket, or before one that closes.
              const offset = changed.slice(at).search(own ? /\n/ : /(?<=[,+({[])\s|(?=[)\]}])/);
              if (offset < 0) return;
              const comment = own ? `\n  // own ${i}` : ` // behind ${i}\n`;
              changed = `${changed.slice(0, at + offset)}${comment}${changed.slice(at + offset)}`;
            });
          const result = parse('x.crob', changed);
          // A comment inside a string, or one that ends a statement early, makes another program.
          if (result.faults.length > 0 || JSON.stringify(bare(result.tree)) !== same) return;
          check(changed);
          checked++;
        },
      ),
      { seed: 11, numRuns: 30 },
    );
    expect(checked).toBeGreaterThan(5);
  });
});

describe('parentheses that hold a comment', () => {
  test.each([
    ['fn f(a: int) = (a * 5 // five\n)\n', 'fn f(a: int) = a*5 // five\n'],
    ['fn f(a: int) = x[(a + 5 // five\n)]\n', undefined],
    ['fn f(a: int) = (a // one\n * 5 // five\n)\n', undefined],
    ['fn f(a: int) = a * (5 // five\n) * (b // b\n)\n', undefined],
  ])('%s', (text, expected) => {
    const formatted = check(text);
    if (expected) expect(formatted).toBe(expected);
  });

  test.each(snippets)('%s, around any expressions', (_, text) => {
    const { tree } = parse('x.crob', text);
    const same = JSON.stringify(bare(tree));
    const places = expressions(tree);
    let checked = 0;
    holds(
      fc.property(fc.nat({ max: places.length - 1 }), (which) => {
        const { start, end } = places[which]!;
        const changed = `${text.slice(0, start)}(${text.slice(start, end)} // inside\n)${text.slice(end)}`;
        const result = parse('x.crob', changed);
        if (result.faults.length > 0 || JSON.stringify(bare(result.tree)) !== same) return;
        check(changed);
        checked++;
      }),
      { seed: 7, numRuns: 30 },
    );
    expect(checked).toBeGreaterThan(10);
  });
});

/** Where expressions stand that operators or calls make. */
function expressions(node: unknown): readonly Span[] {
  if (typeof node !== 'object' || node === null) return [];
  const inside = Object.values(node).flatMap(expressions);
  const { kind, span } = node as { kind?: unknown; span?: Span };
  return span && ['binary', 'call', 'name', 'int'].includes(String(kind)) ? [span, ...inside] : inside;
}

test('what models need has one style', () => {
  const text = `type Pyramid( c : int[ 4 ] )=[ f32[B , c[i] , H] for i in 0..4 ] ?
module M( mode :"a"|"b" ?="a" , sizes: list[ int ]? = none ): Fusion {
  norm=LayerNorm( 8 )if mode!="a"
  forward{
    let( vision , words=w )=both( x )
    return vision+w }
  method weights{ return x }
}
model N { gate=Gate( 8 )if residual ; let(a,b=b)=both(x) }
`;
  expect(check(text)).toBe(`type Pyramid(c: int[4]) = [f32[B, c[i], H] for i in 0..4]?

module M(mode: "a" | "b"? = "a", sizes: list[int]? = none): Fusion {
  norm = LayerNorm(8) if mode != "a"
  forward {
    let (vision, words = w) = both(x)
    return vision + w
  }
  method weights { return x }
}

model N { gate = Gate(8) if residual; let (a, b) = both(x) }
`);
});

test.each(sources)('%s is formatted', (_, text) => {
  expect(check(text)).toBe(text);
});

test('in a list of paths, one of several lines, and the one behind it, begin a line', () => {
  const text = `recipe B {
  init B from false except y,
    x[if 1.0 { let (B) = only } else {
      let list = none
      x + 1
    }].B,
    x
}
`;
  expect(check(text)).toBe(text);
});

test('random trees are read back from their text', () => {
  holds(
    fc.property(sourceFile, (tree) => {
      const text = format(tree);
      const { tree: read, faults } = parse('x.crob', text);
      expect(faults, text).toEqual([]);
      expect(bare(read)).toEqual(bare(tree));
      expect(format(read)).toBe(text);
    }),
    { seed: 5, numRuns: 250 },
  );
});
