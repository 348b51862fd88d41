import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import { openTensorFile } from '../../../runtime/weights/open-tensors.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { zipBytes } from './zip-bytes.ts';

const at = temporaryFolder();
const golden = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../goldens/checkpoints/${name}`, import.meta.url)));

/** Opens a file and reads all of its tensors. */
async function readAll(path: string): Promise<string[]> {
  const file = await openTensorFile(path);
  try {
    for (const name of file.tensors.keys()) await file.bytes(name);
    return [...file.tensors.keys()];
  } finally {
    await file.close();
  }
}

/** The refusal of a file with these bytes: one line that names the file. */
async function refusal(bytes: Buffer, name = 'file.pth'): Promise<string> {
  const path = at(name);
  writeFileSync(path, bytes);
  const before = process.memoryUsage();
  const error = await readAll(path).then(
    () => expect.fail('the file is accepted'),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  const start = `cannot read ${path}: `;
  expect(message.startsWith(start)).toBe(true);
  expect(message).not.toContain('\n');
  expect(message.length).toBeLessThan(start.length + 400);
  const after = process.memoryUsage();
  expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(150e6);
  return message.slice(start.length);
}

const text = (s: string) => Buffer.from(s, 'latin1');
const storage = (key: string, count: number) =>
  `(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x00${key}X\x03\x00\x00\x00cpuI${count}\ntQ`;
const tensor = (key: string, count: number) =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${storage(key, count)}I0\n(I${count}\nt(I1\ntI00\nNtR`;
const pickle = (key: string, count: number) => text(`}X\x01\x00\x00\x00w${tensor(key, count)}s.`);
const stored = (count: number) => ({ name: 'a/data/0', data: Buffer.alloc(4 * count, 1) });
const archive = (...parts: Parameters<typeof zipBytes>[0]) =>
  zipBytes([{ name: 'a/data.pkl', data: pickle('0', 4) }, ...parts]);

test('the archive to begin from is right, stored and deflated', async () => {
  writeFileSync(at('right.pth'), archive(stored(4)));
  expect(await readAll(at('right.pth'))).toEqual(['w']);
  writeFileSync(at('deflated.pth'), archive({ ...stored(4), deflate: true }));
  expect(await readAll(at('deflated.pth'))).toEqual(['w']);
});

describe('zip archives', () => {
  test.each<[string, Buffer, string]>([
    [
      'a wrong checksum',
      archive({ ...stored(4), crc: 1 }),
      'the checksum of "a/data/0" in it is wrong: the file is damaged',
    ],
    [
      'a name that leaves the archive',
      archive({ ...stored(4), name: '../../etc/passwd' }),
      '"../../etc/passwd" in it is not a name within the archive',
    ],
    ['an absolute name', archive({ ...stored(4), name: '/etc/passwd' }), 'not a name within the archive'],
    ['an absolute name of Windows', archive({ ...stored(4), name: 'C:\\a' }), 'not a name within the archive'],
    ['a name twice', archive(stored(4), stored(4)), 'it has "a/data/0" twice'],
    ['files that overlap', archive({ ...stored(4), at: 10 }), 'overlaps the file before it'],
    ['an offset beyond the end', archive({ ...stored(4), at: 2 ** 31 }), 'ends after the archive'],
    ['a stored size that is not its own', archive({ ...stored(4), size: 2 ** 31 }), 'cannot have 2147483648 bytes'],
    [
      'a bomb by its sizes',
      archive({ name: 'a/data/0', data: Buffer.alloc(1000), deflate: true, size: 0xfffffffe }),
      'cannot have 4294967294 bytes',
    ],
    [
      'more than it says',
      archive({ name: 'a/data/0', data: Buffer.alloc(10_000_000), deflate: true, size: 16 }),
      'is not deflated data of 16 bytes',
    ],
    ['less than it says', archive({ ...stored(4), deflate: true, size: 17 }), 'inflates to 16 bytes instead of 17'],
    ['an encrypted file', archive({ ...stored(4), flags: 1 }), 'is encrypted'],
    ['an unknown method', archive({ ...stored(4), method: 12 }), 'the unknown method 12'],
    ['a directory with fewer files than it says', zipBytes([stored(1)], 9), 'its zip directory is damaged'],
    ['no directory', archive(stored(4)).subarray(0, -30), 'its zip directory is missing'],
    ['a storage that is missing', archive(), 'the storage "0" of "w" is missing'],
    ['a storage that is too short', archive(stored(3)), 'the tensor "w" reaches to byte 16 of a storage of 12'],
    ['no tensors', zipBytes([{ name: 'readme.txt', data: text('hi') }]), 'it is a zip archive without tensors'],
    [
      'big-endian numbers',
      archive(stored(4), { name: 'a/byteorder', data: text('big') }),
      'its numbers are big-endian',
    ],
  ])('with %s', async (_, bytes, reason) => {
    expect(await refusal(bytes)).toContain(reason);
  });

  test('a bomb of a gigabyte in a megabyte', async () => {
    // Behind one that deflates it well: 1,000 to 1.
    const bomb = { name: 'a/data.pkl', data: Buffer.alloc(2 ** 28), deflate: true };
    expect(await refusal(zipBytes([bomb]))).toBe(`its pickle has ${2 ** 28} bytes, which is too much`);
  });

  test.each(['training.pth', 'arrays.npz', 'types.pt'])('%s, cut anywhere', async (name) => {
    const whole = golden(name);
    for (let length = 5; length < whole.length; length += Math.ceil(whole.length / 60))
      await refusal(whole.subarray(0, length));
  });
});

test('a checkpoint of before 1.6, cut anywhere', async () => {
  const whole = golden('training-legacy.pth');
  for (let length = 30; length < whole.length; length += Math.ceil(whole.length / 100))
    await refusal(whole.subarray(0, length));
  expect(await refusal(Buffer.concat([whole, text('more')]))).toBe('4 bytes at its end belong to no storage');
});

describe('an index of shards', () => {
  test.each([
    ['{"weight_map": {"a": "../other.safetensors"}}', 'the file of "a" is not the name of a file beside the index'],
    ['{"weight_map": {"a": "/etc/passwd"}}', 'is not the name of a file beside the index'],
    ['{"weight_map": {"a": "file.json"}}', 'is not the name of a file beside the index'],
    [`{"weight_map": {"a": "${'x'.repeat(5000)}"}}`, 'is not the name of a file beside the index'],
    ['{"weight_map": {"a": 1}}', 'is not the name of a file beside the index'],
    ['{"weight_map": {}}', 'its weight_map is empty'],
    ['{"weight_map": []}', 'without the weight_map of an index'],
    ['{"weight_map": {"a": "gone.safetensors"}}', ''],
    ['{"a": ', 'not JSON'],
    [`{"a": ${'['.repeat(8_000_000)}`, 'not JSON'],
    [
      `{"weight_map": {${Array.from({ length: 300 }, (_, i) => `"a${i}": "f${i}.bin"`).join()}}}`,
      'it names 300 files, and crobc reads 256 at most',
    ],
  ])('%.60s', async (json, reason) => {
    if (reason !== '') expect(await refusal(text(json), 'file.json')).toContain(reason);
    else {
      writeFileSync(at('file.json'), json);
      await expect(openTensorFile(at('file.json'))).rejects.toThrow(
        `cannot read ${at('gone.safetensors')}: no such file`,
      );
    }
  });
});

describe('files of another kind', () => {
  test.each<[string, Buffer, string]>([
    ['HDF5', text('\x89HDF\r\n\x1a\n........'), 'it is an HDF5 file'],
    ['gzip', text('\x1f\x8b\x08.........'), 'it is compressed by gzip'],
    ['one array', text('\x93NUMPY\x01\x00....'), 'it is one array of numpy'],
    ['another pickle', text('\x80\x02}q\x00.'), 'it is a pickle that PyTorch did not write'],
    ['tar', Buffer.concat([Buffer.alloc(257), text('ustar\x00'), Buffer.alloc(250)]), 'it is a tar archive'],
    ['nothing', Buffer.alloc(0), 'it has 0 bytes'],
    ['text', text('<html>404 not found</html>'), 'not a safetensors file'],
  ])('%s', async (_, bytes, reason) => {
    expect(await refusal(bytes)).toContain(reason);
  });
});

describe('safetensors', () => {
  const file = (header: string, data = 16) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
    return Buffer.concat([length, text(header), Buffer.alloc(data)]);
  };
  const one = (begin: string, end: string, shape = '[2]') =>
    `{"a":{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}}`;
  test.each<[string, Buffer, string]>([
    [
      'overlapping',
      file(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}',
      ),
      'overlaps the one before it',
    ],
    ['negative', file(one('-8', '0')), 'a whole number is wanted'],
    ['overflowing', file(one('0', '18446744073709551624')), 'a whole number is wanted'],
    ['beyond the end', file(one('8', '24', '[4]')), 'ends at byte 24 of 16'],
    ['backwards', file(one('8', '0')), 'claims -8 bytes'],
    ['a shape whose product overflows', file(one('0', '16', '[4294967296,4294967296]')), 'claims 16 bytes'],
  ])('with offsets that are %s', async (_, bytes, reason) => {
    expect(await refusal(bytes, 'file.safetensors')).toContain(reason);
  });
});
