import { join } from 'node:path';
import { FileSet } from '../../files/file-set.ts';
import { readParts } from '../../files/read-file.ts';
import { UserError } from '../../files/user-error.ts';
import { geoJson } from '../../images/geojson.ts';
import type { RgbImage } from '../../images/image.ts';
import { encodeImage, overlay } from '../../images/mask.ts';
import { mostCorners, PolygonTracer } from '../../images/polygons.ts';
import { openBytes } from '../../images/tiff/byte-source.ts';
import { TiffReader } from '../../images/tiff/tiff-reader.ts';
import { startProgress } from '../../process/progress.ts';
import type { Prediction, PredictionFiles } from '../predict.ts';
import type { SceneTotals } from './partial.ts';
import type { SceneImage } from './scene-image.ts';

interface SceneResult {
  readonly stem: string;
  readonly out: string;
  /** The finished mask, in its temporary place. */
  readonly maskPath: string;
  readonly scene: SceneImage;
  /** The whole scene, each pixel of which is the mean of k × k. */
  readonly small: { readonly image: RgbImage; readonly k: number };
  readonly totals: SceneTotals;
  readonly geoJson: boolean;
  readonly text: string | undefined;
}

/** Bytes of the rows of a mask that are read at a time. */
const rowBytes = 2 ** 22;

/** Writes mask, overlay, polygons and JSON of a scene: all of them or none. */
export async function writeScene(
  result: SceneResult,
  describe: (files: PredictionFiles) => Prediction,
): Promise<Prediction> {
  const { stem, out, maskPath, scene } = result;
  const { image: small, k } = result.small;
  const names = {
    mask: `${stem}.mask.tif`,
    overlay: `${stem}.overlay.png`,
    geojson: `${stem}.geojson`,
    json: `${stem}.json`,
  };
  const files = {
    mask: join(out, names.mask),
    overlay: join(out, names.overlay),
    json: join(out, names.json),
    ...(result.geoJson ? { geojson: join(out, names.geojson) } : {}),
  };
  const prediction = describe(files);
  const tracer = result.geoJson ? new PolygonTracer(scene.width) : undefined;
  const shrunk = new Uint8Array(small.width * small.height);
  const progress = startProgress('writing the mask', scene.height);
  const readRow = (row: Uint8Array, y: number) => {
    const to = Math.floor(y / k) * small.width;
    // A small object is one pixel of the overlay at least.
    for (let x = 0; x < row.length; x++) if (row[x] !== 0) shrunk[to + Math.floor(x / k)] = 1;
    if (tracer && !tracer.add(row))
      throw new UserError(
        `the mask has more than ${mostCorners.toLocaleString('en')} corners, too many for --geojson: --resume without it ends the run`,
      );
    progress.update(y + 1);
  };
  try {
    await eachRow(maskPath, readRow);
  } finally {
    progress.finish();
  }
  const set = new FileSet(out, [names.mask, names.overlay, names.geojson, names.json]);
  try {
    const mask = await set.open(names.mask);
    for await (const part of readParts(maskPath, 'bytes', rowBytes)) await mask.write(part);
    await set.write(names.overlay, await encodeImage(overlay(small, { ...small, mask: shrunk })));
    if (tracer) {
      const file = await set.open(names.geojson);
      const properties = { text: result.text ?? null };
      for (const part of geoJson(tracer.polygons(), scene.georeference, properties)) await file.write(part);
    }
    await set.write(names.json, `${JSON.stringify(prediction, null, 2)}\n`);
    await set.commit();
  } finally {
    await set.abort();
  }
  return prediction;
}

/** Reads a mask row by row. */
async function eachRow(path: string, use: (row: Uint8Array, y: number) => void): Promise<void> {
  const source = await openBytes(path);
  try {
    const header = await TiffReader.open(source);
    const { width, height, blocks } = header.layout;
    const reader = await TiffReader.open(source, width * blocks.height * 2);
    const rows = Math.max(1, Math.floor(rowBytes / width));
    for (let top = 0; top < height; top += rows) {
      const count = Math.min(rows, height - top);
      const values = Uint8Array.from(await reader.read({ left: 0, top, width, height: count }, [0]));
      for (let y = 0; y < count; y++) use(values.subarray(y * width, (y + 1) * width), top + y);
    }
  } finally {
    await source.close();
  }
}
