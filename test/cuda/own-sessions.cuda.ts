import { expect, test } from 'vitest';
import { readBuildRecord } from '../../runtime/build/build-record.ts';
import { openBuilt } from '../../runtime/build/model-cache.ts';
import { type CompiledFile, compileFrom } from '../../runtime/build/source-model.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { openNativeEngine } from '../../runtime/ort/native-engine.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { batch, micro, openTraining } from '../runtime/training/micro-training.ts';
import { counted, total } from './counts.ts';

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

test.each(['f32', 'f16', 'bf16'] as const)(
  'a prediction in %s by the operators for CUDA is one CUDA graph',
  async (dtype) => {
    const dims = new Map(Object.entries({ B: 2, H: 64, W: 64, T: 6 }));
    const file = compileFrom(diskHost(), 'models/crobim.crob', { model: 'CroBIM_micro', dims, overrides: [] });
    const options = { out: at(dtype), weightsFile: undefined, seed: 0, dtype };
    const session = await openBuilt(file as CompiledFile, options, { device: 'cuda' });
    const { target: _, ...feeds } = batch(0);
    const run = () => session.run(feeds);
    const first = await counted(run);
    await run();
    const { launched, graphLaunches, staleReads } = await counted(run);
    await session.release();
    expect(session.note).toBeUndefined();
    expect([...first.launched.keys()].filter((name) => name.includes('SkipLayerNorm'))).not.toEqual([]);
    expect([total(launched), graphLaunches, staleReads]).toEqual([0, 1, 0]);
  },
);

test('a training evaluates by the operators for CUDA', async () => {
  const engine = await openNativeEngine('cuda', undefined);
  if ('missing' in engine) throw new Error(engine.missing);
  const backend = await openTraining(engine, micro(1));
  const { target: _, ...feeds } = batch(0);
  const { launched } = await counted(() => backend.predict(feeds));
  expect([...launched.keys()].filter((name) => name.includes('SkipLayerNorm'))).not.toEqual([]);
  await backend.release();
});
