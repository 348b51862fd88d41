// slow: runs the demo

import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';

const at = temporaryFolder();

test('the demo without its full-size model: every command works, and the pictures it names are there', async () => {
  await mkdir(at('demo/run-1'), { recursive: true });
  await writeFile(at('demo/run-1/mine'), 'kept');
  const args = ['demo/run.mjs', '--no-full', '--steps', '2', '--scenes', '20', '--out', at('demo')];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, expect.not.stringContaining('crobc:')]);
  expect([...stdout.matchAll(/^\$ crobc (\w+)/gm)].map(([, command]) => command)).toEqual([
    'check',
    'data',
    'predict',
    'predict',
    'eval',
    'data',
    'train',
    'eval',
    'predict',
  ]);
  const [, named] = stdout.split('== To look at\n');
  const paths = [...named!.matchAll(/\S+\/run-2\/\S+/g)].map(([path]) => path);
  expect(paths.map((path) => path.replace(/.*\./, ''))).toEqual(['png', 'png', 'png', 'html', 'png', 'html', 'png']);
  for (const path of paths) expect((await readFile(path)).length).toBeGreaterThan(100);
  expect(named).toMatch(/^After 2 steps the mean IoU over 4 phrases is \d+\.\d %/m);
  expect(await readFile(at('demo/run-1/mine'), 'utf8')).toBe('kept');
});

/** Stands in for crobc: notes what it is asked, and writes the report that the demo reads. */
const stub = `
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
const words = process.argv.slice(2);
appendFileSync(process.env.ASKED, JSON.stringify(words) + '\\n');
if (words[0] === 'eval') {
  mkdirSync(words[words.indexOf('--out') + 1], { recursive: true });
  const each = [{ image: 'scene.png', phrase: 'the ship', iou: 0.5 }];
  writeFileSync(words[words.indexOf('--out') + 1] + '/CroBIM_micro.test.json', JSON.stringify({ samples: 1, mIoU: 0.5, each }));
}
const out = words[words.indexOf('--out') + 1];
if (words[0] === 'train' || words[1] === 'synth') mkdirSync(out, { recursive: true });
if (words[1] === 'synth') writeFileSync(out + '/output_phrase_test.txt', 'a.png the ship\\n'.repeat(12));
`;

test('at its full size, CroBIM is checked, built, and asked for a mask in the folder of that build', async () => {
  const [asked, program, out] = [at('asked'), at('stub.mjs'), at('full')];
  await writeFile(program, stub);
  const env = { ...process.env, CROBC_MAIN: program, ASKED: asked };
  const { status, stderr } = spawnSync(process.execPath, ['demo/run.mjs', '--out', out], { encoding: 'utf8', env });
  expect([status, stderr]).toEqual([0, '']);
  const commands = (await readFile(asked, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
  const shipped = commands.slice(2, 5);
  expect(shipped.map(([command, model]) => [command, model])).toEqual(
    ['predict', 'predict', 'eval'].map((command) => [command, 'models/trained/CroBIM_micro.safetensors']),
  );
  const full = [commands[0]!, ...commands.slice(5, 8)];
  expect(full.map(([command]) => command)).toEqual(['check', 'summary', 'build', 'predict']);
  for (const command of full) expect(command[1]).toBe('models/crobim.crob');
  const [, , build, predict] = full;
  for (const command of [build!, predict!])
    expect(command).toEqual(expect.arrayContaining(['--model', 'CroBIM', '--out', out]));
  // The sizes that `predict` takes from the recipe, so that it finds the build.
  expect(build).toEqual(expect.arrayContaining(['--set', 'H=480,W=480,T=20']));
  expect((await readFile(join(out, 'scene.png'))).length).toBeGreaterThan(1000);
});

test('the demo says what it takes', () => {
  const { status, stderr } = spawnSync(process.execPath, ['demo/run.mjs', '--step'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([2, expect.stringMatching(/^npm run demo /)]);
});
