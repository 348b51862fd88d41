import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkDataset } from '../../../runtime/data/check.ts';
import { openDataset } from '../../../runtime/data/dataset.ts';
import { readMask } from '../../../runtime/data/mask-source.ts';
import { openLayout } from '../../../runtime/data/open-layout.ts';
import { evaluate } from '../../../runtime/evaluation/evaluate.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
/** Made by make-data-sets.py, as is what a plain evaluation of it gives. */
const golden = 'test/goldens/rrsis-d';

let folders = 0;
async function copied(): Promise<string> {
  const dir = at(`rrsis-d-${folders++}`);
  await cp(golden, dir, { recursive: true });
  return dir;
}

const silent = { onBad: 'stop', report: () => undefined } as const;
const fault = async (opening: Promise<unknown>): Promise<string> => {
  const error = await opening.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  expect((error as Error).message).not.toContain('\n');
  return (error as Error).message;
};

describe('read in place', () => {
  test('every sentence is a sample, with its image, category and mask', async () => {
    const dir = await copied();
    const layout = await openLayout(dir);
    expect(layout).toMatchObject({ kind: 'rrsis-d', splits: ['train', 'val', 'test'] });
    const notes: string[] = [];
    const { samples } = await openDataset(dir, 'test', {
      onBad: 'stop',
      onSizeMismatch: 'resize',
      report: (line) => notes.push(line),
    });
    expect(
      samples.map(({ image, phrase, line, category }) => [image.split('/').at(-1), phrase, line, category]),
    ).toEqual([
      ['00003.jpg', 'the two airplanes', 1, 'airplane'],
      ['00003.jpg', 'airplanes that overlap', 2, 'airplane'],
      ['00001.jpg', 'An airplane of many corners', 3, 'airplane'],
      ['00002.jpg', 'the strip along the top', 4, 'storage tank'],
    ]);
    expect(notes).toEqual([
      `3 of 4 masks have another size than their images and are resized by themselves: ${dir}/rrsisd/refs(unc).p:1 is the first`,
    ]);
  });

  test('pixels in two parts of an annotation are off', async () => {
    const dir = await copied();
    const { samples } = await openDataset(dir, 'test', { ...silent, onSizeMismatch: 'resize' });
    const { mask } = (await readMask(samples[0]!.mask))!;
    const on = (x: number, y: number) => mask.data[y * mask.width + x];
    expect([on(300, 300), on(450, 450), on(600, 600), on(600, 300)]).toEqual([1, 0, 1, 0]);
    expect(mask.data.reduce((sum, v) => sum + v, 0)).toBe(2 * (300 * 300 - 100 * 100));
  });

  test('the published numbers', async () => {
    const { splits, summary } = await checkDataset(await copied(), { onSizeMismatch: 'resize' });
    expect(splits.map(({ split, samples }) => [split, samples])).toEqual([
      ['train', 2],
      ['val', 1],
      ['test', 4],
    ]);
    expect(summary).toMatchObject({
      triplets: 7,
      imageSizes: ['800 × 800', '800 × 787', '800 × 801'],
      published: { name: 'RRSIS-D', splits: { train: 12_181, val: 1_740, test: 3_481 } },
      note: expect.stringMatching(/^these are not all samples of RRSIS-D as it was published: train 2 of 12,181, /),
    });
  });
});

describe('masks of another size than their images', () => {
  test('stop, which is the usual, names the option; skip leaves them out', async () => {
    const dir = await copied();
    const stopped = `${dir}/rrsisd/refs(unc).p:1: the mask has 800 × 800 pixels, and its image 800 × 787 (--on-size-mismatch resize would resize each by itself, --on-size-mismatch skip would leave the sample out)`;
    expect(await fault(openDataset(dir, 'test', silent))).toBe(stopped);
    // Even where other bad samples are skipped.
    expect(await fault(openDataset(dir, 'test', { ...silent, onBad: 'skip', onSizeMismatch: 'stop' }))).toBe(stopped);
    const { samples } = await openDataset(dir, 'test', { ...silent, onSizeMismatch: 'skip' });
    expect(samples.map(({ line }) => line)).toEqual([3]);
  });
});

test('scores under the protocol of LAVT are those of a plain evaluation in Python, to the last digit', async () => {
  const { predictions, each, lavt } = JSON.parse(await readFile('test/goldens/rrsis-d.json', 'utf8')) as {
    readonly predictions: readonly (readonly [number, number, number, number])[];
    readonly each: readonly Readonly<Record<'phrase' | 'category' | 'intersection' | 'union', unknown>>[];
    readonly lavt: Readonly<Record<string, unknown>>;
  };
  const dataset = await openDataset(await copied(), 'test', { ...silent, onSizeMismatch: 'resize' });
  const side = 480;
  let next = 0;
  const predict = async () => {
    const data = new Float32Array(2 * side * side).fill(-1);
    for (let i = 0; i < 2; i++) {
      const [x0, y0, x1, y1] = predictions[next++]!;
      for (let y = y0; y < y1; y++) data.fill(1, (i * side + y) * side + x0, (i * side + y) * side + x1);
    }
    return { dtype: 'f32', shape: [2, 1, side, side], data } as const;
  };
  const found = await evaluate(predict, dataset, {
    ...silent,
    protocol: 'lavt',
    batch: 2,
    height: side,
    width: side,
    text: undefined,
  });
  expect(
    found.each.map(({ sample: { phrase, category }, intersection, union }) => ({
      phrase,
      category,
      intersection,
      union,
    })),
  ).toEqual(each);
  const { oIoU, mIoU, precision } = found;
  expect({ oIoU, mIoU, precision }).toEqual(lavt);
});

describe('what is wrong has its file', () => {
  test('missing and damaged files', async () => {
    const dir = await copied();
    const file = join(dir, 'rrsisd', 'refs(unc).p');
    await writeFile(file, "cos\nsystem\n(S'true'\ntR.");
    expect(await fault(openLayout(dir))).toBe(
      `${file} is not a file of references: byte 0: it would import "os.system", and crobc runs no code of a file`,
    );
    await writeFile(file, '(lp0\n.');
    expect(await fault(openLayout(dir))).toBe(`${file} is not a file of references: it is empty`);
    const other = await copied();
    await rm(join(other, 'rrsisd', 'instances.json'));
    expect(await fault(openDataset(other, 'train', silent))).toMatch(/instances\.json: no such file or folder$/);
    await writeFile(join(other, 'rrsisd', 'instances.json'), '['.repeat(1000));
    expect(await fault(openDataset(other, 'train', silent))).toMatch(/it has more than 16 levels$/);
    await writeFile(join(other, 'rrsisd', 'instances.json'), '{"images": [], "annotations": 3, "categories": []}');
    expect(await fault(openDataset(other, 'train', silent))).toMatch(/"annotations" is 3, not a list$/);
  });

  test('annotations that are missing, belong to another image, or do not decode', async () => {
    const dir = await copied();
    const path = join(dir, 'rrsisd', 'instances.json');
    const instances = JSON.parse(await readFile(path, 'utf8'));
    const wrong = async (change: (copy: typeof instances) => void) => {
      const copy = structuredClone(instances);
      change(copy);
      await writeFile(path, JSON.stringify(copy));
      const { splits } = await checkDataset(dir, { split: 'train', onSizeMismatch: 'resize' });
      return splits[0]!.findings
        .filter(({ severity }) => severity === 'error')
        .map(({ line, text }) => `${line}: ${text}`);
    };
    expect(await wrong(() => undefined)).toEqual([]);
    expect(await wrong((all) => all.annotations.splice(0, 1))).toEqual([
      '1: reference 0: instances.json has no annotation 11',
    ]);
    expect(
      await wrong((all) => {
        all.annotations[0].image_id = 3;
      }),
    ).toEqual(['1: reference 0: its image is 1, and that of its annotation 3']);
    expect(
      await wrong((all) => {
        all.annotations[0].segmentation[0].counts += '1';
      }),
    ).toEqual([
      expect.stringMatching(/^1: part 1 of the mask is damaged: its runs have \d+ pixels, and 800 × 800 are 640000$/),
    ]);
    expect(
      await wrong((all) => {
        all.annotations[0].segmentation[0].size = [1e6, 1e6];
      }),
    ).toEqual([expect.stringMatching(/over the limit of 100000000$/)]);
    expect(
      await wrong((all) => {
        all.images[0].file_name = '../../secret.png';
      }),
    ).toEqual(
      ['1: "../../secret.png" is no name of a file in the folder'].map((line) =>
        line.replace('1: ', '1: reference 0: '),
      ),
    );
  });
});
