import { readdir, readFile, stat, truncate } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../runtime/training/crc32c.ts';
import { openEventFile } from '../../../runtime/training/tensorboard.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

test('CRC-32C has the published check values', () => {
  const of = (bytes: Iterable<number>) => crc32c(Uint8Array.from(bytes));
  // "123456789" is the catalogue's check; the others are RFC 3720, B.4.
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(of(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(of(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(of(Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(of(Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  expect(of([])).toBe(0);
});

/** A field of a message whose schema is not known: varints as bigint, lengths as bytes, fixed sizes as bytes. */
interface Field {
  readonly number: number;
  readonly varint?: bigint;
  readonly bytes?: Buffer;
}

function fields(message: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
  };
  while (at < message.length) {
    const key = Number(varint());
    const number = key >> 3;
    const size = { 1: 8, 5: 4 }[key & 7];
    if ((key & 7) === 0) found.push({ number, varint: varint() });
    else {
      const length = size ?? Number(varint());
      found.push({ number, bytes: message.subarray(at, at + length) });
      at += length;
    }
  }
  return found;
}

const only = (message: Buffer, number: number): Field => {
  const those = fields(message).filter((field) => field.number === number);
  expect(those).toHaveLength(1);
  return those[0]!;
};

/** The whole records of a file, their checksums compared; a cut one at the end is left out. */
async function records(path: string): Promise<Buffer[]> {
  const file = await readFile(path);
  const sum = (bytes: Buffer): number => {
    const crc = BigInt(crc32c(bytes));
    return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
  };
  const found: Buffer[] = [];
  for (let at = 0; at + 12 <= file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    expect(file.readUInt32LE(at + 8)).toBe(sum(file.subarray(at, at + 8)));
    const end = at + 12 + length;
    if (end + 4 > file.length) break;
    expect(file.readUInt32LE(end)).toBe(sum(file.subarray(at + 12, end)));
    found.push(file.subarray(at + 12, end));
    at = end + 4;
  }
  return found;
}

test('the version, scalars and images are there as they were given', async () => {
  let now = 1_700_000_000_500;
  const events = await openEventFile(at('log'), { now: () => now });
  const png = Buffer.from('not really a PNG, and nobody looks');
  now += 1000;
  events.scalar('loss/ce', 7, 0.5);
  events.scalar('größe', 2 ** 40, Number.NaN);
  events.image('sample', 8, png, 640, 480);
  await events.close();
  expect(events.path).toMatch(/log\/events\.out\.tfevents\.1700000000\.\S+$/);
  const [version, ce, nan, image, ...rest] = await records(events.path);
  expect(rest).toEqual([]);
  expect(only(version!, 3).bytes!.toString()).toBe('brain.Event:2');
  expect(only(version!, 1).bytes!.readDoubleLE()).toBe(1_700_000_000.5);
  expect(only(ce!, 1).bytes!.readDoubleLE()).toBe(1_700_000_001.5);
  expect(only(ce!, 2).varint).toBe(7n);
  const value = (event: Buffer) => only(only(event, 5).bytes!, 1).bytes!;
  expect(only(value(ce!), 1).bytes!.toString()).toBe('loss/ce');
  expect(only(value(ce!), 2).bytes!.readFloatLE()).toBe(0.5);
  expect(only(nan!, 2).varint).toBe(2n ** 40n);
  expect(only(value(nan!), 1).bytes!.toString()).toBe('größe');
  expect(only(value(nan!), 2).bytes!.readFloatLE()).toBeNaN();
  const inside = only(value(image!), 4).bytes!;
  expect([1, 2, 3].map((number) => only(inside, number).varint)).toEqual([480n, 640n, 3n]);
  expect(only(inside, 4).bytes!.equals(png)).toBe(true);
});

describe('files', () => {
  test('each run has its own, in the order of time, and a resumed one says from which step', async () => {
    const dir = at('runs');
    for (const seconds of [9, 10, 10]) {
      const events = await openEventFile(dir, {
        now: () => seconds * 1000,
        ...(seconds === 10 ? { resumedAt: 40 } : {}),
      });
      await events.close();
    }
    const names = (await readdir(dir)).sort();
    expect(names.map((name) => name.split('.')[3])).toEqual(['0000000009', '0000000010', '0000000010']);
    const [, start] = await records(`${dir}/${names[1]}`);
    expect(only(start!, 2).varint).toBe(40n);
    expect(only(only(start!, 7).bytes!, 1).varint).toBe(1n);
    expect(await records(`${dir}/${names[0]}`)).toHaveLength(1);
  });

  test('flush writes, and a megabyte flushes itself', async () => {
    const events = await openEventFile(at('flush'));
    const size = async () => (await stat(events.path)).size;
    const empty = await size();
    events.scalar('loss', 1, 1);
    expect(await size()).toBe(empty);
    await events.flush();
    const small = await size();
    expect(small).toBeGreaterThan(empty);
    events.image('big', 1, new Uint8Array(1 << 20), 1, 1);
    await expect.poll(size).toBeGreaterThan(small + (1 << 20));
    await events.close();
    expect(await records(events.path)).toHaveLength(3);
  });

  test('many flushes at a time keep the order', async () => {
    const events = await openEventFile(at('order'));
    const all: Promise<void>[] = [];
    for (let step = 1; step <= 50; step++) {
      events.scalar('loss', step, step);
      all.push(events.flush());
    }
    await Promise.all(all);
    await events.close();
    const steps = (await records(events.path)).slice(1).map((event) => Number(only(event, 2).varint));
    expect(steps).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  test('what a crash cut off costs the last record only', async () => {
    const events = await openEventFile(at('cut'));
    for (const step of [1, 2, 3]) events.scalar('loss', step, 0.25);
    await events.close();
    await truncate(events.path, (await stat(events.path)).size - 3);
    expect(await records(events.path)).toHaveLength(3);
  });

  test('a folder that cannot be written is one line', async () => {
    await openEventFile(at('taken')).then((events) => events.close());
    const [name] = await readdir(at('taken'));
    await expect(openEventFile(`${at('taken')}/${name}`)).rejects.toThrow(/^cannot write .*: /);
  });
});
