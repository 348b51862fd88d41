// slow: compiles shipped models, many times

import { execFile } from 'node:child_process';
import { chmod, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { messages } from '../../compiler/diagnostics/messages.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, main, type Ran, tiny } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/tiny.crob`, tiny);
});

const run = (...args: string[]): Promise<Ran> => crobc(args, { cwd: folder });
const model = `${process.cwd()}/models/crobim.crob`;

const probed = `/// A head, and a probe for losses alone.
model Probed {
  norms = [LayerNorm(8) for i in 0..2]
  head = Linear(8, 4)
  probe = Mlp(8, 16)
  input x: f32[B, 8]
  output y = head(norms[1](x))
  output(train) sides = [probe(x), norms[0](x)]
}
`;

describe('summary', () => {
  test('of CroBIM_micro at a size: modules, parameters, FLOP, peak memory', async () => {
    const args = ['-m', 'CroBIM_micro', '--set', 'B=1,H=128,W=128,T=20', '--depth', '1'];
    const { code, out, err } = await run('summary', model, ...args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('  input  image: f32[1, 3, 128, 128]\n');
    expect(out).toContain('  output logits: f32[1, 1, 128, 128]\n');
    for (const part of ['backbone  Swin ', 'text  ', 'capm      CAPM ', 'lgfa      LGFA ', 'mid       MID ']) {
      expect(out).toContain(`\n${part}`);
    }
    expect(out).not.toContain('layers');
    expect(out).toMatch(
      /\nparameters {3}1,\d{3},\d{3}\nFLOP {9}\d{3}\.\d\d M\nactivations {2}\d+\.\d MiB in all, \d+\.\d MiB at the peak\n$/,
    );
  });

  test('as JSON: the modules add up to the whole', async () => {
    const args = ['-m', 'CroBIM_micro', '--set', 'B=1,H=128,W=128,T=20', '--json'];
    const { code, out, err } = await run('summary', model, ...args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const json = JSON.parse(out);
    expect(json).toMatchObject({
      model: 'CroBIM_micro',
      bindings: { B: 1, H: 128, W: 128, T: 20 },
      inputs: [
        { name: 'image', type: 'f32[1, 3, 128, 128]' },
        { name: 'tokens', type: 'i64[1, 20]' },
        { name: 'mask', type: 'bool[1, 20]' },
      ],
      outputs: [{ name: 'logits', type: 'f32[1, 1, 128, 128]' }],
    });
    const top = json.modules.filter((row: { path: string }) => !row.path.includes('.'));
    expect(top.map((row: { path: string }) => row.path).sort()).toEqual(['backbone', 'capm', 'lgfa', 'mid', 'text']);
    const total = (key: string) => top.reduce((n: number, row: Record<string, number>) => n + row[key]!, 0);
    expect(total('parameters')).toBe(json.parameters);
    // What stands in the model's own body belongs to no module.
    expect(total('flops')).toBeLessThanOrEqual(json.flops);
    expect(total('flops')).toBeGreaterThan(0.9 * json.flops);
    expect(total('activationBytes')).toBeLessThanOrEqual(json.activationBytes);
    expect(total('activationBytes')).toBeGreaterThan(0.9 * json.activationBytes);
    expect(json.peakActivationBytes).toBeGreaterThan(0);
    expect(json.peakActivationBytes).toBeLessThan(json.activationBytes);
    // What is computed is written, and weights are read besides.
    expect(json.trafficBytes).toBeGreaterThan(json.activationBytes + 4 * json.parameters);
  });

  test('activations of each module: polynomials, and numbers that are their values', async () => {
    await writeFile(
      `${folder}/layers.crob`,
      'model Layers {\n  one = Linear(8, 16)\n  two = Linear(16, 4)\n  input x: f32[B, N, 8]\n  output y = two(relu(one(x)))\n}\n',
    );
    const [open, bound] = await Promise.all([
      run('summary', 'layers.crob', '--json'),
      run('summary', 'layers.crob', '--json', '--set', 'B=2,N=5'),
    ]);
    const rows = (out: string) =>
      JSON.parse(out).modules.map((row: { path: string; activationBytes: unknown }) => [row.path, row.activationBytes]);
    // A product and a sum each.
    expect(rows(open.out)).toEqual([
      ['one', '128*B*N'],
      ['two', '32*B*N'],
    ]);
    expect(rows(bound.out)).toEqual([
      ['one', 1280],
      ['two', 320],
    ]);
    expect(JSON.parse(open.out).activationBytes).toBe('224*B*N');
    const { out } = await run('summary', 'layers.crob');
    expect(out).toContain('\none  Linear  f32[B, N, 16]         144  272*B*N      128*B*N\n');
    expect(out).toContain('\nactivations  224*B*N (bytes)\n');
  });

  test('long polynomials are cut in the table, and whole under --wide', async () => {
    const args = ['summary', model, '-m', 'CroBIM_micro', '--depth', '1'];
    const [narrow, wide, json] = await Promise.all([run(...args), run(...args, '--wide'), run(...args, '--json')]);
    const whole = JSON.parse(json.out);
    const mid = whole.modules.find((row: { path: string }) => row.path === 'mid');
    expect(mid.flops.length).toBeGreaterThan(40);
    const [leading] = mid.flops.split(' ');
    expect(narrow.out).toMatch(new RegExp(`\\nmid .* ${leading.replaceAll('*', '\\*')} \\+ … \\d+ terms `));
    expect(narrow.out).toContain('\nWhere … stands, terms are left out; --wide and --json have them all.\n');
    for (const line of narrow.out.split('\n')) expect(line.length).toBeLessThan(160);
    for (const { flops, activationBytes } of [mid, whole]) {
      expect(wide.out).toContain(`  ${flops}`);
      expect(wide.out).toContain(`  ${activationBytes}`);
    }
    expect(wide.out).not.toContain('…\n');
    expect(wide.out).not.toContain('terms are left out');
  });

  test('at sizes beyond what can be counted: one line that names them', async () => {
    const { code, out, err } = await run('summary', 'tiny.crob', '--set', 'B=40000,H=160000,W=160000,T=20');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    const sizes = 'B = 40000, H = 160000, W = 160000, T = 20';
    expect(err).toBe(
      `crobc: Tiny is too large at ${sizes}: its sizes lead to numbers beyond 2^53, which are not exact\n`,
    );
  });

  test('with open dims: polynomials', async () => {
    const { code, out } = await run('summary', 'tiny.crob');
    expect(code).toBe(0);
    expect(out).toMatch(/^Tiny: Scores patches by words\n/);
    expect(out).toMatch(/\nFLOP {9}.*B\*H\*W/);
    expect(out).toContain('known when every dim is bound (--set B=…,H=…,W=…,T=…)\n');
  });

  test('as JSON: weights, and numbers that are the polynomial, less what folds once sizes are known', async () => {
    const [open, bound] = await Promise.all([
      run('summary', 'tiny.crob', '--json'),
      run('summary', 'tiny.crob', '--json', '--set', 'B=2,H=8,W=16,T=5'),
    ]);
    const polynomial: string = JSON.parse(open.out).flops;
    const by = { B: 2, H: 8, W: 16, T: 5 };
    const at = new Function(...Object.keys(by), `return ${polynomial.replaceAll('^', '**')}`);
    expect(JSON.parse(open.out).weights).toEqual([
      { path: 'table.weight', dtype: 'f32', shape: [2560, 8], role: 'param' },
      { path: 'patch.weight', dtype: 'f32', shape: [8, 3, 4, 4], role: 'param' },
      { path: 'patch.bias', dtype: 'f32', shape: [8], role: 'param' },
    ]);
    const most = at(...Object.values(by));
    const { flops } = JSON.parse(bound.out);
    expect(flops).toBeLessThanOrEqual(most);
    expect(flops).toBeGreaterThan(0.9 * most);
  });

  test('what only losses need is marked, and counts in no sum', async () => {
    const without = probed
      .replace(/^ {2}output\(train\).*\n/m, '')
      .replace(/^ {2}probe.*\n/m, '')
      .replace('0..2', '1..2');
    await writeFile(`${folder}/probed.crob`, probed);
    await writeFile(`${folder}/plain.crob`, without.replace('norms[1]', 'norms[0]'));
    const { code, out } = await run('summary', 'probed.crob', '--set', 'B=2');
    expect(code).toBe(0);
    expect(out).toContain(
      '  output y: f32[2, 4]\n  output(train) sides_0: f32[2, 8]\n  output(train) sides_1: f32[2, 8]\n',
    );
    const marked = out.split('\n').flatMap((line) => /^ *(\S+) \(train\) /.exec(line)?.[1] ?? []);
    expect(marked).toEqual(['0', 'probe', 'fc1', 'fc2']);
    expect(out).toContain('\nparameters   52, and 296 more in training\n');
    const [one, other] = await Promise.all(
      ['probed.crob', 'plain.crob'].map(async (file) => JSON.parse((await run('summary', file, '--json')).out)),
    );
    for (const key of ['parameters', 'flops', 'activationBytes', 'trafficBytes', 'outputs'])
      expect(one[key], key).toEqual(other[key]);
    const paths = (of: readonly { readonly path: string }[]) => of.map(({ path }) => path);
    expect(paths(one.modules)).toEqual(['norms', 'norms.1', 'head']);
    expect(paths(one.training.modules)).toEqual(['probe', 'probe.fc1', 'probe.fc2', 'norms.0']);
    expect(paths(one.training.weights)).toEqual([
      'probe.fc1.weight',
      'probe.fc1.bias',
      'probe.fc2.weight',
      'probe.fc2.bias',
      'norms.0.weight',
      'norms.0.bias',
    ]);
    expect(other.training).toEqual({ outputs: [], modules: [], weights: [] });
  });

  test('describe has the weights that only losses need, which recipes select', async () => {
    await writeFile(`${folder}/probed.crob`, probed);
    const { out } = await run('describe', 'probed.crob', 'probe', '--json');
    expect(JSON.parse(out).weights).toContainEqual({
      path: 'probe.fc1.weight',
      weights: 'probe.fc1.weight',
      role: 'param',
      dtype: 'f32',
      shape: [16, 8],
    });
  });
});

describe('fmt', () => {
  const crooked = '/// Doubles.\nfn   twice( x:f32[B] )->f32[B]=x+x // twice\n';
  const straight = '/// Doubles.\nfn twice(x: f32[B]) -> f32[B] = x + x // twice\n';

  test('formats in place and names what it changed', async () => {
    await writeFile(`${folder}/a.crob`, crooked);
    const before = await run('fmt', '--check', 'a.crob');
    expect(before).toEqual({ code: 1, out: 'a.crob is not formatted\n', err: '1 file to format: crobc fmt\n' });
    expect(await readFile(`${folder}/a.crob`, 'utf8')).toBe(crooked);
    expect(await run('fmt', 'a.crob')).toEqual({ code: 0, out: 'a.crob\n', err: '' });
    expect(await readFile(`${folder}/a.crob`, 'utf8')).toBe(straight);
    expect(await run('fmt', 'a.crob')).toEqual({ code: 0, out: '', err: '' });
    expect(await run('fmt', '--check', 'a.crob')).toEqual({ code: 0, out: '', err: '' });
  });

  test.skipIf(process.platform === 'win32')('writes to what a link points at, and keeps its permissions', async () => {
    await writeFile(`${folder}/real.crob`, crooked);
    await chmod(`${folder}/real.crob`, 0o600);
    await symlink('real.crob', `${folder}/link.crob`);
    expect(await run('fmt', 'link.crob')).toEqual({ code: 0, out: 'link.crob\n', err: '' });
    expect((await lstat(`${folder}/link.crob`)).isSymbolicLink()).toBe(true);
    expect(await readFile(`${folder}/real.crob`, 'utf8')).toBe(straight);
    expect((await stat(`${folder}/real.crob`)).mode & 0o777).toBe(0o600);
  });

  test('leaves alone what is not UTF-8, and what it cannot read, and goes on', async () => {
    const latin = Buffer.from(`// caf\u00e9\n${crooked}`, 'latin1');
    await writeFile(`${folder}/latin.crob`, latin);
    await writeFile(`${folder}/z.crob`, crooked);
    const { code, out, err } = await run('fmt', 'none.crob', 'latin.crob', 'z.crob');
    expect({ code, out }).toEqual({ code: 1, out: 'z.crob\n' });
    expect(err).toMatch(/^error\[CROB1047\]: this is not UTF-8 text\n {2}latin\.crob:1:7 /);
    expect(err).toContain('\ncrobc: cannot read none.crob: no such file or folder\n');
    expect(await readFile(`${folder}/latin.crob`)).toEqual(latin);
  });

  test('leaves alone what does not parse', async () => {
    await writeFile(`${folder}/b.crob`, 'fn twice(x: f32[B] = x + x\n');
    const ran = await run('fmt', 'b.crob');
    expect(ran).toMatchObject({ code: 1, out: '', err: expect.stringContaining('b.crob:1:') });
    expect(await readFile(`${folder}/b.crob`, 'utf8')).toBe('fn twice(x: f32[B] = x + x\n');
  });
});

describe('explain', () => {
  test('lists every code', async () => {
    const { code, out } = await run('explain');
    expect(code).toBe(0);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(0, 8)),
    ).toEqual(Object.keys(messages));
  });

  test.each(['CROB2104', 'crob2104', '2104'])('%s: title, explanation, example', async (given) => {
    const { code, out } = await run('explain', given);
    expect(code).toBe(0);
    expect(out.startsWith(`CROB2104: ${messages.CROB2104.title}\n\n${messages.CROB2104.explanation.trim()}\n`)).toBe(
      true,
    );
    expect(out).toContain(`    ${messages.CROB2104.example.split('\n')[0]}\n`);
  });

  test('a code that there is not', async () => {
    const ran = await run('explain', 'CROB2140');
    expect(ran).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^error: there is no message CROB2140; did you mean CROB2\d\d\d\?/),
    });
  });
});

describe('doctor', () => {
  test('--json says what works here; the CPU does', async () => {
    const { code, out, err } = await run('doctor', '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { works, findings } = JSON.parse(out);
    expect(works).toBe(true);
    const states = new Map(findings.map((f: { name: string; state: string }) => [f.name, f.state]));
    expect(states.get('onnxruntime cpu')).toBe('works');
    expect(states.get('sharp')).toBe('works');
    for (const { state, advice } of findings)
      expect(state === 'works' ? advice === undefined : advice.length > 0).toBe(true);
  });
});

describe('the command line', () => {
  const commands = ['check', 'build', 'predict', 'summary', 'describe', 'fmt', 'explain', 'doctor'];

  test('--help names every command, and each has help of its own', async () => {
    const all = await run('--help');
    expect(all).toMatchObject({ code: 0, err: '' });
    const own = await Promise.all(commands.map((command) => run(command, '--help')));
    for (const [i, command] of commands.entries()) {
      expect(all.out).toContain(`\n  ${command} `);
      expect(own[i]).toMatchObject({ code: 0, err: '', out: expect.stringMatching(`^Usage: crobc ${command} `) });
    }
  });

  test('--version', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    expect(await run('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  test.each([
    [['chekc'], /^error: unknown command 'chekc'\n\(Did you mean check\?\)\n/],
    [['check', '--guard'], /^error: unknown option '--guard'\n\(Did you mean --guards\?\)\n/],
    [['build'], /^error: missing required argument 'file'\n/],
    [['build', 'tiny.crob', 'other.crob'], /^error: too many arguments/],
    [['build', 'tiny.crob', '--dtype', 'f64'], /'f64' is invalid\. Allowed choices are f32, f16, bf16\.\n/],
    [
      ['build', 'tiny.crob', '--seed', '-1'],
      /^error: option '--seed <n>' argument '-1' is invalid\. It is not a whole number\.\n/,
    ],
    [['predict', 'tiny.crob', '-t', 'ship'], /^error: there is nothing to predict: give --image, or --list\n/],
    [[], /^Usage: crobc /],
  ])('%j is a mistake of the command line', async (args, err) => {
    const ran = await run(...args);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toMatch(err);
  });

  test('a reader that goes away is no error', async () => {
    const pipe = '"$@" | head -n 1';
    const args = ['-c', pipe, 'sh', process.execPath, main, 'build', 'tiny.crob', '--print-after', 'all'];
    const { stdout, stderr } = await promisify(execFile)('/bin/sh', args, { cwd: folder });
    expect(stdout).toBe('// after dead-code\n');
    expect(stderr).toBe('');
  });
});
