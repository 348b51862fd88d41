import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { openDataset } from '../../../runtime/data/dataset.ts';
import { readMask } from '../../../runtime/data/mask-source.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { readPlainPickle } from '../../../runtime/pickle/plain-value.ts';
import { PickleFault } from '../../../runtime/pickle/read-opcodes.ts';
import { allJson, type JsonPart, type OpenReader, type Reader } from '../reader.ts';

const golden = 'test/goldens';
const size = [6, 8];

async function picture(path: string): Promise<void> {
  const image = sharp({ create: { width: 8, height: 6, channels: 3, background: '#123' } });
  writeFileSync(path, await image.png().toBuffer());
}

/** Reads a split with its masks, which have nothing but 0 and 1. */
async function readAll(folder: string, report: (line: string) => void): Promise<void> {
  const { samples } = await openDataset(folder, 'train', { onBad: 'skip', onSizeMismatch: 'resize', report });
  for (const { phrase, mask: source, file, line } of samples) {
    if (phrase.trim() === '') throw new Error('a sample without a phrase');
    try {
      const read = await readMask(source);
      if (read && !read.mask.data.every((v) => v <= 1)) throw new Error('a mask of more than 0 and 1');
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      report(`${file}:${line}: ${error.message}`);
    }
  }
}

/** Masks of every form, for the annotations 11 and 12 of the training split and four of others. */
const segmentations = [
  [{ size, counts: '833000f0' }],
  [
    { size, counts: [4, 2, 42] },
    { size, counts: [4, 1, 43] },
  ],
  { size, counts: [48] },
  [[1, 1, 6.5, 1.25, 5, 5]],
  [
    [0, 0, 3, 0, 3, 3],
    [2, 2, 5, 2, 5, 5],
  ],
  [{ size, counts: [0, 48] }],
];

function instances(): string {
  const pictures = [1, 2, 3, 4, 1, 2];
  return JSON.stringify({
    images: [1, 2, 3, 4].map((id) => ({ id, file_name: `0000${id}.jpg`, width: 8, height: 6 })),
    annotations: segmentations.map((segmentation, i) => ({ id: 11 + i, image_id: pictures[i], segmentation })),
    categories: [
      { id: 1, name: 'airplane' },
      { id: 4, name: 'storage tank' },
    ],
  });
}

/** RRSIS-D, of which one file is changed. */
function rrsisD(changed: string, samples: Buffer[], json?: JsonPart): Reader {
  return {
    async open(folder): Promise<OpenReader> {
      const images = join(folder, 'images', 'rrsisd', 'JPEGImages');
      mkdirSync(images, { recursive: true });
      mkdirSync(join(folder, 'rrsisd'));
      for (const id of [1, 2, 3, 4]) await picture(join(images, `0000${id}.jpg`));
      writeFileSync(join(folder, 'rrsisd', 'refs(unc).p'), readFileSync(`${golden}/rrsis-d/rrsisd/refs(unc).p`));
      writeFileSync(join(folder, 'rrsisd', 'instances.json'), instances());
      const path = join(folder, 'rrsisd', changed);
      const references = join(folder, 'rrsisd', 'refs(unc).p');
      // What is wrong with an annotation is said of the phrase.
      return {
        path,
        names: [path, references, folder],
        samples,
        ...(json ? { json } : {}),
        read: (report) => readAll(folder, report),
      };
    },
  };
}

export const references = rrsisD('refs(unc).p', [readFileSync(`${golden}/rrsis-d/rrsisd/refs(unc).p`)]);

export const annotations = rrsisD('instances.json', [Buffer.from(instances())], allJson);

/** Pickles of every protocol, without a data set around them. */
export const pickles: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'value.p');
    const { pickles: all } = JSON.parse(readFileSync(`${golden}/pickles.json`, 'utf8')) as { pickles: string[] };
    return {
      path,
      samples: all.map((text) => Buffer.from(text, 'base64')),
      async read() {
        try {
          readPlainPickle(readFileSync(path));
        } catch (error) {
          if (error instanceof PickleFault) throw new UserError(`${path}: ${error.message}`);
          throw error;
        }
      },
    };
  },
};

const lines = [
  { image: 'one.png', phrase: 'the white ship', mask: 'one.png', category: 'ship', attributes: { color: 'white' } },
  { image: 'one', phrase: 'the left é', mask: { size, counts: '833000f0' } },
  { image: 'one.png', phrase: 'two', mask: [{ size, counts: [4, 2, 42] }] },
  { image: 'one.png', phrase: 'a triangle', mask: { size, polygons: [[1, 1, 6.5, 1.25, 5, 5]] } },
  { image: 'one.png', phrase: 'nothing', mask: null },
];

export const sampleLines: Reader = {
  async open(folder): Promise<OpenReader> {
    for (const below of ['images', 'masks']) {
      mkdirSync(join(folder, below));
      await picture(join(folder, below, 'one.png'));
    }
    const text = lines.map((line) => JSON.stringify(line));
    return {
      path: join(folder, 'samples_train.jsonl'),
      samples: [Buffer.from(`${text.join('\n')}\n`), Buffer.from(`\ufeff${text.join('\r\n')}\r\n\r\n`)],
      read: (report) => readAll(folder, report),
    };
  },
};
