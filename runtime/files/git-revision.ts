import { execFileSync } from 'node:child_process';
import { isAbsolute, relative, sep } from 'node:path';
import type { SourceHost } from '../../compiler/compile.ts';
import { diskHost, resolved, shippedFile } from './source-host.ts';
import { UserError } from './user-error.ts';

/** The sources of a git revision, by paths relative to the working folder. */
export interface GitRevision {
  /** The full hash of its commit. */
  readonly commit: string;
  readonly host: SourceHost;
  /** The .crob files below the working folder. */
  readonly files: readonly string[];
}

/**
 * Opens a revision such as `main`, `HEAD~2` or `origin/main`. Files that ship with crobc are those of the installed
 * version, unless the repository is crobc's own. Throws a UserError if git cannot be run, the working folder is in no
 * repository, or there is no such commit.
 */
export function openRevision(cwd: string, revision: string): GitRevision {
  const git = (...args: readonly string[]): string => runGit(cwd, args);
  const commit = git('rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`).trim();
  const top = git('rev-parse', '--show-toplevel').trim();
  const listed = git('ls-tree', '-r', '-z', '--name-only', commit, '--', '.').split('\0');
  const disk = diskHost();
  const texts = new Map<string, string | undefined>();
  const show = (object: string): string | undefined => {
    if (!texts.has(object)) texts.set(object, blob(cwd, object));
    return texts.get(object);
  };
  const own = (path: string): string | undefined => {
    const inFolder = isAbsolute(path) ? relative(cwd, path) : path;
    return show(`${commit}:./${inFolder.split(sep).join('/')}`);
  };
  const shipped = (path: string, file: string): string | undefined => {
    const inRepository = relative(top, file);
    const isOutside =
      inRepository.startsWith('..') || isAbsolute(inRepository) || inRepository.includes('node_modules');
    return isOutside ? disk.read(path) : show(`${commit}:${inRepository.split(sep).join('/')}`);
  };
  const read = (path: string): string | undefined => {
    const file = shippedFile(path);
    return file === undefined ? own(path) : shipped(path, file);
  };
  return {
    commit,
    files: listed.filter((path) => path.endsWith('.crob')).sort(),
    host: {
      ...disk,
      read,
      resolve: (from, path) => resolved((file) => own(file) !== undefined, from, path),
    },
  };
}

/** Returns the text of a file of a revision; undefined if it has none. */
function blob(cwd: string, object: string): string | undefined {
  try {
    return runGit(cwd, ['cat-file', 'blob', object]);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function runGit(cwd: string, args: readonly string[]): string {
  try {
    return execFileSync('git', args, {
      cwd,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    if (code === 'ENOENT')
      throw new UserError('git cannot be run: --base compares with a revision of a git repository');
    const [line = ''] = (stderr ?? '').trim().split('\n');
    if (args[0] === 'rev-parse' && args.includes('--verify'))
      throw new UserError(
        line === '' ? `--base ${args.at(-1)?.replace('^{commit}', '')}: git knows no such revision` : `--base: ${line}`,
      );
    throw new UserError(`git ${args[0]}: ${line}`);
  }
}
