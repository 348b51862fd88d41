import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { main } from './crobc.ts';

const at = temporaryFolder();

test('the demo without its full-size model: every command works, and the pictures it names are there', {
  timeout: 120_000,
}, async () => {
  await mkdir(at('demo/run-1'), { recursive: true });
  await writeFile(at('demo/run-1/mine'), 'kept');
  const args = ['demo/run.mjs', '--no-full', '--steps', '2', '--scenes', '20', '--out', at('demo')];
  const env = { ...process.env, CROBC_MAIN: main };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  expect([status, stderr]).toEqual([0, expect.not.stringContaining('crobc:')]);
  expect([...stdout.matchAll(/^\$ crobc (\w+)/gm)].map(([, command]) => command)).toEqual([
    'check',
    'data',
    'train',
    'eval',
    'predict',
  ]);
  const [, named] = stdout.split('== To look at\n');
  const paths = [...named!.matchAll(/\S+\/run-2\/\S+/g)].map(([path]) => path);
  expect(paths.map((path) => path.replace(/.*\./, ''))).toEqual(['png', 'html', 'png']);
  for (const path of paths) expect((await readFile(path)).length).toBeGreaterThan(100);
  expect(named).toMatch(/^After 2 steps the mean IoU over 4 phrases is \d+\.\d %/m);
  expect(await readFile(at('demo/run-1/mine'), 'utf8')).toBe('kept');
});

test('the demo says what it takes', () => {
  const { status, stderr } = spawnSync(process.execPath, ['demo/run.mjs', '--step'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([2, expect.stringMatching(/^npm run demo /)]);
});
