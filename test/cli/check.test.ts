import { mkdir, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran, tiny, wrong } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

beforeAll(async () => {
  folder = at('sources');
  await mkdir(`${folder}/below/deeper`, { recursive: true });
  await mkdir(`${folder}/empty`);
  await mkdir(`${folder}/node_modules/some`, { recursive: true });
  await writeFile(`${folder}/tiny.crob`, tiny);
  await writeFile(`${folder}/below/wrong.crob`, wrong);
  await writeFile(`${folder}/below/deeper/also.crob`, 'use nowhere.{Nothing}\n');
  await writeFile(`${folder}/node_modules/some/broken.crob`, 'module {');
  await writeFile(
    `${folder}/unused.crob`,
    'module Gate(dim: int) {\n  forward(x: f32[B, dim]) -> f32[B, dim] { return sigmoid(x) }\n}\n',
  );
  await writeFile(`${folder}/used.crob`, 'use unused.{Gate}\n\nexample Gate(3)\n');
  await writeFile(`${folder}/free.crob`, 'model Free {\n  input x: f32[B]\n  output y = x + x\n}\n');
});

const check = (...args: string[]): Promise<Ran> => crobc(['check', ...args], { cwd: folder });

describe('a file without errors', () => {
  test('says nothing and ends with 0', async () => {
    expect(await check('tiny.crob')).toEqual({ code: 0, out: '', err: '' });
  });

  test('warns of a module that nothing constructs, and ends with 0', async () => {
    const { code, out, err } = await check('unused.crob');
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toContain('warning[CROB2013]: nothing in these files constructs `Gate`, so its body is not checked\n');
    expect(err).toContain('unused.crob:1:8');
    expect(await check('unused.crob', 'used.crob')).toEqual({ code: 0, out: '', err: '' });
    const json = JSON.parse((await check('unused.crob', '--reporter', 'json')).out);
    expect(json).toMatchObject([{ code: 'CROB2013', severity: 'warning' }]);
  });

  test('as JSON is an empty list', async () => {
    expect(await check('tiny.crob', '--reporter', 'json')).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  test('its guards, model by model', async () => {
    const { code, out, err } = await check('tiny.crob', 'free.crob', '--guards');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(`Free
  no conditions on the inputs
Tiny
  H % 4 == 0
  W % 4 == 0
  T <= 20
`);
  });
});

test('a guard that names a part is shown in numbers, too', async () => {
  const { out } = await crobc(['check', 'models/crobim.crob', '--guards']);
  expect(out).toContain('\nCroBIM_micro\n  H % 32 == 0\n  W % 32 == 0\n  T <= 64  (T <= text.positions)\n');
});

describe('files with errors', () => {
  let all: Ran;
  let json: Ran;
  beforeAll(async () => {
    [all, json] = await Promise.all([check(), check('.', '--reporter', 'json')]);
  });

  test('every error of every file below the folder, on standard error, with 1', () => {
    expect(all.code).toBe(1);
    expect(all.out).toBe('');
    expect(all.err).toContain('below/wrong.crob:2:39');
    expect(all.err).toContain('Conv2d has no parameter `stirde`');
    expect(all.err).toContain('help: did you mean `stride`?');
    expect(all.err).toContain('below/wrong.crob:7:');
    expect(all.err).toContain('below/deeper/also.crob:1:');
    expect(all.err).toMatch(/\n\d+ errors in 6 files\n$/);
  });

  test('not those of node_modules', () => {
    expect(all.err).not.toContain('broken.crob');
  });

  test('as JSON: the same errors on standard output, nothing on standard error', () => {
    expect(json.code).toBe(1);
    expect(json.err).toBe('');
    const messages = JSON.parse(json.out) as { code: string; file: string; range: unknown; severity: string }[];
    const count = Number(/(\d+) errors/.exec(all.err)?.[1]);
    expect(messages).toHaveLength(count);
    const stride = messages.find((m) => m.code === 'CROB2009');
    expect(stride).toEqual({
      code: 'CROB2009',
      severity: 'error',
      message: 'Conv2d has no parameter `stirde`',
      file: 'below/wrong.crob',
      range: { start: { line: 2, column: 39 }, end: { line: 2, column: 45 } },
      notes: expect.any(Array),
      details: [],
      help: 'did you mean `stride`?',
    });
  });

  test('no colour where there is no terminal, colour under FORCE_COLOR, and none under NO_COLOR', async () => {
    const [plain, forced, none] = await Promise.all(
      [{}, { FORCE_COLOR: '1' }, { FORCE_COLOR: '1', NO_COLOR: '1' }].map((env) =>
        crobc(['check', 'below/wrong.crob'], { cwd: folder, env }),
      ),
    );
    const colour = '\u001b[';
    expect(plain!.err).not.toContain(colour);
    expect(forced!.err).toContain(colour);
    expect(none!.err).toBe(plain!.err);
  });
});

describe('what cannot be read', () => {
  test.each([
    [['none.crob'], 'crobc: none.crob: no such file or folder\n'],
    [['empty'], 'crobc: no .crob files in empty\n'],
  ])('%j', async (args, err) => {
    expect(await check(...args)).toEqual({ code: 1, out: '', err });
  });

  test('a folder without any file, as the working folder', async () => {
    const ran = await crobc(['check'], { cwd: `${folder}/empty` });
    expect(ran).toEqual({ code: 1, out: '', err: 'crobc: no .crob files below this folder\n' });
  });
});
