import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { openDataset } from '../../../runtime/data/dataset.ts';
import { allJson, type OpenReader, type Reader } from '../reader.ts';

const names = ['one.png', 'two.png'];
const phrases = 'one.png the white ship\ntwo.png the plane on the left é\none.png a car\n';
const attributes = [
  { category: 'ship', attributes: { size: 'small', color: 'white' } },
  { category: 'plane' },
  { attributes: {} },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('');
const cache = '.crobc-sizes.json';

/** A data set of three phrases, of which one file is changed. */
function dataSets(
  changed: string,
  choose: (samples: Record<'phrases' | 'attributes' | 'sizes', Buffer>) => OpenReader['samples'],
): Reader {
  return {
    async open(folder): Promise<OpenReader> {
      const picture = await sharp({ create: { width: 8, height: 6, channels: 3, background: '#123' } })
        .png()
        .toBuffer();
      for (const below of ['img_rgb', 'mask']) {
        mkdirSync(join(folder, below));
        for (const name of names) writeFileSync(join(folder, below, name), picture);
      }
      const phraseFile = join(folder, 'output_phrase_train.txt');
      const attributeFile = join(folder, 'attributes_train.jsonl');
      writeFileSync(phraseFile, phrases);
      writeFileSync(attributeFile, attributes);
      const path = join(folder, changed);
      const read = async (report: (line: string) => void) => {
        const { samples } = await openDataset(folder, 'train', { onBad: 'skip', report });
        for (const { phrase, image } of samples)
          if (phrase === '' || !names.some((name) => image.endsWith(name))) throw new Error(`the sample ${image}`);
      };
      await read(() => undefined);
      return {
        path,
        samples: choose({
          phrases: readFileSync(phraseFile),
          attributes: readFileSync(attributeFile),
          sizes: readFileSync(join(folder, cache)),
        }),
        ...(changed === cache ? { json: allJson } : {}),
        read,
      };
    },
  };
}

export const phraseFiles = dataSets('output_phrase_train.txt', ({ phrases }) => [
  phrases,
  Buffer.from(`\ufeff${phrases.toString().replaceAll('\n', '\r\n')}\n\n`),
]);

export const attributeFiles = dataSets('attributes_train.jsonl', ({ attributes }) => [attributes]);

export const sizeCaches = dataSets(cache, ({ sizes }) => [sizes]);
