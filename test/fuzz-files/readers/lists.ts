import { join } from 'node:path';
import { listItems } from '../../../runtime/predict/batch/list.ts';
import type { OpenReader, Reader } from '../reader.ts';

const lines = [
  '{"image": "a.png", "text": "the white ship"}',
  '{"image": "sub/b.tif", "text": "the left \\u00e9"}',
  '{"image": "/c.jpg"}',
];

const table = 'image,text\r\na.png,the white ship\r\n"sub/b, c.tif","the ""left"" ship\non the pier"\r\nd.jpg,\r\n';

/** Lists of images and phrases to predict. */
function lists(name: string, samples: readonly string[]): Reader {
  return {
    async open(folder): Promise<OpenReader> {
      const path = join(folder, name);
      return {
        path,
        samples: samples.map((text) => Buffer.from(text)),
        async read() {
          const items = await listItems(path);
          const names = new Set(items.map((item) => item.name));
          if (names.size !== items.length) throw new Error('two entries have the same name');
        },
      };
    },
  };
}

export const csvLists = lists('list.csv', [table, `\ufeff${table.replaceAll('\r\n', '\n')}`, 'text, Image \nit,a.png']);

export const jsonLists = lists('list.jsonl', [`${lines.join('\n')}\n`, `\ufeff${lines.join('\r\n')}\r\n\r\n`]);
