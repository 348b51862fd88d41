import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { makeFolder } from '../../../runtime/files/make-folder.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

test('makes a folder and those above it, also one behind a slash or below a link', async () => {
  await makeFolder(at('one'));
  await makeFolder(at('a/b/c'));
  await makeFolder(`${at('d/e')}/`);
  await symlink(at('one'), at('link'));
  await makeFolder(at('link/two'));
  for (const made of ['one', 'a/b/c', 'd/e', 'one/two']) expect((await stat(at(made))).isDirectory()).toBe(true);
});

test('leaves a folder that exists, and what is in it', async () => {
  await mkdir(at('old'));
  await writeFile(at('old/file'), 'kept');
  await makeFolder(at('old'));
  await makeFolder('.');
  await makeFolder('/');
  expect(await readFile(at('old/file'), 'utf8')).toBe('kept');
});

test('several at once do not hinder each other', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, i) => makeFolder(at(`many/x/y/${i % 4}`))));
  expect(await readdir(at('many/x/y'))).toEqual(['0', '1', '2', '3']);
});

test('a file in the way is one line', async () => {
  await writeFile(at('plain'), 'kept');
  await expect(makeFolder(at('plain'))).rejects.toThrow(UserError);
  await expect(makeFolder(at('plain'))).rejects.toThrow(/^cannot write .*plain: there is a file of that name$/);
  await expect(makeFolder(at('plain/a/b'))).rejects.toThrow(
    /^cannot write .*plain\/a\/b: a part of the path is not a folder$/,
  );
  await symlink(at('nowhere'), at('dangling'));
  await expect(makeFolder(at('dangling'))).rejects.toThrow(/^cannot write .*dangling: there is a file of that name$/);
  expect(await readFile(at('plain'), 'utf8')).toBe('kept');
});

test.skipIf(process.getuid?.() === 0)('a folder that may not be written is one line', async () => {
  await mkdir(at('closed'));
  await chmod(at('closed'), 0o500);
  await expect(makeFolder(at('closed/a'))).rejects.toThrow(/^cannot write .*closed\/a: permission denied$/);
});

test.runIf(process.platform === 'linux')('a file system that makes no folders ends it', async () => {
  await expect(makeFolder('/proc/x')).rejects.toThrow(/^cannot write \/proc\/x: no such file or folder$/);
  await expect(makeFolder('/proc/x/y')).rejects.toThrow(/^cannot write \/proc\/x\/y: no such file or folder$/);
});
