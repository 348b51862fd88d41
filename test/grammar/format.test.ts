import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/parse.ts';
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
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: text.length }), fc.boolean()), { minLength: 1, maxLength: 6 }),
        (places) => {
          let changed = text;
          places
            .sort((a, b) => b[0] - a[0])
            .forEach(([at, own], i) => {
              // At the next end of a line, or behind the next comma, operator or bracket.
              const offset = changed.slice(at).search(own ? /\n/ : /(?<=[,+({[])\s/);
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

test.each(sources)('%s is formatted', (_, text) => {
  expect(check(text)).toBe(text);
});

test('random trees are read back from their text', () => {
  fc.assert(
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
