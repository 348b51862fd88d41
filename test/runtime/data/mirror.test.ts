import { describe, expect, test } from 'vitest';
import { isMirrored, mirrorPhrase } from '../../../runtime/data/mirror.ts';

test.each([
  ['the ship on the left', 'the ship on the right'],
  ['the Right-hand court, LEFT of the leftmost tank', 'the Left-hand court, RIGHT of the rightmost tank'],
  ['the upper-left car in the northeast', 'the upper-right car in the northwest'],
  ['facing east, on the western shore', 'facing west, on the eastern shore'],
  ['the car above the bridge', 'the car above the bridge'],
  ['a T-shaped pier, to the left', 'a T-shaped pier, to the right'],
  ['Left side: the plane at the port', 'Right side: the plane at the port'],
  ['the upright pole', 'the upright pole'],
  ['ship left', 'ship right'],
])('%s ↔ %s', (phrase, mirrored) => {
  expect(mirrorPhrase(phrase)).toBe(mirrored);
  expect(mirrorPhrase(mirrored)).toBe(phrase);
});

test.each([
  'the ship right next to the pier',
  'cars turning clockwise',
  'the counter-clockwise roundabout',
  'an L-shaped roof',
  'a right-angled corner',
  // Words of sides that are not among those with a mirror image.
  'the crane in the NE corner',
  'the boat at 3 o\u2019clock',
  "the boat at 3 o'clock",
  'the ship on the port side',
  'the starboard wing',
  // What is left need not be at the left.
  'what is left over of the runway',
  'the ship that is left',
  'the plane left the runway',
  'the car left behind the house',
  'brightly upright leftovers',
  // Letters, digits, and words of another language.
  'the number 7 on the roof',
  'an F-shaped building',
  'le bateau à gauche',
  'the zorb',
])('%s: left as it is, since its mirror image has no sure name', (phrase) => {
  expect(mirrorPhrase(phrase)).toBeUndefined();
});

describe('which samples are mirrored', () => {
  const drawn = (seed: number, epoch: number) => Array.from({ length: 2000 }, (_, i) => isMirrored(i, seed, epoch));

  test('about half, others in another epoch', () => {
    const first = drawn(1, 0);
    // Five standard deviations.
    expect(Math.abs(first.filter(Boolean).length - 1000)).toBeLessThan(112);
    const changed = drawn(1, 1).filter((mirrored, i) => mirrored !== first[i]).length;
    expect(Math.abs(changed - 1000)).toBeLessThan(112);
    expect(drawn(1, 0)).toEqual(first);
  });
});
