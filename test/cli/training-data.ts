import { mkdir, writeFile } from 'node:fs/promises';
import sharp from 'sharp';

/** A model that trains in a moment, with dropout, so that random draws matter. */
export const learner = `/// Scores patches by words.
model Learner where H % 4 == 0, W % 4 == 0, T <= 20 {
  table = Embedding(2560, 8)
  patch = Conv2d(3, 8, 4, stride = 4)
  drop = Dropout(0.1)

  input image: f32[B, 3, H, W]
  input tokens: i64[B, T]
  input mask: bool[B, T]

  let words = table(i32(tokens)) * rearrange(f32(mask), "b t -> b t 1")
  let score = einsum("b d h w, b d -> b h w", drop(patch(image)), sum(words, "b t d -> b d"))

  output logits: f32[B, 1, H, W] = resize(rearrange(score, "b h w -> b 1 h w"), [H, W])
}

recipe quick for Learner at B = 2, H = 16, W = 16, T = 10 {
  input target: f32[B, 1, H, W]
  term ce = cross_entropy(logits, target)
  optimizer = AdamW(lr = 1e-2)
  schedule = warmup(5) then poly(0.9)
  steps = 40
  evaluate_every = 20
  checkpoint_every = 4
}

recipe careful extends quick {
  accumulate = 2
  clip = 1.0
  ema = 0.9
}
`;

/** A data set of pictures with a bright square each, where the phrase says; 7 to train on and 2 to look at. */
export async function writeDataset(dir: string): Promise<void> {
  await mkdir(`${dir}/img_rgb`, { recursive: true });
  await mkdir(`${dir}/mask`);
  const phrases = { train: [] as string[], val: [] as string[] };
  for (let i = 0; i < 9; i++) {
    const split = i < 7 ? 'train' : 'val';
    const [left, top] = [(i % 3) * 5, Math.floor(i / 3) * 5];
    const inside = (p: number) => Math.floor((p % 16) / 5) === i % 3 && Math.floor(p / 80) === Math.floor(i / 3);
    const rgb = Buffer.from(
      Array.from({ length: 256 * 3 }, (_, at) => (inside(Math.floor(at / 3)) ? 230 : (at * 7) % 90)),
    );
    const mask = Buffer.from(Array.from({ length: 256 }, (_, at) => (inside(at) ? 255 : 0)));
    const name = `${split}_${i}.png`;
    await sharp(rgb, { raw: { width: 16, height: 16, channels: 3 } })
      .png()
      .toFile(`${dir}/img_rgb/${name}`);
    await sharp(mask, { raw: { width: 16, height: 16, channels: 1 } })
      .png()
      .toFile(`${dir}/mask/${name}`);
    phrases[split].push(
      `${name} the white roof ${left < 5 ? 'on the left' : 'on the right'} ${top < 5 ? 'above' : 'below'}\n`,
    );
  }
  for (const [split, lines] of Object.entries(phrases))
    await writeFile(`${dir}/output_phrase_${split}.txt`, lines.join(''));
}
