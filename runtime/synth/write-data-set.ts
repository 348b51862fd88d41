import { link, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { fileError } from '../files/file-error.ts';
import { makeFolder } from '../files/make-folder.ts';
import { readText } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import type { Progress } from '../process/progress.ts';
import { attributes, drawPhrases, type Phrase } from './phrases.ts';
import { Random } from './random.ts';
import { renderMask, renderScene } from './render.ts';
import { drawScene, type Scene, type SceneForm } from './scene.ts';

export const splits = ['train', 'val', 'test'] as const;
export type Split = (typeof splits)[number];

/** The parameters of a data set; equal plans give equal files. */
export interface Plan {
  readonly seed: number;
  readonly form: SceneForm;
  /** Number of scenes in each split. */
  readonly scenes: Readonly<Record<Split, number>>;
  /** Number of phrases per scene, each for a different object. */
  readonly phrases: number;
}

/** One line of a phrase file, with the properties of its object. */
export interface Written {
  readonly file: string;
  readonly split: Split;
  readonly scene: number;
  readonly phrase: Phrase;
  readonly category: string;
  /** Area of the mask as a share of the image. */
  readonly area: number;
}

/** Draws scene `index` of a split with its phrases, independently of all other scenes. */
export function drawSample(plan: Plan, split: Split, index: number): { scene: Scene; phrases: readonly Phrase[] } {
  const random = new Random(plan.seed, [index, splits.indexOf(split)]);
  for (let attempt = 0; attempt < 200; attempt++) {
    const scene = drawScene(random, plan.form);
    const phrases = drawPhrases(random, scene.objects, plan.phrases, plan.form.rich);
    if (phrases) return { scene, phrases };
  }
  throw new Error('bug in crobc: no scene can be told apart by phrases');
}

/**
 * Writes images, masks, phrases and attributes in RISBench's layout. Keeps pictures that an interrupted run of the same
 * plan has written. Returns the lines of all splits. Throws a UserError.
 */
export async function writeDataSet(dir: string, plan: Plan, progress: Progress): Promise<Written[]> {
  await claim(dir, plan);
  const written: Written[] = [];
  const total = splits.reduce((sum, split) => sum + plan.scenes[split], 0);
  let done = 0;
  for (const split of splits) {
    const lines: Written[][] = [];
    const facts: string[] = [];
    await inTurns(plan.scenes[split], async (index) => {
      const { scene, phrases } = drawSample(plan, split, index);
      const files = phrases.map((_, i) => `${split}_${String(index * plan.phrases + i + 1).padStart(5, '0')}.png`);
      await writePictures(dir, plan, split, index, scene, phrases, files);
      lines[index] = phrases.map((phrase, i) => ({
        file: files[i]!,
        split,
        scene: index,
        phrase,
        category: scene.objects[phrase.object]!.category.name,
        area: scene.objects[phrase.object]!.area,
      }));
      facts[index] = sceneRecord(scene, index, phrases, files);
      progress.update(++done);
    });
    const all = lines.flat();
    if (all.length > 0) {
      const text = (line: (one: Written) => string) => all.map((one) => `${line(one)}\n`).join('');
      await writeFileAtomic(join(dir, `attributes_${split}.jsonl`), text(attributeLine));
      await writeFileAtomic(join(dir, `scenes_${split}.jsonl`), facts.map((one) => `${one}\n`).join(''));
      await writeFileAtomic(
        join(dir, `output_phrase_${split}.txt`),
        text(({ file, phrase }) => `${file} ${phrase.text}`),
      );
    }
    written.push(...all);
  }
  if (done !== total) throw new Error('bug in crobc: scenes were left out');
  return written;
}

function attributeLine({ category, phrase }: Written): string {
  return JSON.stringify({ category, attributes: attributes(phrase.query) });
}

const round = (value: number) => Math.round(value * 1e4) / 1e4;

/**
 * Returns a JSON record of all objects and phrases of a scene, from which users can check phrases or generate others.
 */
function sceneRecord(scene: Scene, index: number, phrases: readonly Phrase[], files: readonly string[]): string {
  return JSON.stringify({
    scene: index,
    theme: scene.theme,
    metres: round(scene.metres),
    objects: scene.objects.map((one) => ({
      category: one.category.name,
      color: one.colour ?? null,
      shape: one.shape ?? null,
      metres: round(one.metres),
      center: [round(one.x), round(one.y)],
      box: [one.left, one.top, one.right, one.bottom].map(round),
      area: round(one.area),
    })),
    phrases: phrases.map(({ text, object, query }, i) => ({ file: files[i], text, object, query })),
  });
}

const PLAN_FILE = 'synth.json';

/** Accepts a new or empty folder, or one in which a run of the same plan began. Deletes nothing. */
async function claim(dir: string, plan: Plan): Promise<void> {
  const record = `${JSON.stringify({ version: 2, ...plan }, null, 2)}\n`;
  await makeFolder(dir);
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    throw fileError('write', dir, error);
  }
  if (names.includes(PLAN_FILE)) {
    const there = await readText(join(dir, PLAN_FILE), 'record');
    if (there !== record)
      throw new UserError(`${dir} holds a data set made with other settings (${PLAN_FILE}): name another folder`);
  } else if (names.length > 0) {
    throw new UserError(`${dir} is not empty: name a new folder`);
  }
  await makeFolder(join(dir, 'img_rgb'));
  await makeFolder(join(dir, 'mask'));
  await writeFileAtomic(join(dir, PLAN_FILE), record);
}

async function writePictures(
  dir: string,
  plan: Plan,
  split: Split,
  index: number,
  scene: Scene,
  phrases: readonly Phrase[],
  files: readonly string[],
): Promise<void> {
  const { size } = plan.form;
  const images = files.map((file) => join(dir, 'img_rgb', file));
  const masks = files.map((file) => join(dir, 'mask', file));
  const wanted = await Promise.all(images.map(missing));
  if (wanted.includes(true)) {
    const png = await renderScene(scene, size, [plan.seed >>> 0, index * splits.length + splits.indexOf(split)]);
    if (wanted[0]) await writePicture(images[0]!, png);
    // Phrases of one scene share the image file on disk if the file system supports links.
    for (const [i, path] of images.entries()) {
      if (i > 0 && wanted[i]) await linkPicture(images[0]!, path, png);
    }
  }
  for (const [i, path] of masks.entries()) {
    if (await missing(path)) await writePicture(path, await renderMask(scene, size, phrases[i]!.object));
  }
}

/** Whether a file is missing or empty; a power failure may leave an empty file. */
async function missing(path: string): Promise<boolean> {
  try {
    return (await stat(path)).size === 0;
  } catch {
    return true;
  }
}

/**
 * Writes atomically by a rename, so that interrupted runs leave no partial pictures.
 * Does not flush, which would be slow.
 */
async function writePicture(path: string, png: Uint8Array): Promise<void> {
  const aside = `${path}.part`;
  try {
    await writeFile(aside, png);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw fileError('write', path, error);
  }
}

async function linkPicture(first: string, path: string, png: Uint8Array): Promise<void> {
  try {
    await rm(path, { force: true });
    await link(first, path);
  } catch {
    await writePicture(path, png);
  }
}

/** Runs `task` for 0 … count - 1, several at a time; stops at the first failure and throws it. */
async function inTurns(count: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      try {
        await task(next++);
      } catch (error) {
        next = count;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: availableParallelism() + 1 }, worker));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
