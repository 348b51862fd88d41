import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Target } from '../../../compiler/emit/onnx/profile.ts';
import { buildModel } from '../../../runtime/build/build-model.ts';
import { openBuiltBy } from '../../../runtime/build/model-cache.ts';
import { elsewhereNote } from '../../../runtime/build/own-profile.ts';
import { type CompiledFile, compileFrom } from '../../../runtime/build/source-model.ts';
import type { Device } from '../../../runtime/ort/session.ts';
import { memoryHost } from '../../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const source = `model Net {
  head = Linear(4, 2)
  input x: f32[3, 4]
  output y = head(x)
}`;
const given = compileFrom(memoryHost({ 'main.crob': source }), 'main.crob', {
  model: undefined,
  dims: new Map(),
  overrides: [],
}) as CompiledFile;

const build = (profile: Target, out: string) =>
  buildModel(given, { out, dtype: 'f32', profile, weightsFile: undefined, seed: 0, writeWeights: true, client: false });

/** The file that is opened, and the notes. */
const opened = (out: string, runsOn: Device) =>
  openBuiltBy(
    given,
    { out, dtype: 'f32', runsOn, weightsFile: undefined, seed: 0 },
    {
      open: async ({ onnx }, notes) => ({ onnx: onnx.replaceAll('\\', '/'), notes }),
      release: async () => undefined,
    },
  );

test('a portable build is not taken on CUDA, as a note says once', async () => {
  const out = at('portable');
  await build('portable', out);
  const cache = at('portable/model-cache/cuda');
  expect(await opened(out, 'cuda')).toEqual({
    onnx: `${cache}/Net.onnx`,
    notes: [
      `the build in ${out} is portable, without --for, and this runs on cuda: Net was built again in ${cache}; the same crobc build with --for cuda -o ${out} would be taken`,
    ],
  });
  expect(await opened(out, 'cuda')).toEqual({ onnx: `${cache}/Net.onnx`, notes: [] });
});

test('the build that the note asks for is taken', async () => {
  const out = at('cuda');
  await build('cuda', out);
  expect(await opened(out, 'cuda')).toEqual({ onnx: at('cuda/Net.onnx'), notes: [] });
  expect(await readdir(at('cuda/model-cache/cuda'))).toEqual(['digests.json']);
});

test('a build for CUDA is not taken on the CPU, for which it is to be built without --for', async () => {
  const out = at('for-cuda');
  await build('cuda', out);
  expect((await opened(out, 'cpu')).notes).toEqual([
    expect.stringMatching(
      / is for cuda \(build --for\), and this runs on cpu: .*; the same crobc build without --for -o /,
    ),
  ]);
});

test.each([
  ['portable', 'cpu', true],
  ['portable', 'webgpu', true],
  ['portable', 'cuda', false],
  ['cpu', 'cpu', true],
  ['cpu', 'cuda', false],
  ['cuda', 'cuda', true],
  ['cuda', 'webgpu', false],
  ['webgpu', 'webgpu', true],
] as const)('a build for %s is in a form for %s: %s', (target, device, isOwn) => {
  expect(elsewhereNote(target, device) === undefined).toBe(isOwn);
});
