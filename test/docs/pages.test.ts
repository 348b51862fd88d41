// slow: runs every page

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crobc } from '../cli/crobc.ts';
import { Anchors } from './library-page.ts';
import { PageRun, wordsOf } from './page.ts';
import { shows } from './transcript.ts';

const generated = ['builtins.md', 'operators.md', 'library.md', 'models.md', 'api.md'];
const written = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md') && !generated.includes(name))
    .map((name) => `docs/${name}`),
];

/** `npx vitest run test/docs -u` writes what the commands print into the pages. */
test.each(written)('%s: every block runs, and shows what it prints', async (page) => {
  const run = new PageRun(readFileSync(page, 'utf8'));
  try {
    const text = await run.run();
    expect(run.faults).toEqual([]);
    await expect(text).toMatchFileSnapshot(join('..', '..', page));
  } finally {
    run.close();
  }
});

test.each(written)('%s: text names the file of each block, as readers see no fence lines', (page) => {
  const fences = readFileSync(page, 'utf8').match(/^```.*$/gm) ?? [];
  const names = fences.flatMap((fence) => fence.split(' ').filter((word) => /\.(crob|ts)$/.test(word)));
  const seen = readFileSync(page, 'utf8').replace(/^```.*$/gm, '');
  expect(names.filter((name) => !seen.includes(name))).toEqual([]);
});

test('the README names every command', async () => {
  const { out } = await crobc(['--help']);
  const commands = [
    ...out.slice(out.indexOf('Commands:'), out.indexOf('Start here:')).matchAll(/^ {2}([a-z]+)(?: .*)?$/gm),
  ].map(([, name]) => name);
  expect(commands).toContain('doctor');
  const table = readFileSync('README.md', 'utf8').matchAll(/^\| `crobc ([a-z]+)/gm);
  expect([...table].map(([, name]) => name).sort()).toEqual(commands.filter((name) => name !== 'help').sort());
});

const prose = (page: string) => readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```$/gm, '');

test.each([...written, ...generated.map((name) => `docs/${name}`), 'docs/errors/index.md'])(
  '%s: every link leads somewhere',
  (page) => {
    const broken: string[] = [];
    for (const [, target] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [path = '', hash] = target!.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(file)) broken.push(target!);
      else if (hash !== undefined) {
        const all = new Anchors();
        const anchors = [...prose(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => all.of(heading!));
        if (!anchors.includes(hash)) broken.push(target!);
      }
    }
    expect(broken).toEqual([]);
  },
);

describe('a page that is not right', () => {
  const faultsOf = async (page: string): Promise<{ readonly text: string; readonly faults: readonly string[] }> => {
    const run = new PageRun(page);
    try {
      return { text: await run.run(), faults: run.faults };
    } finally {
      run.close();
    }
  };

  test('a block with errors', async () => {
    const { faults } = await faultsOf('```crob\nmodel A {\n  output y = x\n}\n```\n');
    expect(faults).toEqual([expect.stringContaining('CROB2001')]);
  });

  test('a block said to be wrong that is not', async () => {
    expect((await faultsOf('```crob wrong\nfn one() = 1\n```\n')).faults).toEqual(['line 1: this has no error']);
  });

  test('another message than the one shown', async () => {
    const page = '```crob wrong a.crob\nfn one() = two\nexample one()\n```\n\n```text\nerror\n```\n';
    expect((await faultsOf(page)).text).not.toBe(page);
  });

  test('a command that fails, prints something else, or is none', async () => {
    const page = '```sh\ncrobc explain CROB9\n```\n\n```text\nnothing\n```\n\n```sh\nrm -r out\nnpm run nothing\n```\n';
    const { text, faults } = await faultsOf(page);
    expect(text).toContain('error: there is no message CROB9');
    expect(faults).toEqual([
      expect.stringContaining('`crobc explain CROB9` ends with 2'),
      'line 9: nothing runs `rm -r out`',
      'line 9: package.json has no script nothing',
    ]);
  });

  test('a program that does not compile', async () => {
    expect((await faultsOf('```ts a.ts\nexport const n: number = "one";\n```\n')).faults).toEqual([
      "/a.ts: Type 'string' is not assignable to type 'number'.",
    ]);
  });

  test('a language that nothing runs', async () => {
    expect((await faultsOf('```rust\nfn main() {}\n```\n')).faults).toEqual(['line 1: nothing tests a block of rust']);
  });

  test('lines of a file that no command has written', async () => {
    expect((await faultsOf('```python net.py\nimport torch\n```\n')).faults).toEqual([
      'line 1: no command has written this file',
    ]);
  });
});

test('a transcript may leave lines out and differ in times, and in nothing else', () => {
  const printed = 'Tiny: 3 parameters, 12 nodes, 0.8 s\n  one\n  two\n  three\n';
  expect(shows('Tiny: 3 parameters, 12 nodes, 1.25 s\n  one\n  two\n  three', printed)).toBe(true);
  expect(shows('Tiny: 3 parameters, 12 nodes, 0.8 s\n…\n  three', printed)).toBe(true);
  expect(shows('Tiny: 3 parameters, 13 nodes, 0.8 s\n…', printed)).toBe(false);
  expect(shows('Tiny: 3 parameters, 12 nodes, 0.8 s\n  one\n  two', printed)).toBe(false);
});

test("a line of a shell is words, quoted or not; anything else is the shell's", () => {
  expect(wordsOf('summary a.crob --set \'lgfa.stages=[2, 3]\' -t "the ship" --set=B=1')).toEqual([
    ...['summary', 'a.crob', '--set', 'lgfa.stages=[2, 3]', '-t', 'the ship', '--set=B=1'],
  ]);
  for (const line of ['expand a.crob | grep b', 'check *.crob', 'check "$HOME"', 'check a.crob > b', "check 'a"])
    expect(wordsOf(line), line).toBeUndefined();
});
