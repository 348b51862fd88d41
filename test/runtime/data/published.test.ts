import { expect, test } from 'vitest';
import { countsNote, publishedAs } from '../../../runtime/data/published.ts';

const risbench = { train: 26_300, val: 10_013, test: 16_159 };
const refsegrs = { train: 2_172, val: 431, test: 1_817 };

test('RISBench and RefSegRS are told by their files, and by a split of at least half the published number', () => {
  expect(publishedAs('phrase-files', risbench, false)?.name).toBe('RISBench');
  expect(publishedAs('phrase-files', { val: 5_007 }, false)?.name).toBe('RISBench');
  expect(publishedAs('phrase-files', { val: 5_006 }, false)).toBeUndefined();
  expect(publishedAs('phrase-files', refsegrs, true)?.name).toBe('RefSegRS');
  expect(publishedAs('phrase-files', refsegrs, false)).toBeUndefined();
  expect(publishedAs('rrsis-d', { train: 1 }, false)?.name).toBe('RRSIS-D');
  expect(publishedAs('sample-lines', risbench, false)).toBeUndefined();
});

test('the splits sum to the triplets of Table I', () => {
  const triplets = [
    ['phrase-files', risbench, false, 52_472],
    ['phrase-files', refsegrs, true, 4_420],
    ['rrsis-d', {}, false, 17_402],
  ] as const;
  for (const [kind, counts, tiff, total] of triplets) {
    const { splits } = publishedAs(kind, counts, tiff)!;
    expect(Object.values(splits).reduce((sum, count) => sum + count, 0)).toBe(total);
  }
});

test('a note names only the splits that differ', () => {
  const published = publishedAs('phrase-files', risbench, false)!;
  expect(countsNote(published, risbench)).toBeUndefined();
  expect(countsNote(published, { ...risbench, test: 16_158 })).toBe(
    'these are not all samples of RISBench as it was published: test 16,158 of 16,159',
  );
  expect(countsNote(published, { ...risbench, extra: 3 })).toMatch(/: extra 3 of none$/);
});
