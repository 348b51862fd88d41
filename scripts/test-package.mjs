// npm run test:package: installs the packed tarball as a user does, with npm and no flags, compiles the tests' outside
// project against it, and runs its program in every supported Node.js. Needs a network for packages from npm.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { compileOutside, copyOutside, drawData, npm, pack, root, runOutside } from './package-project.mjs';

/** Major versions whose newest releases are tested, besides the Node.js that runs this script. */
const versions = ['22', '24'];

const folder = mkdtempSync(join(tmpdir(), 'crobc-installed-'));
try {
  const { tarball, files } = pack(folder);
  console.log(`${files.length} files, ${(files.reduce((sum, { size }) => sum + size, 0) / 2 ** 20).toFixed(1)} MiB`);

  const project = join(folder, 'project');
  copyOutside(project);
  timed('npm install crobc', () => npm(['install', tarball], project));
  refuseScripts(project);
  const offline = join(folder, 'offline');
  copyOutside(offline);
  timed('npm install crobc, offline', () => npm(['install', '--offline', tarball], offline));
  const { peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  timed('npm install onnxruntime-node', () =>
    npm(['install', '--ignore-scripts', `onnxruntime-node@${peerDependencies['onnxruntime-node']}`], project),
  );
  npm(['install', '--save-dev', '@types/node@20'], project);

  compileOutside(project, 'bundler');
  const program = compileOutside(project, 'nodenext');
  drawData(project);
  const expected = runOutside(project, program);
  console.log(`Node.js ${process.versions.node}: ${JSON.stringify(expected)}`);
  for (const version of versions) {
    const node = installNode(version);
    const name = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
    rmSync(join(project, 'run'), { recursive: true, force: true });
    const found = runOutside(project, program, node);
    if (!isDeepStrictEqual(found, expected)) throw new Error(`Node.js ${name} finds ${JSON.stringify(found)}`);
    console.log(`Node.js ${name}: the same`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Throws if an installed package has an install script. */
function refuseScripts(project) {
  const { packages } = JSON.parse(readFileSync(join(project, 'node_modules/.package-lock.json'), 'utf8'));
  const scripted = Object.entries(packages).flatMap(([path, { hasInstallScript }]) => (hasInstallScript ? [path] : []));
  if (scripted.length > 0) throw new Error(`these run a script when they are installed: ${scripted.join(', ')}`);
}

/** Installs a Node.js from its npm package for this system; returns the path of the program. */
function installNode(version) {
  const place = join(folder, `node-${version}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  mkdirSync(place);
  writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
  npm(['install', '--ignore-scripts', `${name}@${version}`], place);
  return join(place, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

function timed(label, run) {
  const started = performance.now();
  run();
  console.log(`${label}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
