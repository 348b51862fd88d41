// slow: predicts on drawn scenes

import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { openTensorFile } from '../../runtime/weights/open-tensors.ts';
import type { SafetensorsFile } from '../../runtime/weights/safetensors.ts';
import { openRecord } from '../../runtime/weights/trained-record.ts';
import { scoresKey } from '../../scripts/shipped-model.ts';
import { crobc } from '../cli/crobc.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';

const at = temporaryFolder();
const name = 'models/trained/CroBIM_micro.safetensors';

describe('the trained model that ships', () => {
  /** Scenes that are drawn with another seed than those of its training. */
  const scenes = 40;

  beforeAll(async () => {
    const drawn = await crobc([
      'data',
      'synth',
      '-o',
      at('scenes'),
      '--scenes',
      String(scenes),
      '--val',
      '0',
      '--test',
      String(scenes),
      '--seed',
      '4711',
    ]);
    expect(drawn.code, drawn.err).toBe(0);
  });

  test('is of the model that the source still declares', async () => {
    const record = await openRecord(name);
    const { model } = record!;
    const file = join('models', model.file.replace(/^source\//, ''));
    const { graph } = compile(diskHost(), file, {
      model: model.name,
      dims: new Map(Object.entries(model.dims)),
      overrides: [],
    });
    const now = graph && graphHash(graph);
    expect(now, 'npm run learning -- --ship trains it anew').toBe(model.graph);
  });

  test('has its recipe, seed and scores beside its weights, in a few megabytes of half precision', async () => {
    const record = await openRecord(name);
    expect(record!.training).toMatchObject({ recipe: { recipe: 'micro', seed: 0 }, seed: 0 });
    expect(record!.text!.vocabulary.name).toBe('aerial.txt');
    const file = await openTensorFile(name);
    const scores = JSON.parse((file as SafetensorsFile).metadata.get(scoresKey)!);
    await file.close();
    expect(scores.withPhrases.mIoU).toBeGreaterThan(scores.withoutPhrases.mIoU);
    expect([...new Set([...file.tensors.values()].map(({ dtype }) => dtype))].sort()).toEqual(['F16']);
    expect((await stat(name)).size).toBeLessThan(4e6);
  });

  test('finds what phrases ask for in scenes that it has not seen, and less without phrases', async () => {
    const scored = async (...more: string[]) => {
      const { code, out, err } = await crobc([
        'eval',
        name,
        '--data',
        at('scenes'),
        '--split',
        'test',
        '--json',
        ...more,
        '-o',
        at('scored'),
      ]);
      expect(code, err).toBe(0);
      return JSON.parse(out) as { mIoU: number; samples: number };
    };
    const asked = await scored();
    const unasked = await scored('--no-phrases');
    expect(asked.samples).toBe(2 * scenes);
    expect(asked.mIoU).toBeGreaterThan(0.38);
    expect(asked.mIoU - unasked.mIoU).toBeGreaterThan(0.18);
  });

  test('predicts from any folder by its name', async () => {
    const folder = resolve(at('away'));
    const image = resolve(at('scenes/img_rgb/test_00001.png'));
    const asked = ['--text', 'the white ship', '--image', image, '-o', folder];
    const away = await crobc(['predict', name, ...asked], { cwd: at('.') });
    expect(away.code, away.err).toBe(0);
    expect((await stat(join(folder, 'test_00001.mask.png'))).size).toBeGreaterThan(0);
    const inspected = await crobc(['weights', 'inspect', name, '--json'], { cwd: at('.') });
    expect(JSON.parse(inspected.out)).toMatchObject({ file: name, trained: { model: 'CroBIM_micro' } });
  });
});
