import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addPart } from '../../../runtime/images/coco-mask.ts';
import { cocoMask } from '../../../runtime/images/coco-runs.ts';
import { holds } from '../../property.ts';

// What `pycocotools.mask.encode(np.asfortranarray(m))` of version 2.0.11 gives.
it('writes what pycocotools writes', () => {
  const square = Uint8Array.from([0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
  expect(cocoMask(square, 4, 4)).toEqual({ size: [4, 4], counts: '52203' });
  expect(cocoMask(new Uint8Array(12), 3, 4)).toEqual({ size: [3, 4], counts: '<' });
  expect(cocoMask(new Uint8Array(12).fill(255), 3, 4)).toEqual({ size: [3, 4], counts: '0<' });
  const pattern = Uint8Array.from({ length: 60 * 90 }, (_, i) => {
    const [x, y] = [i % 90, Math.floor(i / 90)];
    return (x * 7 + y * 13) % 37 < 9 || (x - 40) ** 2 + (y - 30) ** 2 < 300 ? 1 : 0;
  });
  const { counts } = cocoMask(pattern, 60, 90);
  expect(counts).toHaveLength(2267);
  expect(createHash('sha256').update(counts).digest('hex')).toBe(
    '58eb8b09104a0824dfab031b7c7e50cfb2b5fc21d8a5525f8c80c44f66863e75',
  );
});

it('is read back as the same mask', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }));
  const masks = sizes.chain(([height, width]) => {
    const length = { minLength: height * width, maxLength: height * width };
    return fc.record({
      height: fc.constant(height),
      width: fc.constant(width),
      mask: fc.uint8Array({ ...length, max: 1 }),
    });
  });
  holds(
    fc.property(masks, ({ height, width, mask }) => {
      const plane = new Uint8Array(height * width);
      addPart(plane, { kind: 'compressed', counts: cocoMask(mask, height, width).counts }, height, width);
      expect(plane).toEqual(Uint8Array.from(mask));
    }),
    { seed: 5 },
  );
});
