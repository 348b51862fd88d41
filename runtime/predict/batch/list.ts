import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join } from 'node:path';
import { fileError } from '../../files/file-error.ts';
import { isObject, isText } from '../../files/json.ts';
import { parseJson } from '../../files/parse-json.ts';
import { readUtf8 } from '../../files/read-file.ts';
import { quoted } from '../../files/shown.ts';
import { UserError } from '../../files/user-error.ts';

/** An image and a phrase to predict. */
export interface BatchItem {
  readonly image: string;
  /** Undefined where none is given. */
  readonly text: string | undefined;
  /** The names of its files begin with this. */
  readonly name: string;
}

const pictures = /\.(png|tiff?|jpe?g|webp)$/i;

/** Whether a path is a folder. Throws a UserError if there is nothing. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/**
 * Lists the images of a folder by name, each with the same phrase. Files are named after their images. Throws a UserError
 * if there is none, or if two images have the same name but for their endings.
 */
export async function folderItems(folder: string, text: string | undefined): Promise<BatchItem[]> {
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => pictures.test(name)).sort();
  } catch (error) {
    throw fileError('read', folder, error);
  }
  if (names.length === 0) throw new UserError(`${folder} has no images: no file ends with .png, .tif, .jpg or .webp`);
  const known = new Map<string, string>();
  return names.map((file) => {
    const name = stemOf(file);
    const other = known.get(name);
    if (other !== undefined)
      throw new UserError(
        `${join(folder, other)} and ${file} would have the same ${name}.mask.png: give a list (--list), whose files are numbered`,
      );
    known.set(name, file);
    return { image: join(folder, file), text, name };
  });
}

/**
 * Reads a list of images and phrases: CSV with the columns `image` and `text`, or JSON lines with these members. Paths
 * are relative to the list. Files are named after the number of the entry and the image, such as `007-harbour`. Throws a
 * UserError that names the line.
 */
export async function listItems(path: string): Promise<BatchItem[]> {
  const content = (await readUtf8(path, 'list')).replace(/^\ufeff/, '');
  const entries = /\.csv$/i.test(path) ? fromCsv(content, path) : fromJsonLines(content, path);
  if (entries.length === 0) throw new UserError(`${path} is empty: it has no image`);
  const digits = String(entries.length).length;
  return entries.map(({ image, text }, i) => ({
    image: isAbsolute(image) ? image : join(dirname(path), image),
    text: text === '' ? undefined : text,
    name: `${String(i + 1).padStart(digits, '0')}-${stemOf(image)}`,
  }));
}

interface Entry {
  readonly image: string;
  readonly text: string | undefined;
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}

function fromJsonLines(content: string, path: string): Entry[] {
  const entries: Entry[] = [];
  for (const [i, line] of content.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const wrong = (why: string) => new UserError(`${path}:${i + 1}: ${why}`);
    let json: unknown;
    try {
      json = parseJson(line);
    } catch {
      throw wrong('the line is not JSON; a list of another form is named .csv');
    }
    if (!isObject(json)) throw wrong('the line is not an object such as {"image": "a.png", "text": "the ship"}');
    const { image, text, ...others } = json;
    if (!isText(image) || image === '') throw wrong('"image" is not the name of a file');
    if (text !== undefined && !isText(text)) throw wrong('"text" is not a text');
    const [other] = Object.keys(others);
    if (other !== undefined) throw wrong(`${quoted(other)} is neither "image" nor "text"`);
    entries.push({ image, text });
  }
  return entries;
}

function fromCsv(content: string, path: string): Entry[] {
  const [head, ...rows] = csvRows(content, path);
  if (head === undefined) return [];
  const names = head.fields.map((field) => field.trim().toLowerCase());
  const [image, text] = [names.indexOf('image'), names.indexOf('text')];
  if (image < 0)
    throw new UserError(`${path}:1: there is no column "image": the first line has the names of the columns`);
  const other = names.find((name) => name !== 'image' && name !== 'text');
  if (other !== undefined) throw new UserError(`${path}:1: the column ${quoted(other)} is neither "image" nor "text"`);
  return rows.map(({ fields, line }) => {
    const wrong = (why: string) => new UserError(`${path}:${line}: ${why}`);
    if (fields.length !== names.length)
      throw wrong(`${fields.length} fields, and the first line has ${names.length}: a field with a comma needs quotes`);
    if (fields[image] === '') throw wrong('there is no image');
    return { image: fields[image] ?? '', text: fields[text] };
  });
}

interface Row {
  readonly fields: readonly string[];
  /** Where it begins. */
  readonly line: number;
}

/** The rows of a CSV file (RFC 4180): fields in quotes may have commas, line ends and doubled quotes. */
function csvRows(content: string, path: string): Row[] {
  const rows: Row[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let fields: string[] = [];
  let [line, start] = [1, 1];
  for (let at = 0; at < content.length; at = field.lastIndex) {
    field.lastIndex = at;
    const found = field.exec(content);
    if (!found) throw new UserError(`${path}:${line}: a quote that does not enclose a whole field`);
    const [all, quotedField, plain = '', end] = found;
    fields.push(quotedField?.replaceAll('""', '"') ?? plain);
    line += all.split('\n').length - 1;
    const isLast = end === ',' && field.lastIndex === content.length;
    if (isLast) fields.push('');
    if (end !== ',' || isLast) {
      if (fields.length > 1 || fields[0] !== '') rows.push({ fields, line: start });
      [fields, start] = [[], line];
    }
  }
  return rows;
}
