// slow: starts git and npm

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';

const at = temporaryFolder();
const script = resolve('scripts/release.mjs');

/** Nothing of the machine's or the user's settings. */
const env = {
  PATH: process.env.PATH,
  HOME: '/nowhere',
  GIT_CONFIG_NOSYSTEM: '1',
  ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.org' },
  ...{ GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.org' },
};

const changelog = '# Changes\n\n## Unreleased\n\n- `one` is\n  long.\n- Two.\n\n## 0.1.0\n\n- First.\n';

/** A repository with a commit, whose `npm run check` is this program. */
function repository(name: string, check = "console.log('checked')") {
  const cwd = at(name);
  mkdirSync(cwd);
  const git = (...args: string[]) => execFileSync('git', args, { cwd, env, encoding: 'utf8' }).trim();
  const write = (file: string, text: string) => writeFileSync(join(cwd, file), text);
  const read = (file: string) => readFileSync(join(cwd, file), 'utf8');
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  write('package.json', json({ name: 'x', version: '0.1.0', scripts: { check: 'node check.mjs' } }));
  write('package-lock.json', json({ name: 'x', version: '0.1.0', packages: { '': { version: '0.1.0' } } }));
  write('check.mjs', check);
  write('CHANGELOG.md', changelog);
  git('init', '--quiet', '--initial-branch', 'main');
  git('add', '.');
  git('commit', '--quiet', '-m', 'first');
  const release = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd, env, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  return { git, write, read, release };
}

test('says what it would do, and changes nothing', () => {
  const { git, release } = repository('dry');
  expect(release('minor')).toEqual({
    status: 0,
    stdout: [
      '0.1.0 to 0.2.0: package.json, package-lock.json, CHANGELOG.md (2 changes)',
      'check with npm run check, commit "release: 0.2.0", tag v0.2.0',
      'nothing was changed; --go does it',
      '',
    ].join('\n'),
    stderr: '',
  });
  expect(git('status', '--porcelain')).toBe('');
  expect(git('tag')).toBe('');
  expect(git('log', '--format=%s')).toBe('first');
});

test.each([
  ['patch', '0.1.1'],
  ['minor', '0.2.0'],
  ['major', '1.0.0'],
])('--go checks, commits and tags: %s', (kind, version) => {
  const { git, read, release } = repository(`go-${kind}`);
  const ran = release(kind, '--go');
  expect(ran.status, ran.stderr).toBe(0);
  expect(ran.stdout).toContain('\nchecked\n');
  expect(git('status', '--porcelain')).toBe('');
  expect(git('log', '--format=%s')).toBe(`release: ${version}\nfirst`);
  expect(JSON.parse(read('package.json')).version).toBe(version);
  expect(JSON.parse(read('package-lock.json'))).toMatchObject({ version, packages: { '': { version } } });
  expect(read('CHANGELOG.md').replace(/\(\d{4}-\d\d-\d\d\)/, '(day)')).toBe(
    changelog.replace('## Unreleased\n', `## Unreleased\n\n## ${version} (day)\n`),
  );
  expect(git('tag', '--list', '--format=%(refname:short) %(contents)')).toBe(
    `v${version} crobc ${version}\n\n- \`one\` is\n  long.\n- Two.`,
  );
  // The next one has nothing to release.
  expect(release(kind).stderr).toContain('nothing under "## Unreleased"');
});

test('a check that fails leaves all as it was', () => {
  const { git, read, release } = repository('failing', 'process.exit(1)');
  const ran = release('patch', '--go');
  expect(ran).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('release: npm run check fails: the version'),
  });
  expect(git('status', '--porcelain')).toBe('');
  expect(git('tag')).toBe('');
  expect(read('CHANGELOG.md')).toBe(changelog);
});

test('a check that changes files makes no release', () => {
  const { git, release } = repository('changing', "(await import('node:fs')).writeFileSync('made', '')");
  expect(release('patch', '--go')).toMatchObject({ status: 1, stderr: expect.stringContaining('?? made') });
  expect(git('tag')).toBe('');
  expect(git('log', '--format=%s')).toBe('first');
});

test('refuses a tree with changes, another branch, a tag that is there, and a word that is none', () => {
  const { git, write, release } = repository('refused');
  const why = (...args: string[]) => release(...args).stderr.trim();
  expect(why()).toBe('release: npm run release -- patch|minor|major [--go]');
  expect(why('huge')).toBe('release: npm run release -- patch|minor|major [--go]');
  expect(why('patch', '--went')).toMatch(/^release: Unknown option '--went'/);
  write('new', '');
  expect(why('patch')).toBe('release: the working tree has changes: commit them first');
  git('clean', '--quiet', '--force');
  git('checkout', '--quiet', '-b', 'other');
  expect(why('patch')).toBe('release: this is other: releases are made on main');
  git('checkout', '--quiet', 'main');
  git('tag', 'v0.1.1');
  expect(why('patch')).toBe('release: the tag v0.1.1 is there already');
  expect(why('minor')).toBe('');
});

test('the changelog of crobc has a form that it takes', () => {
  expect(readFileSync('CHANGELOG.md', 'utf8')).toMatch(/^# Changes\n\n## Unreleased\n/);
});
