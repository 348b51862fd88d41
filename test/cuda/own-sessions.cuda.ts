import { expect, test } from 'vitest';
import { readBuildRecord } from '../../runtime/build/build-record.ts';
import { openBuilt } from '../../runtime/build/model-cache.ts';
import { type CompiledFile, compileFrom } from '../../runtime/build/source-model.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { openNativeEngine } from '../../runtime/ort/native-engine.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { batch, micro, openTraining } from '../runtime/training/micro-training.ts';
import { counted } from './counts.ts';

const at = temporaryFolder();

test('a session of a model takes the form for its device, and leaves that for another', async () => {
  const dims = new Map(Object.entries({ H: 64, W: 64, T: 6 }));
  const file = compileFrom(diskHost(), 'models/crobim.crob', { model: 'CroBIM_micro', dims, overrides: [] });
  const options = { out: at('out'), weightsFile: undefined, seed: 0, dtype: 'f32' } as const;
  const open = async (device: 'cuda' | 'cpu') => {
    const session = await openBuilt(file as CompiledFile, options, { device });
    await session.release();
  };
  await open('cuda');
  await open('cpu');
  const profileIn = async (folder: string) =>
    (await readBuildRecord(at(`out/${folder}/CroBIM_micro.manifest.json`))).profile;
  expect(await profileIn('model-cache/cuda')).toBe('cuda');
  expect(await profileIn('model-cache')).toBe('portable');
});

test('a training evaluates by the operators for CUDA', async () => {
  const engine = await openNativeEngine('cuda', undefined);
  if ('missing' in engine) throw new Error(engine.missing);
  const backend = await openTraining(engine, micro(1));
  const { target: _, ...feeds } = batch(0);
  const { launched } = await counted(() => backend.predict(feeds));
  expect([...launched.keys()].filter((name) => name.includes('SkipLayerNorm'))).not.toEqual([]);
  await backend.release();
});
