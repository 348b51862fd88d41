// npm run release -- patch|minor|major [--go]: checks, sets the version, dates the changelog, commits and tags. Without
// --go, only prints what it would do. It never pushes or publishes: it prints the remaining commands at the end.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const kinds = ['major', 'minor', 'patch'];
const branch = 'main';

class Refused extends Error {}

const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();
const root = git('rev-parse', '--show-toplevel');
const pathOf = (name) => join(root, name);
const readJson = (name) => JSON.parse(readFileSync(pathOf(name), 'utf8'));

/** Raises a version: `0.1.0` and `minor` give `0.2.0`. */
function raised(version, kind) {
  const numbers = version.split('.').map(Number);
  if (numbers.length !== 3 || numbers.some((n) => !Number.isSafeInteger(n)))
    throw new Refused(`package.json has version ${version}: it is to be three numbers`);
  const at = kinds.indexOf(kind);
  return numbers.map((n, i) => (i < at ? n : i === at ? n + 1 : 0)).join('.');
}

/** Returns the changelog with its unreleased changes under the version, and these changes. */
function changes(text, version, date) {
  const head = '## Unreleased\n';
  const at = text.indexOf(head);
  if (at < 0) throw new Refused('CHANGELOG.md has no "## Unreleased"');
  const rest = text.slice(at + head.length);
  const next = rest.search(/^## /m);
  const notes = (next < 0 ? rest : rest.slice(0, next)).trim();
  if (notes === '') throw new Refused('CHANGELOG.md has nothing under "## Unreleased": there is nothing to release');
  if (text.includes(`\n## ${version}`)) throw new Refused(`CHANGELOG.md has ${version} already`);
  return { text: `${text.slice(0, at)}${head}\n## ${version} (${date})\n${rest}`, notes };
}

/** Throws if a release cannot begin in this state of the repository. */
function refuseState(tag) {
  const on = git('rev-parse', '--abbrev-ref', 'HEAD');
  if (on !== branch) throw new Refused(`this is ${on}: releases are made on ${branch}`);
  if (git('status', '--porcelain') !== '') throw new Refused('the working tree has changes: commit them first');
  if (git('tag', '--list', tag) !== '') throw new Refused(`the tag ${tag} is there already`);
}

function writeJson(name, change) {
  const json = readJson(name);
  change(json);
  writeFileSync(pathOf(name), `${JSON.stringify(json, null, 2)}\n`);
}

function release(kind, go) {
  const { version: from } = readJson('package.json');
  const version = raised(from, kind);
  const tag = `v${version}`;
  refuseState(tag);
  const date = new Date().toISOString().slice(0, 10);
  const { text, notes } = changes(readFileSync(pathOf('CHANGELOG.md'), 'utf8'), version, date);
  console.log(
    `${from} to ${version}: package.json, package-lock.json, CHANGELOG.md (${notes.split(/^- /m).length - 1} changes)`,
  );
  console.log(`check with npm run check, commit "release: ${version}", tag ${tag}`);
  if (!go) {
    console.log('nothing was changed; --go does it');
    return;
  }
  const files = ['package.json', 'package-lock.json', 'CHANGELOG.md'];
  writeJson('package.json', (json) => {
    json.version = version;
  });
  writeJson('package-lock.json', (json) => {
    json.version = version;
    json.packages[''].version = version;
  });
  writeFileSync(pathOf('CHANGELOG.md'), text);
  // Runs after the version is set, because pages and tests may contain it.
  const { status } = spawnSync('npm', ['run', 'check'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    git('-C', root, 'checkout', '--', ...files);
    throw new Refused('npm run check fails: the version and the changelog are as they were');
  }
  const others = git('-C', root, 'status', '--porcelain')
    .split('\n')
    .filter((line) => !files.some((name) => line.endsWith(` ${name}`)));
  if (others.length > 0) throw new Refused(`npm run check has changed files; look at them:\n${others.join('\n')}`);
  git('-C', root, 'add', ...files);
  git('-C', root, 'commit', '--quiet', '-m', `release: ${version}`);
  git('-C', root, 'tag', '--annotate', '--cleanup=whitespace', '-m', `crobc ${version}\n\n${notes}`, tag);
  console.log(`released here; what is left: npm run test:package, git push origin ${branch} ${tag}, npm publish`);
}

try {
  const { values, positionals } = parseArgs({
    options: { go: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [kind] = positionals;
  if (positionals.length !== 1 || !kinds.includes(kind))
    throw new Refused('npm run release -- patch|minor|major [--go]');
  release(kind, values.go);
} catch (error) {
  console.error(
    error instanceof Refused || error?.code?.startsWith('ERR_PARSE_ARGS') ? `release: ${error.message}` : error,
  );
  process.exitCode = 1;
}
