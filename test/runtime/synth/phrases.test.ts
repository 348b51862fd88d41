// slow: draws hundreds of scenes

import { describe, expect, test } from 'vitest';
import { categories } from '../../../runtime/synth/categories/index.ts';
import { isSize } from '../../../runtime/synth/facts.ts';
import { formFor } from '../../../runtime/synth/make-data-set.ts';
import { MOST_TOKENS } from '../../../runtime/synth/phrases.ts';
import type { SceneObject } from '../../../runtime/synth/scene.ts';
import { drawSample, type Plan } from '../../../runtime/synth/write-data-set.ts';
import { openTokenizer } from '../../../runtime/text/tokenizer.ts';
import { referents } from './reading.ts';

const plan = (size: number, seed = 3): Plan => ({
  seed,
  form: formFor(size),
  phrases: 3,
  scenes: { train: 40, val: 0, test: 0 },
});

const samples = [64, 256].flatMap((size) => Array.from({ length: 25 }, (_, i) => drawSample(plan(size), 'train', i)));

describe('phrases', () => {
  test('more than a thousand of them, read from their words, are each true of one object of their scene', () => {
    let read = 0;
    const wrong: string[] = [];
    for (const [size, scenes] of [
      [64, 300],
      [256, 150],
    ] as const) {
      for (let i = 0; i < scenes; i++) {
        const { scene, phrases } = drawSample(plan(size, 11), 'train', i);
        for (const { text, object } of phrases) {
          read++;
          const found = referents(text, scene.objects);
          if (found.join() !== String(object)) wrong.push(`${size} ${i}: ${text}: ${object}, not ${found}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(read).toBe(1350);
  });

  test('a size word is true among all that the noun covers', () => {
    const lengths = { car: [4, 5], truck: [8, 16], both: [4, 16] } as const;
    const car = {
      ...samples[0]!.scene.objects[0]!,
      category: categories.find(({ name }) => name === 'small vehicle')!,
      lengths: { own: lengths.car, general: lengths.both },
    };
    const truck = {
      ...car,
      category: categories.find(({ name }) => name === 'large vehicle')!,
      lengths: { own: lengths.truck, general: lengths.both },
    };
    const sizes = (object: SceneObject, noun: string) =>
      object.lengths.own.map((metres) =>
        (['small', 'large'] as const).filter((word) => isSize({ ...object, metres }, word, noun) === true),
      );
    expect(sizes(car, 'car')).toEqual([['small'], ['large']]);
    expect(sizes(truck, 'truck')).toEqual([['small'], ['large']]);
    expect(sizes(car, 'vehicle')).toEqual([['small'], ['small']]);
    expect(sizes(truck, 'vehicle')).toEqual([['small'], ['large']]);
  });

  test('the text says what the query says', () => {
    const words: Record<string, RegExp> = {
      top: /\b(top|upper)\b/,
      bottom: /\b(bottom|lower)\b/,
      left: /\bleft\b/,
      right: /\bright\b/,
      center: /\b(center|middle)\b/,
      large: /\b(large|big)\b/,
      small: /\bsmall\b/,
      leftmost: /\bleft/,
      rightmost: /\bright/,
      topmost: /\btop/,
      bottommost: /\bbottom/,
      largest: /\blarge[rs]/,
      smallest: /\bsmalle[rs]/,
      above: /\babove\b/,
      below: /\bbelow\b/,
      'left of': /\bleft( side)? of\b/,
      'right of': /\bright( side)? of\b/,
      near: /\b(near|next to|close to|beside)\b/,
      'larger than': /\blarger than\b/,
      'smaller than': /\bsmaller than\b/,
      in: /\b(in|on) the\b/,
      at: /\b(moored|docked) at the\b/,
      closest: /\b(closest|nearest) to the\b/,
    };
    for (const { phrases } of samples) {
      for (const { text, query } of phrases) {
        const { noun, colour, shape, size, position, order, relation, landmark } = query;
        const said = [size, order, relation?.kind, landmark?.kind, relation?.to.size, ...(position?.split(' ') ?? [])];
        for (const one of said) if (one !== undefined) expect(text).toMatch(words[one]!);
        const literal = [colour, shape, relation?.to.noun, relation?.to.colour, relation?.to.shape];
        for (const one of literal) if (one !== undefined) expect(text).toContain(one);
        const plural =
          categories.find(({ nouns }) => nouns[0] === noun)?.plural ?? (noun === 'lorry' ? 'lorries' : `${noun}s`);
        expect(text.includes(noun) || text.includes(plural), text).toBe(true);
      }
    }
  });

  test('words are whole in the vocabulary that ships with crobc, and as many as a text encoder takes', async () => {
    const tokenizer = await openTokenizer('models/vocab/aerial.txt');
    const names = categories.flatMap(({ nouns, plural, colours }) => [...nouns, plural, ...colours]);
    const texts = [...samples.flatMap(({ phrases }) => phrases.map(({ text }) => text)), ...names];
    for (const text of texts) {
      const { tokens, truncated } = tokenizer.encode(text, MOST_TOKENS + 2);
      expect(truncated, text).toBe(false);
      expect(
        tokens.filter((token) => token === '[UNK]' || token.startsWith('##')),
        text,
      ).toEqual([]);
    }
  });

  test('most of what is named has another of its kind beside it, and its area alone does not tell', () => {
    const named = samples.flatMap(({ scene, phrases }) =>
      phrases.map(({ object }) => ({ scene, object: scene.objects[object]! })),
    );
    const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
    const rivals = named.map(({ scene, object }) =>
      scene.objects.filter(({ category }) => category === object.category).length > 1 ? 1 : 0,
    );
    expect(mean(rivals)).toBeGreaterThan(0.6);
    const shareOfAll = named.map(
      ({ scene, object }) => object.area / scene.objects.reduce((sum, { area }) => sum + area, 0),
    );
    expect(mean(shareOfAll)).toBeLessThan(0.35);
  });
});

describe('scenes', () => {
  test('what is measured of an object is what its label covers', () => {
    for (const { scene } of samples) {
      const size = Math.sqrt(scene.labels.length);
      for (const [i, object] of scene.objects.entries()) {
        let [count, sumX, left, right] = [0, 0, size, 0];
        for (const [at, label] of scene.labels.entries()) {
          if (label !== i + 1) continue;
          count++;
          sumX += (at % size) + 0.5;
          left = Math.min(left, at % size);
          right = Math.max(right, (at % size) + 1);
        }
        expect(object.area).toBeCloseTo(count / size ** 2, 9);
        expect(object.x).toBeCloseTo(sumX / count / size, 9);
        expect([object.left, object.right]).toEqual([left / size, right / size]);
      }
    }
  });

  test('objects do not touch, and none is lost', () => {
    for (const { scene } of samples) {
      const size = Math.sqrt(scene.labels.length);
      let touching = 0;
      for (const [i, label] of scene.labels.entries()) {
        const right = (i + 1) % size === 0 ? 0 : scene.labels[i + 1]!;
        const below = scene.labels[i + size] ?? 0;
        if (label !== 0 && [right, below].some((other) => other !== 0 && other !== label)) touching++;
      }
      expect(touching).toBe(0);
      for (const { area } of scene.objects) expect(area).toBeGreaterThan(0.0012);
    }
  });

  test('objects can be seen in a small image, and none fills it', () => {
    for (const { scene } of samples.slice(0, 25)) {
      for (const { area } of scene.objects) {
        expect(area).toBeGreaterThanOrEqual(0.006);
        expect(area).toBeLessThan(0.3);
      }
    }
  });
});
