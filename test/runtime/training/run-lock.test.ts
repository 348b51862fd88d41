// slow: starts processes

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { lockRun } from '../../../runtime/training/run-lock.ts';
import { bundleSource } from '../../../scripts/bundle-source.mjs';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
let count = 0;
async function folder(): Promise<string> {
  const dir = at(`run-${count++}`);
  await mkdir(dir);
  return dir;
}

/** A process that just lives, until it is killed. */
const sleeper = () => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });

describe('a lock', () => {
  test('is held against another run, and given back', async () => {
    const dir = await folder();
    const lock = await lockRun(dir);
    await expect(lockRun(dir)).rejects.toThrow(new RegExp(`in use by another run \\(process ${process.pid}\\)`));
    await lock.release();
    await (await lockRun(dir)).release();
    expect(await readdir(dir)).toEqual([]);
  });

  test('is given back at once where a signal ends the process', async () => {
    const dir = await folder();
    const lock = await lockRun(dir);
    lock.releaseNow();
    expect(await readdir(dir)).toEqual([]);
    const other = await lockRun(dir);
    lock.releaseNow();
    expect(await readdir(dir)).toEqual(['.lock']);
    await other.release();
  });

  test('of a process that is gone is taken over', async () => {
    const dir = await folder();
    const child = sleeper();
    await writeFile(`${dir}/.lock`, JSON.stringify({ pid: child.pid, started: '', host: hostname() }));
    await expect(lockRun(dir)).rejects.toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'close');
    const lock = await lockRun(dir);
    expect(JSON.parse(await readFile(`${dir}/.lock`, 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  test.runIf(process.platform === 'linux')('of an earlier process with the same id is taken over', async () => {
    const dir = await folder();
    await writeFile(`${dir}/.lock`, JSON.stringify({ pid: process.pid, started: '1', host: hostname() }));
    await (await lockRun(dir)).release();
  });

  test.each(['', '{"pid": ', 'nonsense', '{}'])('that says %j is stale', async (text) => {
    const dir = await folder();
    await writeFile(`${dir}/.lock`, text);
    await (await lockRun(dir)).release();
  });

  test('on another machine counts', async () => {
    const dir = await folder();
    await writeFile(`${dir}/.lock`, JSON.stringify({ pid: 1, started: '', host: 'elsewhere' }));
    await expect(lockRun(dir)).rejects.toThrow(
      `${dir} is in use by another run (process 1 on elsewhere): wait for it, or choose another -o; where that machine or container is gone, delete ${dir}/.lock`,
    );
    await rm(`${dir}/.lock`);
    await (await lockRun(dir)).release();
  });

  test('of many that want it at once goes to one', async () => {
    const dir = await folder();
    await writeFile(`${dir}/.lock`, 'stale');
    const tried = await Promise.allSettled(Array.from({ length: 8 }, () => lockRun(dir)));
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('of processes that want a stale one at once goes to one of them', async () => {
    const lock = await bundleSource('runtime/training/run-lock.ts');
    const contenders = Array.from({ length: 6 }, () => fork(new URL('contend.mjs', import.meta.url), [lock]));
    const reply = async (child: ChildProcess) => (await once(child, 'message'))[0] as string;
    try {
      await Promise.all(contenders.map(reply));
      for (let round = 0; round < 100; round++) {
        const dir = await folder();
        await writeFile(`${dir}/.lock`, JSON.stringify({ pid: 2 ** 22 + 1, started: '1', host: hostname() }));
        const replies = Promise.all(contenders.map(reply));
        for (const child of contenders) child.send(dir);
        expect((await replies).filter((said) => said === 'held')).toHaveLength(1);
        const released = Promise.all(contenders.map(reply));
        for (const child of contenders) child.send('release');
        await released;
        expect(await readdir(dir)).toEqual([]);
      }
    } finally {
      for (const child of contenders) child.kill();
    }
  });

  test('a killed contender left the right to take over is taken over', async () => {
    const dir = await folder();
    const gone = JSON.stringify({ pid: 2 ** 22 + 1, started: '1', host: hostname() });
    await writeFile(`${dir}/.lock`, gone);
    const right = `.lock.${createHash('sha256').update(gone).digest('hex').slice(0, 16)}`;
    await writeFile(`${dir}/${right}`, gone);
    await writeFile(`${dir}/.lock.left`, gone);
    const lock = await lockRun(dir);
    expect(await readdir(dir)).toEqual(['.lock']);
    await lock.release();
  });

  test('that is a folder is an error of one line', async () => {
    const dir = await folder();
    await mkdir(`${dir}/.lock`);
    await expect(lockRun(dir)).rejects.toThrow(`${dir}/.lock is not a regular file: remove it`);
    expect(await readdir(dir)).toEqual(['.lock']);
  });

  test('in a folder that cannot be written is one line', async () => {
    await expect(lockRun(at('nowhere'))).rejects.toThrow(/^cannot write [^\n]*nowhere[^\n]*: no such file or folder$/);
  });
});
