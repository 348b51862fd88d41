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
  // Hidden, so that these are checked where they are named alone.
  await mkdir(`${folder}/.odd/std`, { recursive: true });
  await writeFile(`${folder}/.odd/latin.crob`, Buffer.from('// caf\u00e9\nfn one() = 1\n', 'latin1'));
  await writeFile(`${folder}/.odd/huge.crob`, '/'.repeat(5_000_000));
  await writeFile(
    `${folder}/.odd/std/mine.crob`,
    'use norm.{Doubled}\n\nmodel Mine {\n  d = Doubled(missing)\n  input x: f32[B]\n  output y = d(x)\n}\n',
  );
  await writeFile(
    `${folder}/.odd/std/norm.crob`,
    'module Doubled(n: int = 2) {\n  forward(x: f32[B]) -> f32[B] { return x * n }\n}\n\nmodel Norm {\n  d = Doubled()\n  input x: f32[B]\n  output y = d(x)\n}\n',
  );
  await writeFile(`${folder}/free.crob`, 'model Free {\n  input x: f32[B]\n  output y = x + x\n}\n');
});

const check = (...args: string[]): Promise<Ran> => crobc(['check', ...args], { cwd: folder });

describe('a file without errors', () => {
  test('says nothing and ends with 0', async () => {
    expect(await check('tiny.crob')).toEqual({ code: 0, out: '', err: '' });
  });

  test('warns of a module that nothing constructs, and ends with 0', async () => {
    const { code, out, err } = await check('unused.crob');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('warning[CROB2013]: nothing in these files constructs `Gate`, so its body is not checked\n');
    expect(out).toContain('unused.crob:1:8');
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

  test('every error of every file below the folder, on standard output, with 1', () => {
    expect(all.code).toBe(1);
    expect(all.err).toBe('');
    expect(all.out).toContain('below/wrong.crob:2:39');
    expect(all.out).toContain('Conv2d has no parameter `stirde`');
    expect(all.out).toContain('help: did you mean `stride`?');
    expect(all.out).toContain('below/wrong.crob:7:');
    expect(all.out).toContain('below/deeper/also.crob:1:');
    expect(all.out).toMatch(/\n\d+ errors in 6 files\n$/);
  });

  test('not those of node_modules', () => {
    expect(all.out).not.toContain('broken.crob');
  });

  test('as JSON: the same errors on standard output, nothing on standard error', () => {
    expect(json.code).toBe(1);
    expect(json.err).toBe('');
    const messages = JSON.parse(json.out) as { code: string; file: string; range: unknown; severity: string }[];
    const count = Number(/(\d+) errors/.exec(all.out)?.[1]);
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
    expect(plain!.out).not.toContain(colour);
    expect(forced!.out).toContain(colour);
    expect(none!.out).toBe(plain!.out);
  });
});

describe('what cannot be read', () => {
  test.each([
    [['none.crob'], 'crobc: cannot read none.crob: no such file or folder\n'],
    [['empty'], 'crobc: there are no .crob files in empty\n'],
    [['free.crob/x.crob'], 'crobc: cannot read free.crob/x.crob: a part of the path is not a folder\n'],
  ])('%j', async (args, err) => {
    expect(await check(...args)).toEqual({ code: 1, out: '', err });
  });

  test('a folder without any file, as the working folder', async () => {
    const ran = await crobc(['check'], { cwd: `${folder}/empty` });
    expect(ran).toEqual({ code: 1, out: '', err: 'crobc: there are no .crob files in .\n' });
  });

  test('keeps nothing else from being checked', async () => {
    const { code, out, err } = await check('none.crob', 'below/wrong.crob', '.odd/huge.crob');
    expect(code).toBe(1);
    expect(err).toMatch(/^crobc: cannot read none\.crob: no such file or folder\n/);
    expect(err).toContain(
      '\ncrobc: cannot read .odd/huge.crob: it has 5,000,000 bytes, and a source 4.0 MiB at most\n',
    );
    expect(out).toContain('Conv2d has no parameter `stirde`');
  });

  test('bytes that are not UTF-8 have a place', async () => {
    const { code, out } = await check('.odd/latin.crob');
    expect(code).toBe(1);
    expect(out).toContain('error[CROB1047]: this is not UTF-8 text\n  .odd/latin.crob:1:7 ');
    expect(out).toContain('\n1 error in 1 file\n');
  });
});

describe('--reporter json is one document, and nothing else on standard output', () => {
  const json = async (...args: string[]) => {
    const ran = await check(...args, '--reporter', 'json');
    return { code: ran.code, err: ran.err, document: JSON.parse(ran.out) };
  };
  const unread = (file: string, message: string) => ({
    code: null,
    severity: 'error',
    message,
    file,
    range: null,
    notes: [],
    details: [],
    help: null,
  });

  test('with what cannot be read', async () => {
    expect(await json('none.crob', 'tiny.crob', '.odd/huge.crob')).toEqual({
      code: 1,
      err: '',
      document: [
        unread('none.crob', 'cannot read none.crob: no such file or folder'),
        unread('.odd/huge.crob', 'cannot read .odd/huge.crob: it has 5,000,000 bytes, and a source 4.0 MiB at most'),
      ],
    });
    expect(await json('empty')).toEqual({
      code: 1,
      err: '',
      document: [unread('empty', 'there are no .crob files in empty')],
    });
  });

  test('with --guards: messages, and the models that are right', async () => {
    const { code, err, document } = await json('free.crob', 'tiny.crob', 'below/wrong.crob', '--guards');
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(Object.keys(document)).toEqual(['messages', 'models']);
    expect(document.messages).toMatchObject([{ code: 'CROB2009' }, { code: expect.any(String) }]);
    expect(document.models).toEqual([
      { name: 'Free', file: 'free.crob', guards: [] },
      {
        name: 'Tiny',
        file: 'tiny.crob',
        guards: [
          { condition: 'H % 4 == 0', left: 'H', relation: '%', right: '4', remainder: 0, source: 'H % 4 == 0' },
          { condition: 'W % 4 == 0', left: 'W', relation: '%', right: '4', remainder: 0, source: 'W % 4 == 0' },
          { condition: 'T <= 20', left: 'T', relation: '<=', right: '20', source: 'T <= 20' },
        ],
      },
    ]);
    expect(await json('tiny.crob', '--guards')).toMatchObject({ code: 0, err: '', document: { messages: [] } });
    expect(await json('none.crob', '--guards')).toMatchObject({
      code: 1,
      err: '',
      document: { messages: [{ code: null }], models: [] },
    });
  });
});

test("a folder of one's own may be called std", async () => {
  const [own, library] = await Promise.all([
    crobc(['check', 'std/mine.crob'], { cwd: `${folder}/.odd` }),
    crobc(['summary', 'std/norm.crob'], { cwd: `${folder}/.odd` }),
  ]);
  expect(own.out).toContain('there is no `missing` here\n  ./std/mine.crob:4:');
  expect(library).toMatchObject({ code: 0, out: expect.stringMatching(/^Norm\n/) });
  const built = await crobc(['build', 'std/norm.crob', '-o', 'out'], { cwd: `${folder}/.odd` });
  expect(built.code, built.err).toBe(0);
});
