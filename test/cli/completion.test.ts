import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();

beforeAll(async () => {
  const { code, out } = await crobc(['completion', 'bash']);
  expect(code).toBe(0);
  await writeFile(at('crobc.bash'), out);
});

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  const print = `for word in "\${COMPREPLY[@]}"; do echo "$word"; done`;
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _crobc; ${print}`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', at('crobc.bash'), 'crobc', ...words], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

test.each<[string[], string[]]>([
  [['ch'], ['check']],
  [
    ['data', ''],
    ['check', 'stats', 'vocab', 'synth'],
  ],
  [['data', 'check', '--sp'], ['--split']],
  [['check', '--rep'], ['--reporter']],
  [
    ['check', '--reporter', ''],
    ['pretty', 'json', 'github', 'sarif', 'junit'],
  ],
  [['check', '--reporter', 's'], ['sarif']],
  [['check', '--reporter', 'json', '--g'], ['--guards']],
  [
    ['train', 'a.crob', '--backend', ''],
    ['onnx', 'tfjs', 'torch'],
  ],
  [
    ['predict', '--device', 'c'],
    ['cpu', 'cuda'],
  ],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
])('bash completes %j', (words, expected) => {
  expect(offered(...words)).toEqual(expected);
});

test.each([[['check', '']], [['train', '--data', '']], [['build', 'a.crob', '-o', '']]])(
  'bash leaves %j to its own completion of file names',
  (words) => {
    expect(offered(...words)).toEqual([]);
  },
);

test('every command and option is completed', async () => {
  const { out } = await crobc(['--help']);
  const commands = [
    ...out.slice(out.indexOf('Commands:'), out.indexOf('Start here:')).matchAll(/^ {2}([a-z]+)(?: .*)?$/gm),
  ];
  expect(offered('').sort()).toEqual(
    commands
      .map(([, name]) => name)
      .filter((name) => name !== 'help')
      .sort(),
  );
  const help = await crobc(['eval', '--help']);
  const flags = [...help.out.matchAll(/^ {2}(?:-\w, )?(--[a-z0-9-]+)/gm)].map(([, flag]) => flag);
  expect(offered('eval', '--').sort()).toEqual([...new Set(flags)].sort());
});

test('the script for zsh is that for bash, and fish has a line for each option', async () => {
  const [bash, zsh, fish] = await Promise.all(
    ['bash', 'zsh', 'fish'].map(async (shell) => (await crobc(['completion', shell])).out),
  );
  expect(zsh).toBe(`autoload -U +X bashcompinit && bashcompinit\n${bash}`);
  expect(fish).toContain(
    "complete -c crobc -n '__fish_seen_subcommand_from check' -l reporter -x -a 'pretty json github sarif junit' -d",
  );
  expect(fish?.split('\n').filter((line) => line !== '' && !line.startsWith('complete -c crobc '))).toEqual([]);
});

test('another shell is refused', async () => {
  expect(await crobc(['completion', 'tcsh'])).toMatchObject({ code: 2, out: '' });
});
