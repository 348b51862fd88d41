// slow: runs 20,000 times
import { execFile } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';

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

test('onnxruntime has as much stack for the longest command line as it needs', async () => {
  expect(await run('end without a release', 'a'.repeat(15_000))).toEqual({ code: 0, out: '', err: '' });
  expect(await run('end without a release', 'a'.repeat(17_000))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/the command line has 17,\d+ bytes/),
  });
});
