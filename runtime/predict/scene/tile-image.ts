import type { RgbImage } from '../../images/image.ts';
import type { Window } from '../../images/tiff/tiff-reader.ts';
import type { SceneImage } from './scene-image.ts';

/** Reads a tile; where it is larger than the scene, the pixels of the scene's edge are repeated. */
export async function readTile(scene: SceneImage, tile: Window): Promise<RgbImage> {
  const width = Math.min(tile.width, scene.width - tile.left);
  const height = Math.min(tile.height, scene.height - tile.top);
  const part = await scene.read({ left: tile.left, top: tile.top, width, height });
  if (width === tile.width && height === tile.height) return part;
  const data = new Uint8Array(tile.width * tile.height * 3);
  for (let y = 0; y < tile.height; y++) {
    const from = Math.min(y, height - 1) * width;
    for (let x = 0; x < tile.width; x++) {
      const at = (from + Math.min(x, width - 1)) * 3;
      const to = (y * tile.width + x) * 3;
      for (let c = 0; c < 3; c++) data[to + c] = part.data[at + c]!;
    }
  }
  return { width: tile.width, height: tile.height, channels: 3, data };
}
