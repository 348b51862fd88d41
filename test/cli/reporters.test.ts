import { mkdir, writeFile } from 'node:fs/promises';
import type { Log } from 'sarif';
import { beforeAll, describe, expect, test } from 'vitest';
import { renderGithub } from '../../compiler/diagnostics/render-github.ts';
import type { JsonDiagnostic } from '../../compiler/diagnostics/render-json.ts';
import { renderJunit } from '../../compiler/diagnostics/render-junit.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

const typo = `model Typo {
  norm = LayerNorm(8, epsilon = 1e-6)
  input x: f32[B, 8]
  output y = norm(x)
}
`;

beforeAll(async () => {
  folder = at('sources');
  await mkdir(`${folder}/models/deep`, { recursive: true });
  await mkdir(`${folder}/models/node_modules/some`, { recursive: true });
  await writeFile(`${folder}/models/deep/typo.crob`, typo);
  await writeFile(`${folder}/models/node_modules/some/broken.crob`, 'module {');
  await writeFile(`${folder}/models/a b,c:d.crob`, 'model Right {\n  input x: f32[B]\n  output y = x\n}\n');
  await writeFile(
    `${folder}/models/gate.crob`,
    'module Gate(dim: int) {\n  forward(x: f32[B, dim]) -> f32[B, dim] { return sigmoid(x) }\n}\n',
  );
});

const check = (...args: string[]): Promise<Ran> => crobc(['check', ...args], { cwd: folder });

const strange: JsonDiagnostic = {
  code: 'CROB2009',
  severity: 'error',
  message: 'a "b" <c> & 50 % of \u0000 \ud800',
  file: 'a b,c:d.crob',
  range: { start: { line: 2, column: 3 }, end: { line: 2, column: 5 } },
  notes: [],
  details: ['H = 3', 'W = 5'],
  help: null,
};

describe('github', () => {
  test('is a workflow command for each message', async () => {
    const { code, out } = await check('models', 'none.crob', '--reporter', 'github');
    expect(code).toBe(1);
    expect(out.split('\n')).toEqual([
      '::error file=none.crob,title=crobc::cannot read none.crob: no such file or folder',
      '::error file=models/deep/typo.crob,line=2,endLine=2,col=23,endColumn=30,title=CROB2009%3A Unknown parameter::LayerNorm has no parameter `epsilon`%0Astd/norm.crob:21:8: LayerNorm is declared here%0Ahelp: its parameters are channels, eps',
      '',
    ]);
    const warned = await check('models/gate.crob', '--reporter', 'github');
    expect(warned.code).toBe(0);
    expect(warned.out).toMatch(/^::warning file=models\/gate\.crob,line=1,.*,title=CROB2013%3A [^:]*::/);
  });

  test('escapes what separates', () => {
    expect(renderGithub([strange], () => 'a: b, c')).toBe(
      '::error file=a b%2Cc%3Ad.crob,line=2,endLine=2,col=3,endColumn=5,title=CROB2009%3A a%3A b%2C c::a "b" <c> & 50 %25 of \u0000 \ud800%0AH = 3%0AW = 5\n',
    );
  });
});

describe('junit', () => {
  test('has a suite for each file, and a case for each message', async () => {
    const { code, out } = await check('models', '--reporter', 'junit');
    expect(code).toBe(1);
    expect(out).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="crobc check" tests="3" failures="1">\n/,
    );
    expect(out).toContain(
      '  <testsuite name="models/a b,c:d.crob" tests="1" failures="0">\n    <testcase classname="models/a b,c:d.crob" name="check"/>\n  </testsuite>\n',
    );
    expect(out).toContain(
      '<testcase classname="models/deep/typo.crob" name="CROB2009:2 LayerNorm has no parameter `epsilon`"><failure type="CROB2009" message="LayerNorm has no parameter `epsilon`">',
    );
    const warned = await check('models/gate.crob', '--reporter', 'junit');
    expect(warned.out).toMatch(/<testcase classname="models\/gate\.crob" [^>]*><system-out>warning: /);
  });

  test('escapes what XML does not allow', () => {
    expect(renderJunit([], [strange])).toContain(
      'message="a &quot;b&quot; &lt;c&gt; &amp; 50 % of \ufffd \ufffd">a b,c:d.crob:2: a &quot;b&quot; &lt;c&gt; &amp; 50 % of \ufffd \ufffd\nH = 3\nW = 5</failure>',
    );
  });
});

describe('sarif', () => {
  const log = async (...args: string[]): Promise<Log> => JSON.parse((await check(...args, '--reporter', 'sarif')).out);

  test('has a rule for each code, and a result for each message', async () => {
    const { runs, version } = await log('models');
    const [run] = runs;
    expect(version).toBe('2.1.0');
    expect(run?.tool.driver.rules?.map(({ id }) => id)).toEqual(['CROB2009']);
    expect(run?.invocations).toEqual([{ executionSuccessful: true }]);
    expect(run?.results).toMatchObject([
      {
        ruleId: 'CROB2009',
        ruleIndex: 0,
        level: 'error',
        message: { text: expect.stringContaining('LayerNorm has no parameter `epsilon`') },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'models/deep/typo.crob' },
              region: { startLine: 2, startColumn: 23, endLine: 2, endColumn: 30 },
            },
          },
        ],
        relatedLocations: [{ physicalLocation: { artifactLocation: { uri: 'std/norm.crob', uriBaseId: 'CROBC' } } }],
      },
    ]);
    const warned = await log('models/gate.crob');
    expect(warned.runs[0]?.results).toMatchObject([{ ruleId: 'CROB2013', ruleIndex: 0, level: 'warning' }]);
  });

  test('has fingerprints that lines elsewhere do not change, one for each of equal lines', async () => {
    const prints = async (text: string) => {
      await writeFile(`${folder}/models/deep/moving.crob`, text);
      const { runs } = await log('models/deep/moving.crob');
      return runs[0]?.results?.map(({ partialFingerprints }) => partialFingerprints?.['crobcMessage/v1']);
    };
    const wrong = (name: string) =>
      `model ${name} {\n  n = LayerNorm(8, epsilon = 1)\n  input x: f32[B, 8]\n  output y = n(x)\n}\n`;
    const before = await prints(`${wrong('A')}\n${wrong('B')}`);
    expect(new Set(before).size).toBe(2);
    expect(await prints(`// one line more\n\n${wrong('A')}\n${wrong('B')}`)).toEqual(before);
    expect(await prints(`${wrong('A').replace('= 1)', '= 2)')}\n${wrong('B')}`)).not.toEqual(before);
  });

  test('says what could not be read, and encodes names', async () => {
    await writeFile(`${folder}/ä %.crob`, typo);
    const { runs } = await log('ä %.crob', 'none.crob');
    expect(runs[0]?.invocations).toMatchObject([
      {
        executionSuccessful: false,
        toolExecutionNotifications: [
          { level: 'error', message: { text: 'cannot read none.crob: no such file or folder' } },
        ],
      },
    ]);
    expect(runs[0]?.results?.[0]?.locations?.[0]?.physicalLocation?.artifactLocation?.uri).toBe('%C3%A4%20%25.crob');
  });

  test('of sources without messages has no results', async () => {
    expect(await log('models/a b,c:d.crob')).toMatchObject({
      runs: [{ results: [], tool: { driver: { rules: [] } } }],
    });
  });
});

test('patterns name files, without those of node_modules', async () => {
  const files = async (...patterns: string[]) =>
    [...(await check(...patterns, '--reporter', 'junit')).out.matchAll(/<testsuite name="([^"]*)"/g)].map(
      ([, name]) => name,
    );
  expect(await files('models/**/t*.crob')).toEqual(['models/deep/typo.crob']);
  expect(await files('models/*.crob')).toEqual(['models/a b,c:d.crob', 'models/gate.crob']);
  expect(await files('**/broken.crob')).toEqual(['**/broken.crob']);
  expect(await check('**/broken.crob')).toEqual({
    code: 1,
    out: '',
    err: 'crobc: **/broken.crob matches no .crob file\n',
  });
  await writeFile(`${folder}/[x].crob`, 'model X {\n  input x: f32[B]\n  output y = x\n}\n');
  expect(await check('[x].crob')).toEqual({ code: 0, out: '', err: '' });
});

test('conditions are for people and for JSON', async () => {
  const { code, err } = await check('models', '--guards', '--reporter', 'sarif');
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringContaining('--guards is for people and for --reporter json'),
  });
});
