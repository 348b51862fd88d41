import { expect, test } from 'vitest';
import { bounded, moreLine } from '../../cli/messages.ts';
import { diagnostic } from '../../compiler/diagnostics/diagnostic.ts';

const message = (file: string, start: number) =>
  diagnostic('CROB2001', { file, start, end: start + 1 }, { name: `n${start}` });

test('ten messages of a code in a file are shown, and the others counted', () => {
  const all = Array.from({ length: 25 }, (_, i) => message(i < 13 ? 'a.crob' : 'b.crob', i));
  const { shown, more } = bounded(all);
  expect(shown).toEqual([...all.slice(0, 10), ...all.slice(13, 23)]);
  expect(more.map(moreLine)).toEqual([
    'a.crob has 3 more messages of CROB2001',
    'b.crob has 2 more messages of CROB2001',
  ]);
  expect(bounded(all.slice(0, 10))).toEqual({ shown: all.slice(0, 10), more: [] });
  expect(bounded(all.slice(0, 11)).more.map(moreLine)).toEqual(['a.crob has 1 more message of CROB2001']);
});
