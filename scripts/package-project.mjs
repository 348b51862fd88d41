// Projects that use crobc as they would have it from npm: as the packed tarball.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// As a program of npm's, this would hand its settings on to the npm that it starts.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));

/** Packs what `npm run build` has built. The tarball, and the files in it with their sizes in bytes. */
export function pack(folder) {
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [{ filename, files }] = JSON.parse(packed);
  return { tarball: join(folder, filename), files };
}

/** The outside project of the tests, in a folder of its own. */
export function copyOutside(folder) {
  cpSync(join(root, 'test/package/outside'), folder, { recursive: true });
}

/** Unpacks a tarball into a project; what crobc depends on is found in this repository's `node_modules`, with no network. */
export function unpackInto(project, tarball) {
  const installed = join(project, 'node_modules/crobc');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  symlinkSync(join(root, 'node_modules'), join(project, '../node_modules'));
}

/** Compiles the outside project with this repository's TypeScript. Throws what the compiler prints. */
export function compileOutside(project, resolution) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', `tsconfig.${resolution}.json`], { cwd: project, encoding: 'utf8' });
  } catch (error) {
    throw new Error(error.stdout);
  }
  return join(project, 'built', resolution, 'main.js');
}

/** Draws a small data set by the installed command. */
export function drawData(project, node = process.execPath) {
  const program = join(project, 'node_modules/crobc/dist/bin/crobc.cjs');
  execFileSync(node, [program, 'data', 'synth', '-o', 'data', '--scenes', '20', '--seed', '1'], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** What the outside program finds. */
export function runOutside(project, program, node = process.execPath) {
  return JSON.parse(execFileSync(node, [program, 'data'], { cwd: project, encoding: 'utf8', env }));
}
