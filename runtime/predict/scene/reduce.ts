import type { RgbImage } from '../../images/image.ts';
import type { Window } from '../../images/tiff/tiff-reader.ts';
import { startProgress } from '../../process/progress.ts';
import type { SceneImage } from './scene-image.ts';

/**
 * Shrinks a scene so that its longer side has at most `most` pixels, by the mean of squares of k × k pixels. Reads each
 * of its blocks once.
 */
export async function reduceScene(
  scene: SceneImage,
  most: number,
): Promise<{ readonly image: RgbImage; readonly k: number }> {
  const k = Math.max(1, Math.ceil(Math.max(scene.width, scene.height) / most));
  const [width, height] = [Math.ceil(scene.width / k), Math.ceil(scene.height / k)];
  // Squares have at most 2,048 × 2,048 pixels, since a scene has at most four million a side: sums stay below 2^32.
  const sums = new Uint32Array(width * height * 3);
  const progress = startProgress('reading the whole at low resolution', scene.windows.length);
  try {
    for (const [i, window] of scene.windows.entries()) {
      addPixels((await scene.read(window)).data, window, { sums, width, k });
      progress.update(i + 1);
    }
  } finally {
    progress.finish();
  }
  const data = new Uint8Array(sums.length);
  for (let y = 0; y < height; y++) {
    const high = Math.min(k, scene.height - y * k);
    for (let x = 0; x < width; x++) {
      const count = high * Math.min(k, scene.width - x * k);
      for (let i = (y * width + x) * 3; i < (y * width + x) * 3 + 3; i++) data[i] = Math.round(sums[i]! / count);
    }
  }
  return { image: { width, height, channels: 3, data }, k };
}

function addPixels(
  data: Uint8Array,
  window: Window,
  { sums, width, k }: { readonly sums: Uint32Array; readonly width: number; readonly k: number },
): void {
  const columns = Uint32Array.from({ length: window.width }, (_, x) => Math.floor((window.left + x) / k) * 3);
  let at = 0;
  for (let y = 0; y < window.height; y++) {
    const row = Math.floor((window.top + y) / k) * width * 3;
    for (let x = 0; x < window.width; x++) {
      const to = row + columns[x]!;
      sums[to] = sums[to]! + data[at]!;
      sums[to + 1] = sums[to + 1]! + data[at + 1]!;
      sums[to + 2] = sums[to + 2]! + data[at + 2]!;
      at += 3;
    }
  }
}
