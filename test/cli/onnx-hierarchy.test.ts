// slow: builds CroBIM_micro

import { readFile } from 'node:fs/promises';
import onnxProto from 'onnx-proto';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();
const model = 'models/crobim.crob';

async function built(out: string, ...args: string[]) {
  const { code, err } = await crobc(['build', model, '-m', 'CroBIM_micro', '--no-weights', '-o', at(out), ...args]);
  expect(code, err).toBe(0);
  const bytes = await readFile(at(`${out}/CroBIM_micro.onnx`));
  return {
    bytes,
    proto: onnxProto.onnx.ModelProto.decode(bytes),
    manifest: JSON.parse(await readFile(at(`${out}/CroBIM_micro.manifest.json`), 'utf8')),
  };
}

let one: Awaited<ReturnType<typeof built>>;
beforeAll(async () => {
  one = await built('one', '--set', 'H=64,W=96');
});

test('the file says what it was built from, as its manifest does', async () => {
  const { proto, manifest } = one;
  const found = Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value]));
  expect(found).toEqual({
    'crobc.model': 'CroBIM_micro',
    'crobc.profile': 'portable',
    'crobc.version': manifest.crobc,
    'crobc.graph': manifest.hashes.graph,
    'crobc.sources': JSON.stringify(manifest.hashes.sources),
    'crobc.library': manifest.hashes.library,
    'crobc.dims': '{"H":64,"W":96}',
    'crobc.dtype': 'f32',
  });
  expect((await built('again', '--set', 'H=64,W=96')).bytes).toEqual(one.bytes);
});

/** The folders of a node, as Model Explorer reads them from its name. */
const foldersOf = (name: string) => name.split('/').slice(0, -1);

test('the names of nodes are paths of modules, by which viewers fold them', async () => {
  const { out } = await crobc(['describe', model, '-m', 'CroBIM_micro', '--json']);
  const parts: { readonly weights: string }[] = JSON.parse(out).parts;
  const modules = new Set(parts.map(({ weights }) => weights));
  const nodes = one.proto.graph!.node!;
  expect(new Set(nodes.map(({ name }) => name)).size).toBe(nodes.length);
  const folders = new Set(nodes.map(({ name }) => foldersOf(name!).join('.')));
  const others = [...folders].filter((path) => !modules.has(path));
  // The model's own equations, and sizes that are computed at run time.
  expect(others.sort()).toEqual(['', 'dims']);
  expect(folders.size).toBeGreaterThan(150);
  expect(Math.max(...nodes.map(({ name }) => foldersOf(name!).length))).toBeGreaterThanOrEqual(5);
});
