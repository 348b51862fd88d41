import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { main } from './crobc.ts';

const at = temporaryFolder();
const run = promisify(execFile);

/** Runs crobc behind a shell that sets a limit. */
async function limited(limit: string, words: readonly string[]): Promise<{ code: number; err: string }> {
  const command = `${limit}; exec "$0" "$@"`;
  return run('sh', ['-c', command, process.execPath, main, ...words]).then(
    ({ stderr }) => ({ code: 0, err: stderr }),
    ({ code, stderr }) => ({ code, err: stderr }),
  );
}

describe.skipIf(process.platform !== 'linux')('with 24 open files', () => {
  test('a check needs no more', async () => {
    expect(await limited('ulimit -n 24', ['check', 'models/crobim.crob'])).toEqual({ code: 0, err: '' });
  });

  test('a build that needs more ends in one line, and leaves nothing', async () => {
    const out = at('out');
    const { code, err } = await limited('ulimit -n 22', [
      'build',
      'models/crobim.crob',
      '-m',
      'CroBIM_micro',
      '-o',
      out,
    ]);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/^crobc: cannot (read|write) [^\n]+: too many open files\n$/),
    });
  });
});
