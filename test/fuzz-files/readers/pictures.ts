import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { imageSizes } from '../../../runtime/data/image-sizes.ts';
import { readMaskFile } from '../../../runtime/data/mask-file.ts';
import { maskPixels } from '../../../runtime/data/mask-values.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { readImage, readPicture } from '../../../runtime/images/image.ts';
import { imageTensor } from '../../../runtime/images/image-tensor.ts';
import { openScene } from '../../../runtime/predict/scene/scene-image.ts';
import { fixtureBytes } from '../../runtime/images/tiff/fixtures.ts';
import type { OpenReader, Reader } from '../reader.ts';

const [width, height] = [13, 11];
/** crobc takes more, which take longer to fill than all else. */
const mostPixels = 1_000_000;

function drawn(channels: 1 | 2 | 3 | 4): Sharp {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37) % 256);
  return sharp(data, { raw: { width, height, channels } });
}

/** As a picture and as a mask: with its pixels, and its size alone as a data set is opened. */
function pictures(name: string, make: () => Promise<Buffer[]>, repair?: OpenReader['repair']): Reader {
  return {
    async open(folder): Promise<OpenReader> {
      // The processes are for several pictures at a time.
      sharp.concurrency(1);
      const path = join(folder, name);
      const samples = await make();
      return {
        path,
        samples,
        ...(repair ? { repair } : {}),
        async read() {
          // The cache of sizes goes where there is no folder, which is no error.
          const size = (await imageSizes(new Set([path]), { dir: join(folder, 'none') })).get(path);
          const image = await readImage(path, mostPixels);
          const { length } = imageTensor(image, 4, 4);
          if (length !== 48 || image.data.length !== image.width * image.height * 3)
            throw new Error(`${image.data.length} values of ${image.width} × ${image.height}`);
          maskPixels(await readMaskFile(path, 0));
          if (size === undefined) throw new Error('the picture has no size');
          if (size instanceof UserError) throw size;
          if (size[0] !== image.width || size[1] !== image.height)
            throw new Error(`its size is ${size.join(' × ')}, and it has ${image.width} × ${image.height} pixels`);
        },
      };
    },
  };
}

/** The checksum of each chunk is made right. */
function withChecksums(bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  for (let at = 8; at + 12 <= out.length; ) {
    const end = at + 8 + out.readUInt32BE(at);
    if (end + 4 > out.length) break;
    out.writeUInt32BE(crc32(out.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return out;
}

export const png = pictures(
  'picture.png',
  () =>
    Promise.all([
      drawn(3).png().toBuffer(),
      drawn(4).png({ progressive: true }).toBuffer(),
      drawn(1).toColourspace('b-w').png().toBuffer(),
      drawn(3).png({ palette: true }).toBuffer(),
      drawn(3).toColourspace('rgb16').png().toBuffer(),
      drawn(3).withMetadata({ orientation: 6 }).png().toBuffer(),
    ]),
  withChecksums,
);

/** None in print colours: to convert those takes longer than to read all the others. */
export const jpeg = pictures('picture.jpg', () =>
  Promise.all([
    drawn(3).jpeg().toBuffer(),
    drawn(3).jpeg({ progressive: true }).toBuffer(),
    drawn(1).toColourspace('b-w').jpeg().toBuffer(),
    drawn(3).withMetadata({ orientation: 8 }).jpeg().toBuffer(),
  ]),
);

export const tiff = pictures('picture.tif', () =>
  Promise.all([
    drawn(3).tiff({ compression: 'none' }).toBuffer(),
    drawn(3).tiff({ compression: 'lzw', predictor: 'horizontal' }).toBuffer(),
    drawn(1).toColourspace('b-w').tiff({ compression: 'deflate' }).toBuffer(),
    drawn(1).toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 }).toBuffer(),
    drawn(3).tiff({ compression: 'jpeg' }).toBuffer(),
    drawn(3).toColourspace('rgb16').tiff({ tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
  ]),
);

/** Bands that are measurements, and the reference system, which crobc reads itself. */
export const geotiff: Reader = {
  // A decoded block may take 256 MiB.
  memory: 1e9,
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'scene.tif');
    const names = ['uint8-deflate-tiles', 'uint16-lzw-planar-strips', 'uint16-none-planar', 'uint16-packbits'];
    const samples = [...names, 'float32-float-predictor', 'sparse', 'rotated', 'jpeg-ycbcr'].map(fixtureBytes);
    return {
      path,
      samples: await Promise.all(samples),
      async read() {
        const { image } = await readPicture(path, { stretch: { low: 2, high: 98 } }, mostPixels);
        if (image.data.length !== image.width * image.height * 3)
          throw new Error(`${image.data.length} values of ${image.width} × ${image.height}`);
        const scene = await openScene(path, { stretch: { low: 0, high: 100 }, bands: [1] }, 16);
        try {
          const size = { width: Math.min(16, scene.width), height: Math.min(16, scene.height) };
          const { data } = await scene.read({
            left: scene.width - size.width,
            top: scene.height - size.height,
            ...size,
          });
          if (data.length !== size.width * size.height * 3) throw new Error(`${data.length} values of a window`);
        } finally {
          await scene.close();
        }
      },
    };
  },
};

export const webp = pictures('picture.webp', () =>
  Promise.all([drawn(3).webp().toBuffer(), drawn(4).webp({ lossless: true }).toBuffer()]),
);
