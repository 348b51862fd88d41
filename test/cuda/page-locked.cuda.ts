import { mkdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type CompiledFile, compileFrom } from '../../runtime/build/source-model.ts';
import { runEvaluation } from '../../runtime/evaluation/run-evaluation.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { predictBatch } from '../../runtime/predict/batch/predict-batch.ts';
import { dataFolder } from '../runtime/data/data-folder.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { counted } from './counts.ts';

const at = temporaryFolder();
const [samples, batch, size] = [6, 2, 8];
const imageBytes = 3 * size * size * 4;

async function edges(): Promise<CompiledFile> {
  await mkdir(at('.'), { recursive: true });
  const source = `model Edges {
  kernel = Conv2d(3, 1, 3, padding = 1)
  input image: f32[B, 3, ${size}, ${size}]
  output logits: f32[B, 1, ${size}, ${size}] = kernel(image)
}
`;
  await writeFile(at('edges.crob'), source);
  const settings = { model: 'Edges', dims: new Map(), overrides: [] };
  return compileFrom(diskHost(), at('edges.crob'), settings) as CompiledFile;
}

const names = Array.from({ length: samples }, (_, i) => `${i}.png`);
const shared = {
  ...({ dtype: 'f32', device: 'cuda', onBad: 'stop', note: () => undefined } as const),
  ...{ weightsFile: undefined, tokenizer: undefined, truncation: undefined, threads: 1, seed: 0, colours: {} },
};

test('an evaluation copies images to the device from page-locked memory', async () => {
  const data = await dataFolder(at('data'), names);
  const file = await edges();
  const { pageLockedCopies } = await counted(() =>
    runEvaluation(file, {
      ...shared,
      ...{ data, split: 'train', protocol: 'lavt', at: 'model', blank: false, batch, limit: undefined },
      ...{ onSizeMismatch: undefined, pictures: 0, out: at('out'), file: 'edges.crob', settings: [] },
    }),
  );
  expect(pageLockedCopies.up).toEqual({ times: samples / batch, bytes: samples * imageBytes });
});

test('so do predictions of many images', async () => {
  const data = await dataFolder(at('images'), names);
  const file = await edges();
  const items = names.map((name) => ({ image: `${data}/img_rgb/${name}`, text: undefined, name }));
  const { pageLockedCopies } = await counted(() =>
    predictBatch(file, { ...shared, items, tiling: undefined, resume: false, out: at('out') }),
  );
  expect(pageLockedCopies.up).toEqual({ times: samples, bytes: samples * imageBytes });
});
