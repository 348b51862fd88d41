// slow: runs 20,000 times
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { onnxRuntimeLibrary } from '../../../../runtime/ort/library-path.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

let file = '';
beforeAll(async () => {
  const { bundleSource } = await import('../../../../scripts/bundle-source.mjs');
  file = await bundleSource('test/runtime/ort/c-api/process.ts');
});

function run(
  ...args: readonly string[]
): Promise<{ readonly code: unknown; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--expose-gc', file, ...args], (error, out, err) =>
      resolve({ code: error?.signal ?? error?.code ?? 0, out, err }),
    );
  });
}

test('a process exits in a run, with everything open', async () => {
  expect(await run('exit in a run')).toEqual({ code: 7, out: '', err: '' });
});

test('a process ends although nothing was released', async () => {
  expect(await run('end without a release')).toEqual({ code: 0, out: '', err: '' });
});

test('memory stays the same over 20,000 runs and 5,000 bindings', async () => {
  const { code, out, err } = await run('memory');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const [first = 0, ...others] = JSON.parse(out) as number[];
  // 5,000 arrays that stay would be 320 MiB.
  for (const rss of others) expect(rss - first).toBeLessThan(32 * 2 ** 20);
});

test('devices that are released while arrays are in use take no memory once these are collected', async () => {
  const { code, out, err } = await run('pinned arrays');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  // 20 arrays that stay would be 640 MiB; the last two may not be collected yet.
  const rss = JSON.parse(out) as number[];
  expect(rss.at(-1)! - rss[2]!).toBeLessThan(96 * 2 ** 20);
});

const at = temporaryFolder();

test.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'onnxruntime looks for the provider of a wheel where both are linked, and is in the process once',
  async () => {
    const packages = at('venv/lib/python3.12/site-packages');
    await mkdir(join(packages, 'onnxruntime/capi'), { recursive: true });
    await mkdir(join(packages, `onnxruntime_gpu-${onnxRuntimeLibrary()!.version}.dist-info`));
    for (const name of ['cuda', 'shared'])
      await writeFile(join(packages, 'onnxruntime/capi', `libonnxruntime_providers_${name}.so`), 'hello');
    const { code, out } = await run('linked', at('.'));
    expect(code).toBe(0);
    const { libraries, failure } = JSON.parse(out) as { readonly libraries: number; readonly failure: string };
    expect(libraries).toBe(1);
    expect(failure).toContain(`Failed to load library ${at('links/libonnxruntime_providers_shared.so')}`);
  },
);

test('onnxruntime has as much stack for the longest command line as it needs', async () => {
  expect(await run('end without a release', 'a'.repeat(15_000))).toEqual({ code: 0, out: '', err: '' });
  expect(await run('end without a release', 'a'.repeat(17_000))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/the command line has 17,\d+ bytes/),
  });
});
