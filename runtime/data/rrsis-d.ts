import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isCount, isObject, isText } from '../files/json.ts';
import { readBytes } from '../files/read-file.ts';
import { readShallowJson } from '../files/shallow-json.ts';
import { shownValue } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { type PlainValue, readPlainPickle } from '../pickle/plain-value.ts';
import { PickleFault } from '../pickle/read-opcodes.ts';
import { readPolygon, readRuns } from './coco-parts.ts';
import { nameFault, PictureFolder } from './folders.ts';
import type { Layout, Phrases } from './layout.ts';
import type { MaskSource } from './mask-source.ts';
import { hasWords } from './phrase-files.ts';
import type { Problem } from './problems.ts';
import type { Sample } from './sample.ts';

/** The parts of RRSIS-D below its folder, as its published readers expect them. */
const parts = {
  references: ['rrsisd', 'refs(unc).p'],
  instances: ['rrsisd', 'instances.json'],
  images: ['images', 'rrsisd', 'JPEGImages'],
} as const;

export async function isRrsisD(dir: string, names: readonly string[]): Promise<boolean> {
  if (!names.includes(parts.references[0])) return false;
  return stat(join(dir, ...parts.references)).then(
    () => true,
    () => false,
  );
}

/** A phrase about an annotation. */
interface Reference {
  readonly id: number;
  readonly annotation: number;
  readonly image: number;
  readonly category: number;
  readonly phrase: string;
}

interface Instances {
  /** File names and sizes by id. */
  readonly images: ReadonlyMap<number, Readonly<Record<string, unknown>>>;
  readonly annotations: ReadonlyMap<number, Readonly<Record<string, unknown>>>;
  readonly categories: ReadonlyMap<number, string>;
}

/**
 * Opens RRSIS-D: phrases in a pickle, annotations in COCO's JSON. Every sentence of a reference is a sample, with the
 * text `raw`, as LAVT and RMSIN read them. Throws a UserError if a file is missing or is not what it should be.
 */
export async function openRrsisD(dir: string): Promise<Layout> {
  const file = join(dir, ...parts.references);
  const bytes = await readBytes(file, 'annotations');
  const bySplit = readReferences(bytes, file);
  /** Annotations are read when the first split is. */
  let instances: Promise<Instances> | undefined;
  const read = async (split: string, onProblem: (problem: Problem) => void): Promise<Phrases> => {
    instances ??= readInstances(join(dir, ...parts.instances));
    const images = new PictureFolder(join(dir, ...parts.images));
    return samplesOf(bySplit.get(split) ?? [], await instances, images, file, onProblem);
  };
  return {
    kind: 'rrsis-d',
    dir,
    splits: [...bySplit.keys()],
    file: () => file,
    async *phrases(split, onProblem) {
      for (const [i, one] of (bySplit.get(split) ?? []).entries()) {
        if (typeof one === 'string') onProblem({ file, line: i + 1, text: one });
        else yield one.phrase;
      }
    },
    read,
  };
}

/** The references of each split, or what is wrong with one as text. */
function readReferences(bytes: Uint8Array, file: string): ReadonlyMap<string, readonly (Reference | string)[]> {
  const refuse = (why: string) => new UserError(`${file} is not a file of references: ${why}`);
  let value: PlainValue;
  try {
    value = readPlainPickle(bytes);
  } catch (error) {
    if (error instanceof PickleFault) throw refuse(error.message);
    throw error;
  }
  if (!Array.isArray(value)) throw refuse('it is not a list');
  const splits = new Map<string, (Reference | string)[]>();
  for (const [i, reference] of value.entries()) {
    if (!(reference instanceof Map)) throw refuse(`item ${i} is not a dict`);
    const split = reference.get('split');
    if (!isText(split) || !/^[\w-]+$/.test(split)) throw refuse(`item ${i} has no split`);
    const held = splits.get(split);
    if (held) held.push(...sentencesOf(reference, i));
    else splits.set(split, sentencesOf(reference, i));
  }
  if (splits.size === 0) throw refuse('it is empty');
  return splits;
}

function sentencesOf(reference: ReadonlyMap<unknown, PlainValue>, place: number): (Reference | string)[] {
  const number = (name: string) => reference.get(name);
  const [id, annotation, image, category] = ['ref_id', 'ann_id', 'image_id', 'category_id'].map(number);
  if (!isCount(id)) return [`item ${place} has no number ref_id`];
  const where = `reference ${id}`;
  if (!isCount(annotation) || !isCount(image) || !isCount(category))
    return [`${where} lacks one of the numbers ann_id, image_id and category_id`];
  const sentences = reference.get('sentences');
  if (!Array.isArray(sentences) || sentences.length === 0) return [`${where} has no sentences`];
  return sentences.map((sentence, i) => {
    const raw = sentence instanceof Map ? sentence.get('raw') : undefined;
    if (!isText(raw) || !hasWords(raw)) return `sentence ${i + 1} of ${where} has no text "raw"`;
    return { id, annotation, image, category, phrase: raw.trim() };
  });
}

/** Levels of instances.json: its lists, their objects, segmentations, run lengths and counts are six. */
const MOST_LEVELS = 16;

async function readInstances(path: string): Promise<Instances> {
  const json = await readShallowJson(path, 'annotations', MOST_LEVELS);
  const refuse = (why: string) => new UserError(`${path} is not a file of annotations: ${why}`);
  if (!isObject(json)) throw refuse('it is not an object');
  const byId = (name: string) => {
    const list = json[name];
    if (!Array.isArray(list)) throw refuse(`"${name}" is ${shownValue(list)}, not a list`);
    const all = new Map<number, Readonly<Record<string, unknown>>>();
    for (const [i, item] of list.entries()) {
      if (!isObject(item) || !isCount(item.id)) throw refuse(`item ${i} of "${name}" has no number "id"`);
      if (all.has(item.id)) throw refuse(`"${name}" has two items with the id ${item.id}`);
      all.set(item.id, item);
    }
    return all;
  };
  const categories = new Map<number, string>();
  for (const [id, { name }] of byId('categories')) {
    if (!isText(name)) throw refuse(`the category ${id} has no name`);
    categories.set(id, name);
  }
  return { images: byId('images'), annotations: byId('annotations'), categories };
}

function samplesOf(
  references: readonly (Reference | string)[],
  { images, annotations, categories }: Instances,
  folder: PictureFolder,
  file: string,
  onProblem: (problem: Problem) => void,
): Phrases {
  const samples: Sample[] = [];
  const hash = createHash('sha256');
  for (const [i, reference] of references.entries()) {
    const line = i + 1;
    if (typeof reference === 'string') {
      onProblem({ file, line, text: reference });
      continue;
    }
    const { id, phrase } = reference;
    const wrong = (text: string) => onProblem({ file, line, text: `reference ${id}: ${text}` });
    const image = images.get(reference.image);
    const annotation = annotations.get(reference.annotation);
    hash.update(`${JSON.stringify([line, image?.file_name, phrase, annotation?.segmentation])}\n`);
    const name = image?.file_name;
    if (annotation === undefined) wrong(`instances.json has no annotation ${reference.annotation}`);
    else if (!isText(name)) wrong(`instances.json has no image ${reference.image} with a file_name`);
    else if (annotation.image_id !== reference.image)
      wrong(`its image is ${reference.image}, and that of its annotation ${shownValue(annotation.image_id)}`);
    else if (nameFault(name) !== undefined) wrong(nameFault(name) ?? '');
    else {
      const path = folder.image(name);
      const mask = readSegmentation(annotation.segmentation, image ?? {});
      const category = categories.get(reference.category);
      if (path === undefined) wrong(`there is no image ${name} in ${folder.path}`);
      else if (typeof mask === 'string') wrong(`annotation ${reference.annotation}: ${mask}`);
      else if (category === undefined) wrong(`instances.json has no category ${reference.category}`);
      else samples.push({ image: path, mask, phrase, file, line, category });
    }
  }
  const lines = references.length;
  return { samples, lines, hash: hash.update(`${lines}`).digest('hex') };
}

/**
 * A segmentation is a list of run lengths, run lengths alone, or a list of polygons in an image of the given size. Where
 * parts overlap, pixels are off: the published readers sum the parts and keep the sums that are exactly 1.
 */
function readSegmentation(value: unknown, image: Readonly<Record<string, unknown>>): MaskSource | string {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) return 'its segmentation is empty';
  if (list.every(Array.isArray)) {
    const { height, width } = image;
    if (!isCount(height) || !isCount(width) || height * width === 0)
      return `its image has no height and width for polygons`;
    const polygons = list.map(readPolygon);
    const wrong = polygons.find((part) => typeof part === 'string');
    if (wrong !== undefined) return wrong;
    const found = polygons.filter((part) => typeof part !== 'string');
    return { kind: 'regions', parts: found, height, width, on: 'exactly-one' };
  }
  const all = list.map(readRuns);
  const wrong = all.find((one) => typeof one === 'string');
  if (wrong !== undefined) return wrong;
  const runs = all.filter((one) => typeof one !== 'string');
  const [height = 0, width = 0] = runs[0]?.size ?? [];
  const other = runs.find(({ size }) => size[0] !== height || size[1] !== width);
  if (other !== undefined)
    return `it has parts of ${width} × ${height} and ${other.size.toReversed().join(' × ')} pixels`;
  return { kind: 'regions', parts: runs.map(({ part }) => part), height, width, on: 'exactly-one' };
}
