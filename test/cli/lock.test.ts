import { readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();
const source = (scale = '2.0') => `use parts.{Gate}

model One where N <= 64 {
  gate = Gate(8)
  input x: f32[N, 8]
  let y = ${scale} * gate(x)
  output z = y
}

model Two {
  gates = [Gate(4) for i in 0..3]
  head = Linear(4, 2)
  input x: f32[N, 4]
  output y = head(gates[2](gates[1](gates[0](x))))
}
`;
const parts = (bias = 'true', body = 'x * sigmoid(fc(x))') => `module Gate(dim: int) {
  fc = Linear(dim, dim, bias = ${bias})
  forward(x: f32[N, dim]) -> f32[N, dim] { return ${body} }
}
example Gate(4)
`;

const check = (...args: readonly string[]) => crobc(['check', ...args], { cwd: at('.') });
const lock = () => readFileSync(at('crob.lock'), 'utf8');
const write = (name: string, text: string) => writeFile(at(name), text);

beforeEach(async () => {
  for (const name of await readdir(at('.'))) await rm(at(name), { recursive: true });
  await write('a.crob', source());
  await write('parts.crob', parts());
  await check('--update-lock');
});

describe('a lock', () => {
  test('has what a build has', async () => {
    expect(lock()).toMatchInlineSnapshot(`
      "crob.lock 1
      # Written by crobc check --update-lock.

      model One in a.crob
        graph 204f255d14d8fa04d950c7f8034384d5c674a92edc7e81b3c2a941f4495c7ef9
        parameters 72
        flop 184*N
        where N <= 64
        input x f32[N, 8]
        output z f32[N, 8]
        part . model 0 c698bda379f99300
        part gate Gate 72 f41fc097412a98dd
        part gate.fc Linear 72 fd557bd3cf92e959

      model Two in a.crob
        graph 577eee059736b9d7abfc59be857231c78cccb45ed63cf764b193da45dfc0244c
        parameters 70
        flop 186*N
        input x f32[N, 4]
        output y f32[N, 2]
        part . model 0 f734c67ac6c5eb4b
        part gates.0..2 Gate 20 430c60e6a42088cc
        part gates.0.fc Linear 20 f51a56eb469c6086
        part gates.1.fc Linear 20 f51a56eb469c6086
        part gates.2.fc Linear 20 f51a56eb469c6086
        part head Linear 10 e411aa4f4b91c4ee
      "
    `);
    await crobc(['build', 'a.crob', '--model', 'Two', '-o', 'out', '--no-weights'], { cwd: at('.') });
    const { hashes } = JSON.parse(readFileSync(at('out/Two.manifest.json'), 'utf8'));
    expect(lock()).toContain(`\n  graph ${hashes.graph}\n`);
    const { parameters } = JSON.parse(
      (await crobc(['summary', 'a.crob', '-m', 'Two', '--json'], { cwd: at('.') })).out,
    );
    expect(parameters).toBe(3 * (16 + 4) + 8 + 2);
    expect(lock()).toContain(`\n  parameters ${parameters}\n`);
  });

  test('holds for the models that it was written for', async () => {
    expect(await check('--lock')).toEqual({ code: 0, out: '', err: '' });
    expect(await check('.', '--lock', 'crob.lock')).toEqual({ code: 0, out: '', err: '' });
  });

  test('holds where the sources say the same in another way', async () => {
    await write('a.crob', `// A comment.\n${source().replace('let y =', 'let w =').replace('z = y', 'z = w')}`);
    await write(
      'parts.crob',
      `${parts('true', 'gated(x, fc(x))')}
fn gated(x: f32[M, K], y: f32[M, K]) -> f32[M, K] = x * sigmoid(y)
`,
    );
    expect(await check('--lock')).toEqual({ code: 0, out: '', err: '' });
  });

  test('names the part that changed, at every model that has it', async () => {
    await write('parts.crob', parts('false'));
    const { code, out } = await check('--lock');
    expect(code).toBe(1);
    expect(out).toMatchInlineSnapshot(`
      "error[CROB2401]: One is not as in crob.lock
        a.crob:3:7   model One where N <= 64 {
                           ^^^
        gate: 72 -> 64 parameters
        gate.fc: 72 -> 64 parameters
        parameters: 72 -> 64
        FLOP: 184*N -> 176*N
        help: if this is meant, \`crobc check --update-lock\` accepts it

      error[CROB2401]: Two is not as in crob.lock
        a.crob:10:7   model Two {
                            ^^^
        gates.0: 20 -> 16 parameters
        gates.1: 20 -> 16 parameters
        gates.2: 20 -> 16 parameters
        gates.0.fc: 20 -> 16 parameters
        gates.1.fc: 20 -> 16 parameters
        gates.2.fc: 20 -> 16 parameters
        parameters: 70 -> 58
        FLOP: 186*N -> 174*N
        help: if this is meant, \`crobc check --update-lock\` accepts it
      2 errors in 2 files
      "
    `);
  });

  test('names equations of a module, and of the model', async () => {
    await write('parts.crob', parts('true', 'x * relu(fc(x))'));
    expect((await check('--lock')).out).toContain('  gates.0: other equations or sizes in Gate\n');
    await write('parts.crob', parts());
    await write('a.crob', source('3.0'));
    const { out } = await check('--lock');
    expect(out).toContain('  the equations of the model differ\n');
    expect(out).not.toContain('Two');
  });

  test('is written anew only if it differs, and then whole', async () => {
    const [text, { ino }] = [lock(), statSync(at('crob.lock'))];
    expect((await check('--update-lock')).err).toBe('crob.lock has 2 models, all as before\n');
    expect(statSync(at('crob.lock')).ino).toBe(ino);
    await write('a.crob', source('3.0'));
    expect(await check('--update-lock')).toEqual({
      code: 0,
      out: '',
      err: 'crob.lock is written: 2 models, 1 changed\n',
    });
    expect(lock()).not.toBe(text);
    expect((await check('--lock')).code).toBe(0);
    await write('a.crob', source());
    await check('--update-lock');
    expect(lock()).toBe(text);
    expect((await readdir(at('.'))).sort()).toEqual(['a.crob', 'crob.lock', 'parts.crob']);
  });

  test('lacks new models, and has models that are gone', async () => {
    await write('a.crob', source().replace('model Two', 'model Three'));
    const { code, out } = await check('--lock');
    expect(code).toBe(1);
    expect(out).toContain('error[CROB2402]: crob.lock has no model Three\n  a.crob:10:7');
    expect(out).toMatch(
      /error\[CROB2403\]: a\.crob no longer has the model Two\n {2}crob\.lock:\d+:1 {3}model Two in a\.crob/,
    );
    expect((await check('--update-lock')).err).toBe('crob.lock is written: 2 models, 1 new, 1 removed\n');
  });

  test('is about the files that are checked, and those that are gone', async () => {
    await write('b.crob', 'model Other {\n  input x: f32[N]\n  output y = 2.0 * x\n}\n');
    expect((await check('a.crob', '--lock')).code).toBe(0);
    await check('b.crob', '--update-lock');
    expect(lock()).toContain('model One in a.crob');
    expect(lock()).toContain('model Other in b.crob');
    expect((await check('a.crob', '--lock')).code).toBe(0);
    await rm(at('b.crob'));
    expect((await check('a.crob', '--lock')).out).toContain('b.crob no longer has the model Other');
  });

  test('has paths from its own folder, and names apart by their file', async () => {
    await mkdir(at('models'));
    await write('models/a.crob', source().replace('use parts', 'use inner').replace('2.0', '5.0'));
    await write('models/inner.crob', parts());
    await check('--update-lock');
    expect(lock()).toContain('model One in models/a.crob');
    expect(lock().match(/^model One/gm)).toHaveLength(2);
    const inside = await crobc(['check', '--lock', '../crob.lock'], { cwd: at('models') });
    expect(inside).toEqual({ code: 0, out: '', err: '' });
  });

  test('leaves models with errors alone', async () => {
    const text = lock();
    await write('parts.crob', parts('true', 'x * sigmoid(fc(x, x))'));
    const { out } = await check('--lock');
    expect(out).not.toMatch(/CROB24/);
    const { code, err } = await check('--update-lock');
    expect([code, err]).toEqual([1, 'crobc: crob.lock is not written, because the sources have errors\n']);
    expect(lock()).toBe(text);
  });

  test.each(['json', 'github', 'sarif', 'junit'])('is compared for --reporter %s', async (reporter) => {
    await write('a.crob', source('3.0'));
    const { code, out, err } = await check('--lock', '--reporter', reporter);
    expect([code, err]).toEqual([1, '']);
    expect(out).toContain('CROB2401');
    expect(out).toContain('the equations of the model differ');
    await rm(at('crob.lock'));
    const missing = await check('--lock', '--reporter', reporter);
    expect(missing.code).toBe(1);
    expect(missing.out).toContain('there is no crob.lock');
  });
});

describe('a lock that cannot be read', () => {
  test('after a merge with a conflict', async () => {
    const text = lock();
    await write(
      'crob.lock',
      text.replace(/^ {2}graph (.*)$/m, '<<<<<<< ours\n  graph 1\n=======\n  graph $1\n>>>>>>> theirs'),
    );
    const { code, err } = await check('--lock');
    expect(code).toBe(1);
    expect(err).toMatch(/^crobc: crob\.lock:5: two branches changed it; `crobc check --update-lock` writes it anew/);
    await check('--update-lock');
    expect(lock()).toBe(text);
  });

  test.each([
    [() => '{}\n', 'crob.lock:1: it does not begin with `crob.lock 1`'],
    [() => `${lock()}  what is this\n`, /crob\.lock:\d+: `what is this` is no line of a lock file/],
    [() => lock() + lock(), /crob\.lock:\d+: One in a\.crob is there twice/],
    [() => `${lock()}  part a B many 12\n`, /is no line of a lock file/],
  ])('%s: %s', async (text, message) => {
    await write('crob.lock', text());
    const { code, err } = await check('--lock');
    expect(code).toBe(1);
    expect(err).toMatch(message);
  });

  test('another file is not overwritten', async () => {
    await write('package.lock', '{}\n');
    const { code, err } = await check('--update-lock', '--lock', 'package.lock');
    expect([code, err]).toEqual([
      1,
      'crobc: package.lock:1: it does not begin with `crob.lock 1`: is it a lock file?\n',
    ]);
    expect(readFileSync(at('package.lock'), 'utf8')).toBe('{}\n');
  });

  test('writing with --watch', async () => {
    const { code, err } = await check('--update-lock', '--watch');
    expect([code, err]).toEqual([2, 'error: --watch writes no lock file: leave out --update-lock, or --watch\n']);
  });

  test('a folder in place of its name', async () => {
    const { code, err } = await check('--lock', 'models');
    expect(code).toBe(2);
    expect(err).toMatch(/^error: --lock models: the name of a lock file ends in \.lock/);
  });
});
