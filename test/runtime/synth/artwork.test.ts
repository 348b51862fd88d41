import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Category } from '../../../runtime/synth/categories/category.ts';
import { categories } from '../../../runtime/synth/categories/index.ts';
import { paint } from '../../../runtime/synth/colours.ts';
import { placed, scan } from '../../../runtime/synth/geometry.ts';
import { Random } from '../../../runtime/synth/random.ts';
import { group } from '../../../runtime/synth/svg.ts';
import { drawnSeed } from '../../seed.ts';

const SIZE = 240;

/** A length of the category in metres: 0 is the shortest. */
function lengthOf({ metres: [shortest, longest] }: Category, share: number): number {
  return shortest + (longest - shortest) * share;
}

describe('every category', () => {
  test.each(categories.map((category) => [category.name, category] as const))(
    '%s: what librsvg draws is what the mask covers',
    async (_, category) => {
      for (let i = 0; i < 5; i++) {
        const random = new Random(drawnSeed(i), [0, 0]);
        const colour = category.colours[i % Math.max(1, category.colours.length)];
        const artwork = category.draw(random, colour ? paint(random, colour) : '#888888', lengthOf(category, i / 4));
        const at = { x: SIZE / 2 + 0.3, y: SIZE / 2 + 0.2, angle: 30 * i, length: SIZE * 0.7 };
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}">${group(at, artwork.svg([0.6, -0.8]))}</svg>`;
        const drawn = await sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer();
        const mask = new Uint8Array(SIZE * SIZE);
        for (const polygon of artwork.outline) {
          scan(placed(polygon, at), SIZE, SIZE, 1, (y, from, to) => {
            mask.fill(1, y * SIZE + from, y * SIZE + to);
          });
        }
        let [area, wrong] = [0, 0];
        for (let i = 0; i < mask.length; i++) {
          const opaque = drawn[i * 4 + 3]! >= 128 ? 1 : 0;
          area += mask[i]!;
          if (opaque !== mask[i]) wrong++;
        }
        expect(area).toBeGreaterThan(SIZE * SIZE * 0.03);
        expect(wrong / area, `drawing ${i}: ${wrong} of ${area} pixels`).toBeLessThan(0.02);
      }
    },
  );

  test('no noun is of two categories', () => {
    const nouns = categories.flatMap(({ nouns }) => nouns);
    expect(new Set(nouns).size).toBe(nouns.length);
    const general = categories.flatMap(({ general }) => general ?? []);
    expect(nouns.filter((noun) => general.includes(noun))).toEqual([]);
  });
});
