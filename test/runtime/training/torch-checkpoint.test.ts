import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CheckpointStore, type StoredTensor } from '../../../runtime/training/checkpoint.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

// Written by checkpoints.py of the generated programs: see test/goldens/make-torch-run.py.
const golden = 'test/goldens/torch-run';

const stored: readonly StoredTensor[] = [
  { name: 'average:w', file: 'weights', as: 'w', shape: [2, 2] },
  { name: 'weight:w', file: 'state', as: 'weight:w', shape: [2, 2] },
  { name: 'moment:w', file: 'state', as: 'moment:w', shape: [2, 2] },
  { name: 'buffer:s', file: 'weights', as: 's', shape: [] },
];

test('a checkpoint of train.py is intact, and crobc writes the same bytes for the same state', async () => {
  await cp(golden, at('run'), { recursive: true });
  const checkpoint = (await new CheckpointStore(at('run')).latest((line) => expect.unreachable(line)))!;
  expect(checkpoint.progress).toEqual({
    step: 7,
    seconds: 12.125,
    last: { loss: 1 / 3, lr: 1e-5 },
    best: { step: 7, score: 0.5 },
    worse: 0,
    evaluated: 7,
  });
  expect(checkpoint.identity.recipe).toEqual({ lr: 1e-7, clip: 1e21, groups: [], name: 'émile \u2028 \u007f' });
  const state = await new CheckpointStore(at('run')).load(checkpoint, stored);
  const rest = [-0, Math.fround(1e-40), 3.5];
  expect(Object.fromEntries([...state].map(([name, values]) => [name, [...values]]))).toEqual({
    'average:w': [1, ...rest],
    'weight:w': [2, ...rest],
    'moment:w': [3, ...rest],
    'buffer:s': [7],
  });

  const own = new CheckpointStore(at('own'), { 'crobc.trained': '{"x":"é"}' });
  const path = await own.save(checkpoint.progress, checkpoint.identity, state, stored);
  for (const name of ['checkpoint.json', 'weights.safetensors', 'state.safetensors'])
    expect(await readFile(join(path, name)), name).toEqual(await readFile(join(checkpoint.path, name)));
});
