// slow: trains a model and builds it

import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import ts from 'typescript';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { crobc } from '../cli/crobc.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';

// `npm run test:examples` runs them as users do: in Python, and in a browser.
const at = temporaryFolder();
const text = 'the white ship on the left';
const folders = ['browser', 'server'] as const;

const pixelsOf = (mask: string | Buffer) => sharp(mask).extractChannel(0).raw().toBuffer();

/** The mask that `crobc predict` finds: 255 in the object. */
let expected: Buffer;
const image = () => at('picture.png');

beforeAll(async () => {
  const run = async (...args: string[]) => {
    const { code, err } = await crobc(args, { cwd: at('') });
    expect(code, err).toBe(0);
  };
  const small = ['--device', 'cpu', '--threads', '1'];
  await run('data', 'synth', '-o', 'scenes', '--scenes', '20', '--size', '64');
  // A model that has learned nothing marks about half of an image, which is more to compare than few pixels.
  await run('train', 'models/crobim.crob', '-m', 'CroBIM_micro', '-d', 'scenes', '-o', 'run', '--steps', '1', ...small);
  await sharp('docs/images/overlay.png').resize(150, 97, { fit: 'fill' }).removeAlpha().png().toFile(image());
  await run('predict', 'run', '--image', image(), '--text', text, '-o', 'predicted', ...small);
  expected = await pixelsOf(at('predicted/picture.mask.png'));
  expect(new Set(expected)).toEqual(new Set([0, 255]));
  for (const name of folders) {
    cpSync(join('examples', name), at(name), { recursive: true });
    symlinkSync(resolve('node_modules'), join(at(name), 'node_modules'));
    mkdirSync(join(at(name), 'model'), { recursive: true });
    await run('build', 'run', '-o', join(name, 'model'));
  }
});

afterEach(() => vi.unstubAllGlobals());

/** Compiles an example by its own settings, and returns what is wrong with it. */
function compiled(name: (typeof folders)[number]): readonly string[] {
  const { config } = ts.readConfigFile(join(at(name), 'tsconfig.json'), ts.sys.readFile);
  const { options, fileNames, errors } = ts.parseJsonConfigFileContent(config, ts.sys, at(name));
  const program = ts.createProgram(fileNames, options);
  const { diagnostics } = program.emit();
  return [...errors, ...ts.getPreEmitDiagnostics(program), ...diagnostics].map(({ messageText }) =>
    ts.flattenDiagnosticMessageText(messageText, '\n'),
  );
}

const load = (path: string) => import(pathToFileURL(at(path)).href);

test('what the page does finds the mask of predict, with onnxruntime-node in place of onnxruntime-web', async () => {
  expect(compiled('browser')).toEqual([]);
  vi.stubGlobal('fetch', async (path: string) => new Response(await readFile(path)));
  const { openModel } = await load('browser/segment.js');
  const segment = await openModel(at('browser/model'));
  // A canvas has alpha.
  const { data, info } = await sharp(image()).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const mask: Uint8Array = await segment({ data, width: info.width, height: info.height }, text);
  expect(Buffer.from(mask.map((inside) => inside * 255)).equals(expected)).toBe(true);
  vi.stubGlobal('fetch', async () => new Response('', { status: 404 }));
  await expect(openModel('model')).rejects.toThrow('cannot read model/CroBIM_micro.manifest.json: 404');
});

test('a build without a vocabulary is refused', async () => {
  const { openModel } = await load('browser/segment.js');
  const path = at('browser/model/CroBIM_micro.manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  manifest.preprocessing.text.vocabulary = null;
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(manifest)));
  await expect(openModel('model')).rejects.toThrow('the build has no vocabulary');
});

describe('the server', () => {
  const asked = async (body: string | Uint8Array<ArrayBuffer>, phrase: string) => {
    const { modelServer } = await load('server/server.js');
    const server: Server = await modelServer(at('server/model'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const { port } = server.address() as AddressInfo;
      return await fetch(`http://127.0.0.1:${port}/?text=${encodeURIComponent(phrase)}`, { method: 'POST', body });
    } finally {
      server.close();
    }
  };

  test('answers with the mask of predict, or with what is wrong', async () => {
    expect(compiled('server')).toEqual([]);
    const answer = await asked(readFileSync(image()), text);
    expect(answer.status).toBe(200);
    const mask = await pixelsOf(Buffer.from(await answer.arrayBuffer()));
    expect(mask.equals(expected)).toBe(true);

    const wordless = await asked(readFileSync(image()), '');
    expect([wordless.status, await wordless.text()]).toEqual([400, 'the text has no words']);
    const noImage = await asked('abc', text);
    expect([noImage.status, await noImage.text()]).toEqual([400, expect.stringContaining('unsupported image format')]);
  });
});

test('packages are those that crobc is tested with', () => {
  const own = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>;
  const tested: Readonly<Record<string, string>> = {
    ...own.dependencies,
    ...own.devDependencies,
    // One version for all that onnxruntime publishes.
    'onnxruntime-web': own.devDependencies!['onnxruntime-node']!,
  };
  for (const name of folders) {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join('examples', name, 'package.json'), 'utf8'));
    for (const [dependency, version] of Object.entries({ ...dependencies, ...devDependencies }))
      expect([name, dependency, version]).toEqual([name, dependency, tested[dependency]]);
  }
});
