import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { join } from 'node:path';
import sharp from 'sharp';
import { imageInput, load, maskOf, textInputs } from './model/CroBIM_micro.js';

const mostBytes = 32 * 2 ** 20;

/** Returns a server of the model in a folder: POST /?text=… with an image gives the mask as PNG, 255 where the object is. */
export async function modelServer(folder: string): Promise<Server> {
  const manifest = JSON.parse(await readFile(join(folder, 'CroBIM_micro.manifest.json'), 'utf8'));
  const vocabulary = await readFile(join(folder, manifest.preprocessing.text.vocabulary.file), 'utf8');
  const model = await load(join(folder, 'CroBIM_micro.onnx'));
  const segment = async (picture: Buffer, text: string): Promise<Buffer> => {
    // As in training: turned as the EXIF data say, without alpha, and without a conversion of colours.
    const { data, info } = await sharp(picture, { ignoreIcc: true })
      .autoOrient()
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const { logits } = await model.run({ image: imageInput({ data, width, height }), ...textInputs(text, vocabulary) });
    const mask = maskOf(logits, { width, height }).map((inside) => inside * 255);
    return sharp(mask, { raw: { width, height, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
  };
  return createServer(async (request, response) => {
    try {
      const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
      const png = await segment(await bodyOf(request), searchParams.get('text') ?? '');
      response.writeHead(200, { 'content-type': 'image/png' }).end(png);
    } catch (error) {
      response
        .writeHead(400, { 'content-type': 'text/plain' })
        .end(error instanceof Error ? error.message : String(error));
    }
  });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > mostBytes) throw new Error(`an image of more than ${mostBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
