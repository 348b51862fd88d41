import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { loadSharp } from '../load-sharp.ts';
import { TiffFault } from './directory.ts';
import type { TiffLayout } from './layout.ts';
import { decodeLzw } from './lzw.ts';

const inflate = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflate);

/** The size of a block in samples of a row, rows, and bytes. */
export interface BlockSize {
  readonly width: number;
  readonly height: number;
  /** Interleaved samples of a pixel. */
  readonly samples: number;
  readonly bytes: number;
}

/**
 * Decompresses a block. Never gives more than `size.bytes`, however much is packed into `data`; fewer where the data
 * ends before. Throws a TiffFault.
 */
export async function decompress(data: Uint8Array, layout: TiffLayout, size: BlockSize): Promise<Uint8Array> {
  switch (layout.compression) {
    case 'none':
      return data.subarray(0, size.bytes);
    case 'lzw':
      return decodeLzw(data, size.bytes);
    case 'packbits':
      return unpackBits(data, size.bytes);
    case 'deflate':
      return unpacked(() => inflate(data, { maxOutputLength: size.bytes }));
    case 'zstd':
      return unpacked(zstd(data, size.bytes));
    case 'jpeg':
      return decodeJpeg(data, layout, size);
  }
}

async function unpacked(unpack: () => Promise<Buffer>): Promise<Uint8Array> {
  try {
    return await unpack();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const why = code === 'ERR_BUFFER_TOO_LARGE' ? 'a block unpacks to more than its size' : message;
    throw new TiffFault(`the image is truncated or damaged (${why})`);
  }
}

type Unpack = (data: Uint8Array, options: zlib.ZlibOptions, done: (error: Error | null, out: Buffer) => void) => void;

/** Zstandard came to Node.js after the oldest version that crobc supports, and after the types of that. */
const zstdDecompress: Unpack | undefined = Reflect.get(zlib, 'zstdDecompress');

function zstd(data: Uint8Array, maxOutputLength: number): () => Promise<Buffer> {
  if (zstdDecompress === undefined)
    throw new TiffFault(
      `it is compressed with Zstandard, which Node.js ${process.versions.node} lacks: use a newer one, or write it with deflate (gdal_translate -co COMPRESS=DEFLATE)`,
    );
  return () => promisify(zstdDecompress)(data, { maxOutputLength });
}

function unpackBits(data: Uint8Array, most: number): Uint8Array {
  const out = new Uint8Array(most);
  let at = 0;
  for (let i = 0; i < data.length && at < most; ) {
    const control = data[i++]!;
    if (control === 128) continue;
    if (control < 128) {
      const part = data.subarray(i, i + Math.min(control + 1, most - at));
      out.set(part, at);
      at += part.length;
      i += control + 1;
    } else {
      const count = Math.min(257 - control, most - at);
      out.fill(data[i++] ?? 0, at, at + count);
      at += count;
    }
  }
  return out.subarray(0, at);
}

/**
 * Decodes a JPEG stream with the tables that all blocks share. TIFF says the colours and the stream does not, so Adobe's
 * marker is put in that tells the decoder.
 */
async function decodeJpeg(data: Uint8Array, layout: TiffLayout, size: BlockSize): Promise<Uint8Array> {
  const damaged = (why: string) => new TiffFault(`the image is truncated or damaged (${why})`);
  if (layout.samples !== 'uint8') throw new TiffFault('its JPEG has more than 8 bits a sample');
  if (size.samples !== 1 && size.samples !== 3) throw new TiffFault(`its JPEG has ${size.samples} bands`);
  if (data[0] !== 0xff || data[1] !== 0xd8) throw damaged('a block is no JPEG');
  const { jpegTables, photometric } = layout;
  const tables = jpegTables === undefined ? [] : [jpegTables.subarray(2, Math.max(2, jpegTables.length - 2))];
  const transform = photometric === 'ycbcr' ? 1 : 0;
  const adobe = size.samples === 3 ? [Buffer.from([...adobeMarker, transform])] : [];
  const stream = Buffer.concat([data.subarray(0, 2), ...adobe, ...tables, data.subarray(2)]);
  const sharp = await loadSharp();
  try {
    const picture = sharp(stream, { failOn: 'error', limitInputPixels: false });
    const { format, width, height } = await picture.metadata();
    if (format !== 'jpeg' || width !== size.width || height > size.height)
      throw damaged(`a block of ${width} × ${height} pixels instead of ${size.width} × ${size.height}`);
    const { data: out, info } = await picture
      .toColourspace(size.samples === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== size.samples) throw damaged('a block has other bands');
    return out;
  } catch (error) {
    if (error instanceof TiffFault || !(error instanceof Error)) throw error;
    throw damaged(error.message.split('\n')[0] ?? '');
  }
}

/** APP14: length 14, "Adobe", version 100, two words of flags; the transform follows. */
const adobeMarker = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0] as const;
