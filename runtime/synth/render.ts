import { loadSharp } from '../images/load-sharp.ts';
import { encodeMask } from '../images/mask.ts';
import { philoxFill } from '../tensors/philox.ts';
import { photograph } from './photograph.ts';
import type { Scene } from './scene.ts';

/** Renders a scene as PNG. `noise` is the seed for `photograph`. */
export async function renderScene(scene: Scene, size: number, noise: readonly [number, number]): Promise<Buffer> {
  const sharp = await loadSharp();
  const data = new Uint8Array(await sharp(Buffer.from(scene.svg)).flatten().raw().toBuffer());
  const words = (stream: number, count: number) => {
    const out = new Uint32Array(count);
    philoxFill(out, { key: noise, stream: [stream, 0x5c_e0_e6] });
    return out;
  };
  photograph({ width: size, height: size, channels: 3, data }, scene, words);
  return sharp(data, { raw: { width: size, height: size, channels: 3 } })
    .png({ compressionLevel: 6 })
    .toBuffer();
}

/** Renders one object's mask as PNG with values 0 and 255. */
export function renderMask({ labels }: Scene, size: number, object: number): Promise<Buffer> {
  return encodeMask({ width: size, height: size, mask: labels.map((label) => (label === object + 1 ? 1 : 0)) });
}
