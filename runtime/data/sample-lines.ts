import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isObject, isText, listOf } from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { quoted, shownValue } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { type Attributes, readAttributeMembers } from './attributes.ts';
import { readPolygon, readRuns, readSize } from './coco-parts.ts';
import { nameFault, type PictureFolder } from './folders.ts';
import type { Layout, Phrases } from './layout.ts';
import { MAX_LINES, readLines } from './lines.ts';
import type { MaskSource } from './mask-source.ts';
import { hasWords, imageFolders, maskFolders, pictureFolder } from './phrase-files.ts';
import type { Problem } from './problems.ts';
import type { Sample } from './sample.ts';

/** Maximum length of a line in bytes; most of it is a mask. */
const MAX_LINE_BYTES = 1 << 24;

/**
 * Opens a data set whose samples are objects, one in a line of `samples_{split}.jsonl`. Returns undefined if it has no
 * such file.
 */
export function openSampleLines(dir: string, names: readonly string[]): Layout | undefined {
  const splits = names.flatMap((name) => /^samples_([\w-]+)\.jsonl$/.exec(name)?.[1] ?? []);
  if (splits.length === 0) return undefined;
  const images = pictureFolder(dir, names, imageFolders);
  // Masks may all be in the lines; a name of a mask then needs the folder.
  const masks = maskFolders.some((name) => names.includes(name)) ? pictureFolder(dir, names, maskFolders) : undefined;
  const file = (split: string) => join(dir, `samples_${split}.jsonl`);
  return {
    kind: 'sample-lines',
    dir,
    splits,
    file,
    async *phrases(split, onProblem) {
      for await (const { line, read } of sampleLines(file(split))) {
        if (typeof read === 'string') onProblem({ file: file(split), line, text: read });
        else yield read.phrase;
      }
    },
    read: (split, onProblem) => readSamples(file(split), images, masks, onProblem),
  };
}

async function readSamples(
  file: string,
  images: PictureFolder,
  masks: PictureFolder | undefined,
  onProblem: (problem: Problem) => void,
): Promise<Phrases> {
  const samples: Sample[] = [];
  const hash = createHash('sha256');
  let lines = 0;
  for await (const { line, read } of sampleLines(file)) {
    lines = line;
    const wrong = (text: string) => onProblem({ file, line, text });
    if (typeof read === 'string') {
      wrong(read);
      continue;
    }
    hash.update(`${JSON.stringify([line, read])}\n`);
    const { image: name, phrase, mask, ...attributes } = read;
    const image = images.image(name);
    const source = mask.kind === 'name' ? maskFile(mask.name, masks) : mask;
    if (image === undefined) wrong(`there is no image ${name} in ${images.path}`);
    else if (typeof source === 'string') wrong(source);
    else samples.push({ image, mask: source, phrase, file, line, ...attributes });
  }
  return { samples, lines, hash: hash.update(`${lines}`).digest('hex') };
}

function maskFile(name: string, masks: PictureFolder | undefined): MaskSource | string {
  if (masks === undefined) return `there is no mask ${name}: the data set has no folder ${maskFolders.join(' or ')}`;
  const path = masks.image(name);
  return path === undefined ? `there is no mask ${name} in ${masks.path}` : { kind: 'file', path, above: 0 };
}

/** A mask as a line gives it. */
type NamedMask = { readonly kind: 'name'; readonly name: string } | Exclude<MaskSource, { readonly kind: 'file' }>;

interface SampleLine extends Attributes {
  readonly image: string;
  readonly phrase: string;
  readonly mask: NamedMask;
}

/** Yields each line as a sample, or as a text that says what is wrong. Empty lines at the end are ignored. */
async function* sampleLines(
  file: string,
): AsyncGenerator<{ readonly line: number; readonly read: SampleLine | string }> {
  let blank = 0;
  for await (const { number, text, fault } of readLines(file, MAX_LINE_BYTES)) {
    if (number > MAX_LINES) throw new UserError(`${file} has more than ${MAX_LINES.toLocaleString('en')} lines`);
    if (text?.trim() === '') {
      blank++;
      continue;
    }
    for (let line = number - blank; line < number; line++) yield { line, read: 'the line is empty' };
    blank = 0;
    yield { line: number, read: text === undefined ? (fault ?? 'the line is empty') : readLine(text) };
  }
}

const members = ['image', 'phrase', 'mask', 'category', 'attributes'];

function readLine(text: string): SampleLine | string {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    return 'the line is not JSON';
  }
  if (!isObject(json)) return 'the line is not a JSON object';
  const unknown = Object.keys(json).find((name) => !members.includes(name));
  if (unknown !== undefined) return `${quoted(unknown)} is no member of a sample, which has ${members.join(', ')}`;
  const { image, phrase } = json;
  if (!isText(image)) return `"image" is ${shownValue(image)}, and not a name`;
  const fault = nameFault(image);
  if (fault !== undefined) return fault;
  if (!isText(phrase) || !hasWords(phrase)) return `"phrase" is ${shownValue(phrase)}, and has no words`;
  const mask = readMaskMember(json.mask);
  if (typeof mask === 'string') return mask;
  const attributes = readAttributeMembers(json);
  return typeof attributes === 'string' ? attributes : { image, phrase: phrase.trim(), mask, ...attributes };
}

/** A name, null for a phrase without a target, run lengths, a list of run lengths, or polygons with their size. */
function readMaskMember(value: unknown): NamedMask | string {
  if (value === undefined) return '"mask" is missing: give null if the phrase describes nothing in the image';
  if (value === null) return { kind: 'nothing' };
  if (isText(value)) {
    const fault = nameFault(value);
    return fault ?? { kind: 'name', name: value };
  }
  if (isObject(value) && value.polygons !== undefined) return polygons(value);
  const all = (Array.isArray(value) ? value : [value]).map(readRuns);
  const wrong = all.find((one) => typeof one === 'string');
  if (wrong !== undefined) return `"mask": ${wrong}`;
  const runs = all.filter((one) => typeof one !== 'string');
  const [first] = runs;
  if (first === undefined) return '"mask" is empty: give null if the phrase describes nothing in the image';
  const [height, width] = first.size;
  if (runs.some(({ size }) => size[0] !== height || size[1] !== width)) return '"mask" has parts of different sizes';
  return { kind: 'regions', parts: runs.map(({ part }) => part), height, width, on: 'any' };
}

function polygons(value: Readonly<Record<string, unknown>>): NamedMask | string {
  const size = readSize(value.size);
  if (typeof size === 'string') return `"mask": ${size}`;
  const { polygons: all } = value;
  if (!listOf((one): one is unknown => one !== undefined)(all) || all.length === 0)
    return `"polygons" is ${shownValue(all)}, and not a list of polygons`;
  const parts = all.map(readPolygon);
  const wrong = parts.find((part) => typeof part === 'string');
  if (wrong !== undefined) return `"mask": ${wrong}`;
  const [height, width] = size;
  return { kind: 'regions', parts: parts.filter((part) => typeof part !== 'string'), height, width, on: 'any' };
}
