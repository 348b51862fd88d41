import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { folderItems, listItems } from '../../../../runtime/predict/batch/list.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
/** The folder with its last slash. */
const root = () => at('x').slice(0, -1);

async function listed(name: string, content: string) {
  await writeFile(at(name), content);
  const items = await listItems(at(name));
  return items.map(({ image, text, name }) => [image.replace(root(), ''), text, name]);
}

const fault = (name: string, content: string) =>
  listed(name, content).then(
    () => expect.unreachable(),
    (error: Error) => error.message.replace(root(), ''),
  );

describe('CSV', () => {
  test('columns in any order; quotes with commas, doubled quotes and line ends', async () => {
    const content = '\ufefftext,image\r\nthe ship,a.png\r\n"the ""white"", large\nship",b/c.tif\r\n,/d.png\r\n\r\n';
    expect(await listed('list.csv', content)).toEqual([
      ['a.png', 'the ship', '1-a'],
      [join('b', 'c.tif'), 'the "white", large\nship', '2-c'],
      ['/d.png', undefined, '3-d'],
    ]);
  });

  test('images alone, without an end of the last line; numbers have as many digits as the last', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `${i}.png`);
    const found = await listed('images.csv', `image\n${names.join('\n')}`);
    expect(found).toHaveLength(10);
    expect(found[0]).toEqual(['0.png', undefined, '01-0']);
    expect(found[9]).toEqual(['9.png', undefined, '10-9']);
  });

  test.each([
    ['a.png,the ship\n', 'wrong.csv:1: there is no column "image": the first line has the names of the columns'],
    ['image,phrase\na.png,x\n', 'wrong.csv:1: the column "phrase" is neither "image" nor "text"'],
    [
      'image,text\na.png,the ship, on the left\n',
      'wrong.csv:2: 3 fields, and the first line has 2: a field with a comma needs quotes',
    ],
    ['image,text\n"a\nb.png",x\n,x\n', 'wrong.csv:4: there is no image'],
    ['image,text\na.png,the "white" ship\n', 'wrong.csv:2: a quote that does not enclose a whole field'],
    ['image,text\n', 'wrong.csv is empty: it has no image'],
    ['', 'wrong.csv is empty: it has no image'],
  ])('%j', async (content, message) => {
    expect(await fault('wrong.csv', content)).toBe(message);
  });
});

describe('JSON lines', () => {
  test('an object in each line', async () => {
    const content = '{"image": "a.png", "text": "the ship"}\n\n{"image": "b.png"}\n';
    expect(await listed('list.jsonl', content)).toEqual([
      ['a.png', 'the ship', '1-a'],
      ['b.png', undefined, '2-b'],
    ]);
  });

  test.each([
    ['image,text\n', 'wrong.jsonl:1: the line is not JSON; a list of another form is named .csv'],
    ['[]\n', 'wrong.jsonl:1: the line is not an object such as {"image": "a.png", "text": "the ship"}'],
    ['{"image": "a.png"}\n{"text": "x"}\n', 'wrong.jsonl:2: "image" is not the name of a file'],
    ['{"image": "a.png", "text": 3}\n', 'wrong.jsonl:1: "text" is not a text'],
    ['{"image": "a.png", "phrase": "x"}\n', 'wrong.jsonl:1: "phrase" is neither "image" nor "text"'],
  ])('%j', async (content, message) => {
    expect(await fault('wrong.jsonl', content)).toBe(message);
  });
});

describe('folders', () => {
  const folder = () => at('images');
  beforeAll(() => mkdir(folder()));

  test('without images, or with two of one name', async () => {
    await expect(folderItems(folder(), 'x')).rejects.toThrow(/has no images: no file ends with \.png/);
    for (const name of ['b.png', 'a.TIF', 'notes.txt']) await writeFile(join(folder(), name), '');
    expect((await folderItems(folder(), 'x')).map(({ name, text }) => [name, text])).toEqual([
      ['a', 'x'],
      ['b', 'x'],
    ]);
    await writeFile(join(folder(), 'b.jpg'), '');
    await expect(folderItems(folder(), 'x')).rejects.toThrow(
      /b\.jpg and b\.png would have the same b\.mask\.png: give a list/,
    );
  });
});
