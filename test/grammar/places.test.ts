// slow: hundreds of thousands of expectations

import { expect, test } from 'vitest';
import { Places, type Range, Ranges } from '../../grammar/places.ts';
import { draws } from '../draws.ts';
import { drawnSeed } from '../seed.ts';

test('places and ranges are what plain lists of them are', () => {
  for (let i = 1; i <= 200; i++) {
    const draw = draws(drawnSeed(i));
    const [places, ranges] = [new Places(), new Ranges()];
    let listed: number[] = [];
    const added: Range[] = [];
    const within = ({ start, end }: Range, place: number) => start <= place && place <= end;
    for (let step = 0; step < 30; step++) {
      const start = draw.below(60);
      const range = { start, end: start + draw.below(12) };
      const place = draw.below(60);
      switch (draw.below(3)) {
        case 0:
          places.add(place);
          listed = [...new Set([...listed, place])].sort((a, b) => a - b);
          break;
        case 1:
          ranges.add(range);
          added.push(range);
          break;
        default:
          expect(places.take(range)).toEqual(listed.filter((one) => within(range, one)));
          listed = listed.filter((one) => !within(range, one));
      }
      expect(places.has(place)).toBe(listed.includes(place));
      expect(places.any(range)).toBe(listed.some((one) => within(range, one)));
      for (let one = 0; one < 75; one++) expect(ranges.has(one)).toBe(added.some((range) => within(range, one)));
    }
  }
});
