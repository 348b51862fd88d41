// slow: runs workflows as scripts

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parts } from '../docs/markdown.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { main } from './crobc.ts';

const at = temporaryFolder();

const right = 'model Right {\n  input x: f32[B, 8]\n  output y = x + x\n}\n';
const wrong = 'model Wrong {\n  norm = LayerNorm(8, epsilon = 1)\n  input x: f32[B, 8]\n  output y = norm(x)\n}\n';

/** The text of the block of docs/ci.md for this file. */
function example(file: string): string {
  const found = parts(readFileSync('docs/ci.md', 'utf8')).find(
    (part) => part.kind === 'block' && part.block.words.includes(file),
  );
  if (found?.kind !== 'block') throw new Error(`docs/ci.md has no block ${file}`);
  return found.block.text;
}

beforeAll(() => {
  // `npx crobc` is the program under test, and nothing is installed.
  mkdirSync(at('bin'));
  for (const [name, text] of Object.entries({
    npx: `shift\nexec "${process.execPath}" "${main}" "$@"`,
    npm: '[ "$*" = ci ]',
  })) {
    writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${text}\n`);
    chmodSync(at(`bin/${name}`), 0o755);
  }
});

/** A repository of one's own with these files. */
function repository(name: string, files: Readonly<Record<string, string>>): string {
  const folder = at(name);
  mkdirSync(`${folder}/models`, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(`${folder}/${file}`, text);
  return folder;
}

/** Runs the scripts of steps as a CI server does, up to the first that fails. */
function runSteps(cwd: string, steps: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const path = `${at('bin')}:${process.env.PATH}`;
  let out = '';
  for (const step of steps) {
    const ran = spawnSync('bash', ['-eo', 'pipefail', '-c', step], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, ...env, PATH: path, CROBC_PROGRESS: 'off' },
    });
    out += ran.stdout + ran.stderr;
    if (ran.status !== 0) return { failed: step, out };
  }
  return { failed: undefined, out };
}

interface Step {
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

test("the workflow for GitHub checks a repository's files", () => {
  const { jobs } = parse(example('.github/workflows/crob.yml')) as { jobs: { check: { steps: Step[] } } };
  const steps = jobs.check.steps.flatMap(({ run }) => (run === undefined ? [] : [run]));
  expect(steps).toHaveLength(3);
  expect(runSteps(repository('good', { 'models/right.crob': right }), steps)).toEqual({ failed: undefined, out: '' });
  const { failed, out } = runSteps(repository('bad', { 'models/wrong.crob': wrong }), steps);
  expect(failed).toBe('npx crobc check --reporter github');
  expect(out).toMatch(/^::error file=models\/wrong\.crob,line=2,/);
  const loose = runSteps(repository('loose', { 'models/right.crob': right.replace('  input', ' input') }), steps);
  expect(loose.failed).toBe('npx crobc fmt --check');
});

test('the steps for a pull request show what it changes', () => {
  const blocks = parts(readFileSync('docs/ci.md', 'utf8')).flatMap((part) =>
    part.kind === 'block' && part.block.text.includes('github.base_ref') ? [part.block.text] : [],
  );
  expect(blocks).toHaveLength(2);
  const folder = repository('pull-request', { 'models/right.crob': right });
  const git = 'git -c user.name=n -c user.email=n@example.org';
  const changed = right.replace('x + x', 'x - x');
  const ready = runSteps(folder, [
    'git init --quiet --initial-branch=main && git add . ',
    `${git} commit --quiet -m one && git update-ref refs/remotes/origin/main HEAD`,
  ]);
  expect(ready.failed).toBeUndefined();
  writeFileSync(`${folder}/models/right.crob`, changed);
  writeFileSync(at('bin/gh'), '#!/bin/sh\ncat comment.md\n');
  chmodSync(at('bin/gh'), 0o755);
  const [summary, comment] = blocks.map((block) => {
    const [{ run }] = parse(block) as [{ run: string }];
    return runSteps(folder, [run.replace(/\$\{\{ github\.base_ref \}\}/g, 'main').replace(/\$\{\{.*?\}\}/g, '1')], {
      GITHUB_STEP_SUMMARY: `${folder}/summary.md`,
    });
  });
  expect(summary?.failed).toBeUndefined();
  const text = readFileSync(`${folder}/summary.md`, 'utf8');
  expect(text).toContain('### `Right`');
  expect(text).toContain('```diff\n- output y = x + x\n+ output y = x - x\n```');
  expect(comment).toEqual({ failed: undefined, out: text });
});

test('the job for GitLab keeps a report', () => {
  const { crob } = parse(example('.gitlab-ci.yml')) as {
    crob: { script: string[]; artifacts: { reports: { junit: string } } };
  };
  const folder = repository('lab', { 'models/wrong.crob': wrong });
  expect(runSteps(folder, crob.script).failed).toBe(crob.script[1]);
  expect(readFileSync(`${folder}/${crob.artifacts.reports.junit}`, 'utf8')).toContain('<failure type="CROB2009"');
});

describe('the action', () => {
  const action = parse(readFileSync('action.yml', 'utf8')) as {
    inputs: Readonly<Record<string, { default: string }>>;
    runs: { steps: (Step & { if?: string })[] };
  };

  /** Runs the steps as GitHub does, with `${{ inputs.NAME }}` replaced. */
  function runAction(folder: string, given: Readonly<Record<string, string>> = {}) {
    const inputs = Object.fromEntries(Object.entries(action.inputs).map(([name, { default: value }]) => [name, value]));
    const value = (text: string) =>
      text.replace(/\$\{\{ inputs\.(\w+) \}\}/g, (_, name: string) => ({ ...inputs, ...given })[name]!);
    let out = '';
    for (const step of action.runs.steps) {
      if (step.if !== undefined && (given.format ?? inputs.format) !== 'true') continue;
      const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, text]) => [name, value(text)]));
      const ran = runSteps(folder, [step.run!], { ...env, GITHUB_ACTION_PATH: at('action') });
      out += ran.out;
      if (ran.failed !== undefined) return { failed: step.run, out };
    }
    return { failed: undefined, out };
  }

  beforeAll(() => {
    mkdirSync(at('action/dist/bin'), { recursive: true });
    writeFileSync(at('action/dist/bin/crobc.cjs'), `require(${JSON.stringify(resolve(main))});\n`);
  });

  test('checks files and their format', () => {
    expect(runAction(repository('action-good', { 'models/right.crob': right }))).toEqual({
      failed: undefined,
      out: '',
    });
    const bad = repository('action-bad', { 'models/wrong.crob': wrong, 'right.crob': right });
    expect(runAction(bad).out).toMatch(/^::error file=models\/wrong\.crob,line=2,/);
    expect(runAction(bad, { files: 'right.crob' })).toEqual({ failed: undefined, out: '' });
    expect(runAction(bad, { files: 'right.crob models', reporter: 'pretty' }).out).toContain('error[CROB2009]');
  });

  test('compares with a lock if there is one', () => {
    const folder = repository('action-lock', { 'models/right.crob': right });
    expect(runSteps(folder, ['npx crobc check models --update-lock']).failed).toBeUndefined();
    expect(runAction(folder, { lock: 'crob.lock' })).toEqual({ failed: undefined, out: '' });
    writeFileSync(`${folder}/models/right.crob`, right.replace('x + x', 'x - x'));
    expect(runAction(folder, { lock: 'crob.lock' }).out).toMatch(/^::error file=models\/right\.crob,line=1,.*CROB2401/);
    expect(runAction(folder)).toEqual({ failed: undefined, out: '' });
  });

  test('leaves the format alone if it is asked to', () => {
    const loose = repository('action-loose', { 'right.crob': right.replace('  input', ' input') });
    expect(runAction(loose).failed).toContain('fmt --check');
    expect(runAction(loose, { format: 'false' })).toEqual({ failed: undefined, out: '' });
  });
});

test('the hook of Git refuses a commit of a wrong file, and no other', () => {
  const folder = repository('hooked', { 'models/right.crob': right, 'notes.txt': 'one\n' });
  const git = (...args: string[]) =>
    runSteps(folder, [
      ['git', '-c', 'user.name=n', '-c', 'user.email=n@example.org', ...args].map((word) => `'${word}'`).join(' '),
    ]);
  git('init', '--quiet');
  writeFileSync(`${folder}/.git/hooks/pre-commit`, example('pre-commit'));
  chmodSync(`${folder}/.git/hooks/pre-commit`, 0o755);
  const commit = (file: string) => {
    git('add', file);
    return git('commit', '--quiet', '-m', file);
  };
  expect(commit('notes.txt').failed).toBeUndefined();
  expect(commit('models/right.crob').failed).toBeUndefined();
  writeFileSync(`${folder}/models/wrong.crob`, wrong);
  const refused = commit('models/wrong.crob');
  expect(refused.failed).toBeDefined();
  expect(refused.out).toContain('error[CROB2009]: LayerNorm has no parameter `epsilon`');
});

test('the hooks for the pre-commit framework are commands of crobc', () => {
  const hooks = parse(readFileSync('.pre-commit-hooks.yaml', 'utf8')) as {
    entry: string;
    files: string;
    language: string;
  }[];
  const folder = repository('framework', { 'models/right.crob': right });
  for (const { entry, files, language } of hooks) {
    expect(language).toBe('node');
    expect(new RegExp(files).test('models/right.crob')).toBe(true);
    expect(runSteps(folder, [`npx ${entry} models/right.crob`])).toEqual({ failed: undefined, out: '' });
  }
  expect(existsSync(JSON.parse(readFileSync('package.json', 'utf8')).bin.crobc)).toBe(true);
});
