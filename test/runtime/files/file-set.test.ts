import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { FileSet } from '../../../runtime/files/file-set.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

/** Runs before every rename; what it throws is what the system says. */
let beforeRename: (from: string, to: string) => Promise<void> | void = () => undefined;
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  return {
    ...real,
    async rename(from: string, to: string) {
      await beforeRename(from, to);
      await real.rename(from, to);
    },
  };
});
afterEach(() => {
  beforeRename = () => undefined;
});

const names = ['data', 'graph', 'record'];

async function write(folder: string, generation: string, written: readonly string[] = names): Promise<void> {
  const set = new FileSet(folder, names);
  // In another order than they appear in.
  for (const name of [...written].reverse()) await set.write(name, `${generation} ${name}`);
  await set.commit();
}

/** Visible names with what is in them. */
async function held(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(folder)).sort())
    if (!name.startsWith('.')) found[name] = await readFile(`${folder}/${name}`, 'utf8');
  return found;
}

const whole = (generation: string, of: readonly string[] = names) =>
  Object.fromEntries(of.map((name) => [name, `${generation} ${name}`]));

test('all appear, and what the new set lacks goes', async () => {
  await mkdir(at('plain'));
  await writeFile(at('plain/other'), 'mine');
  await write(at('plain'), 'first');
  expect(await held(at('plain'))).toEqual({ ...whole('first'), other: 'mine' });
  await write(at('plain'), 'second', ['graph', 'record']);
  expect(await readdir(at('plain'))).toEqual(['graph', 'other', 'record']);
  expect(await held(at('plain'))).toEqual({ ...whole('second', ['graph', 'record']), other: 'mine' });
});

test('nothing appears without commit', async () => {
  await mkdir(at('aborted'));
  const set = new FileSet(at('aborted'), names);
  await set.write('data', 'new');
  await set.abort();
  expect(await readdir(at('aborted'))).toEqual([]);
});

test('at no moment does a name stand beside one of another set', async () => {
  await mkdir(at('watched'));
  await write(at('watched'), 'first');
  const seen: Record<string, string>[] = [];
  beforeRename = async () => void seen.push(await held(at('watched')));
  await write(at('watched'), 'second');
  expect(seen).toHaveLength(6);
  for (const found of seen) {
    const [generation] = Object.values(found)[0]?.split(' ') ?? ['first'];
    const count = Object.keys(found).length;
    expect(found).toEqual(whole(generation!, names.slice(0, count)));
  }
});

test.each([1, 2, 3, 4, 5, 6])('rename %i fails: what was there is there again', async (nth) => {
  const folder = at(`rename-${nth}`);
  await mkdir(folder);
  await write(folder, 'first');
  let count = 0;
  beforeRename = () => {
    if (++count === nth) throw Object.assign(new Error('EIO: input/output error'), { code: 'EIO' });
  };
  await expect(write(folder, 'second')).rejects.toThrow(UserError);
  expect(await readdir(folder)).toEqual([...names].sort());
  expect(await held(folder)).toEqual(whole('first'));
});

test('an old file that someone else takes away is no longer in the way', async () => {
  await mkdir(at('shared'));
  await write(at('shared'), 'first');
  let first = true;
  beforeRename = async (from) => {
    if (first) await fs.rm(from);
    first = false;
  };
  await write(at('shared'), 'second');
  expect(await held(at('shared'))).toEqual(whole('second'));
});

test('a folder that has a name is in the way, unless the name is not needed', async () => {
  await mkdir(at('blocked/graph'), { recursive: true });
  await writeFile(at('blocked/data'), 'old');
  await expect(write(at('blocked'), 'new')).rejects.toThrow(/^cannot write .*blocked\/graph: it is a folder$/);
  expect(await readdir(at('blocked'))).toEqual(['data', 'graph']);
  expect(await readFile(at('blocked/data'), 'utf8')).toBe('old');
  await write(at('blocked'), 'new', ['data', 'record']);
  expect(await readdir(at('blocked'))).toEqual(['data', 'graph', 'record']);
});

test.skipIf(process.platform === 'win32')('a link is replaced, and what it points at stays', async () => {
  await mkdir(at('linked'));
  await writeFile(at('target'), 'mine');
  await symlink(at('target'), at('linked/data'));
  await write(at('linked'), 'new');
  expect(await held(at('linked'))).toEqual(whole('new'));
  expect(await readFile(at('target'), 'utf8')).toBe('mine');
});

test('a name that the set does not have is a bug', async () => {
  await expect(new FileSet(at('x'), names).open('client')).rejects.toThrow('bug in crobc');
});

test('what a killed writer left aside goes, and what somebody may still be writing stays', async () => {
  const folder = at('left');
  await mkdir(folder);
  const killed = spawnSync(process.execPath, ['-e', '0']).pid;
  const kept = [`.data.${process.ppid}-0.part`, `.other.${killed}-0.part`, `.data.${killed}`];
  const [part, old] = [`.data.${killed}-0.part`, `.record.${killed}-2.old`];
  for (const name of [...kept, part, old]) await writeFile(`${folder}/${name}`, name);
  await write(folder, 'first');
  expect((await readdir(folder)).sort()).toEqual([...kept, part, old, ...names].sort());
  const anHourLater = Date.now() + 3_600_000;
  vi.spyOn(Date, 'now').mockReturnValue(anHourLater);
  try {
    const set = new FileSet(folder, names);
    await set.open('data');
    await set.abort();
    // Until there is a new set, the old one is all there is.
    expect((await readdir(folder)).sort()).toEqual([...kept, old, ...names].sort());
    await write(folder, 'second');
    expect((await readdir(folder)).sort()).toEqual([...kept, ...names].sort());
  } finally {
    vi.restoreAllMocks();
  }
});
