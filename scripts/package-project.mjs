// Projects that use crobc as they would from npm: as the packed tarball.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
// Settings of an npm that runs this script would otherwise be passed on to the npm that it starts.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));

/** Runs npm in a folder; throws with its output if it fails. */
export function npm(args, folder) {
  return execFileSync('npm', args, { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Packs the build. Returns the tarball, and the files in it with their sizes in bytes. */
export function pack(folder) {
  const [{ filename, files }] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
  );
  return { tarball: join(folder, filename), files };
}

/** Copies the tests' outside project to a folder of its own. */
export function copyOutside(folder) {
  cpSync(join(root, 'test/package/outside'), folder, { recursive: true });
}

/**
 * Installs a tarball into a project without a network. The packages that it depends on, and `further` ones, are taken
 * from this repository; the project has no others.
 */
export function unpackInto(project, tarball, further = []) {
  const packages = join(project, 'node_modules');
  const installed = join(packages, 'crobc');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), ...further]) {
    mkdirSync(dirname(join(packages, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(packages, name));
  }
}

/** Compiles the outside project with this repository's TypeScript. Throws with the compiler's output. */
export function compileOutside(project, resolution) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', `tsconfig.${resolution}.json`], { cwd: project, encoding: 'utf8' });
  } catch (error) {
    throw new Error(error.stdout);
  }
  return join(project, 'built', resolution, 'main.js');
}

/** Draws a small data set with the installed command. */
export function drawData(project, node = process.execPath) {
  const program = join(project, 'node_modules/crobc/dist/bin/crobc.cjs');
  execFileSync(node, [program, 'data', 'synth', '-o', 'data', '--scenes', '20', '--seed', '1'], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Runs a program of the outside project and returns its results. */
export function runOutside(project, program, node = process.execPath) {
  return JSON.parse(execFileSync(node, [program, 'data'], { cwd: project, encoding: 'utf8', env }));
}
