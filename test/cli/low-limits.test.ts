// slow: starts processes

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { requireAddressSpace, softLimit } from '../../cli/address-space.ts';
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

describe.skipIf(process.platform !== 'linux')('with a gigabyte of address space', () => {
  const limit = 'ulimit -v 1000000';

  test.each([
    ['predict', ['predict', 'models/crobim.crob', '-i', 'scene.png', '-t', 'the ship', '-o', at('unmade')]],
    ['train', ['train', 'models/crobim.crob', '-m', 'CroBIM_micro', '-d', 'data', '-o', at('unmade')]],
    ['eval', ['eval', 'models/crobim.crob', '-d', 'data', '-o', at('unmade')]],
    ['build', ['build', 'models/crobim.crob', '-o', at('unmade')]],
    ['data check', ['data', 'check', 'data']],
    ['data stats', ['data', 'stats', 'data']],
    ['data synth', ['data', 'synth', '-o', at('unmade')]],
  ])('%s says in one line what it takes', async (name, words) => {
    const { code, err } = await limited(limit, words);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(
        new RegExp(
          `^crobc: ${name} takes [12]\\.\\d GiB of address space or more, and this process may have 976\\.6 MiB [^\\n]+\\n$`,
        ),
      ),
    });
    expect(existsSync(at('unmade'))).toBe(false);
  });

  test('a check needs no more', async () => {
    expect(await limited(limit, ['check', 'models/crobim.crob'])).toEqual({ code: 0, err: '' });
  });
});

test('where nothing is limited, nothing is refused', () => {
  expect(softLimit('Max address space         unlimited            unlimited            bytes\n')).toBe(
    Number.POSITIVE_INFINITY,
  );
  expect(softLimit('')).toBe(Number.POSITIVE_INFINITY);
  expect(() => requireAddressSpace('train', () => Number.POSITIVE_INFINITY)).not.toThrow();
  expect(() => requireAddressSpace('check', () => 1)).not.toThrow();
});
