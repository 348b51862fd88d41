import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { AtomicFile, writeFileAtomic } from '../../../runtime/files/atomic-file.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

test('the name appears at commit, with everything that was written', async () => {
  await mkdir(at('a'));
  const file = await AtomicFile.open(at('a/file'));
  await file.write('one ');
  await file.write(Uint8Array.of(0x74, 0x77, 0x6f));
  expect((await readdir(at('a'))).includes('file')).toBe(false);
  await file.commit();
  expect(await readdir(at('a'))).toEqual(['file']);
  expect(await readFile(at('a/file'), 'utf8')).toBe('one two');
});

test('abort leaves the old file and nothing else', async () => {
  await mkdir(at('b'));
  await writeFile(at('b/file'), 'old');
  const file = await AtomicFile.open(at('b/file'));
  await file.write('new');
  await file.abort();
  await file.abort();
  expect(await readdir(at('b'))).toEqual(['file']);
  expect(await readFile(at('b/file'), 'utf8')).toBe('old');
});

test('two writers of one name do not mix', async () => {
  await Promise.all(['x'.repeat(100_000), 'y'.repeat(100_000)].map((text) => writeFileAtomic(at('both'), text)));
  expect(new Set(await readFile(at('both'), 'utf8')).size).toBe(1);
});

test('where it cannot be written, one line says so', async () => {
  await expect(writeFileAtomic(at('none/file'), 'x')).rejects.toThrow(UserError);
  await expect(writeFileAtomic(at('none/file'), 'x')).rejects.toThrow(
    /^cannot write .*none\/file: no such file or folder$/,
  );
  await writeFile(at('plain'), '');
  await expect(writeFileAtomic(at('plain/file'), 'x')).rejects.toThrow('a part of the path is not a folder');
  await mkdir(at('folder'));
  await expect(writeFileAtomic(at('folder'), 'x')).rejects.toThrow(/^cannot write .*folder: it is a folder$/);
});
