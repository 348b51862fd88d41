import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import { openTensorFile } from '../../../runtime/weights/open-tensors.ts';
import { SafetensorsFile, type TensorToWrite, writeSafetensors } from '../../../runtime/weights/safetensors.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const golden = fileURLToPath(new URL('../../goldens/small.safetensors', import.meta.url));
const at = temporaryFolder();

describe('a file written by Python', () => {
  test('every dtype decodes to float32', async () => {
    const file = await SafetensorsFile.open(golden);
    const read = async (name: string) => [...(await file.float32(name))];
    expect(await read('f32')).toEqual([1.5, -2.25, Math.fround(3e-30), 0, -0, Infinity]);
    expect(await read('f64')).toEqual([Math.fround(1 / 3), -Infinity]);
    expect(await read('f16')).toEqual([1.5, -65504, 2 ** -24, Infinity]);
    expect(await read('bf16')).toEqual([1.5, -226 * 2 ** 120, 2 ** -120]);
    expect(await read('i64')).toEqual([1, -2, 3, 2 ** 30]);
    expect(await read('i32')).toEqual([7, -8]);
    expect(await read('u8')).toEqual([0, 255]);
    expect(await read('bool')).toEqual([1, 0, 1]);
    expect(await read('scalar')).toEqual([4]);
    expect(await read('empty')).toEqual([]);
    expect(await read('ünï.côde')).toEqual([1]);
    expect([...(await file.int32('i64'))]).toEqual([1, -2, 3, 2 ** 30]);
    expect([...(await file.int32('bool'))]).toEqual([1, 0, 1]);
    await expect(file.int32('f32')).rejects.toThrow('the tensor f32 is F32, and whole numbers are wanted');
    expect(file.tensors.get('i64')).toMatchObject({ dtype: 'I64', shape: [2, 2] });
    expect(file.tensors.get('scalar')?.shape).toEqual([]);
    expect(Object.fromEntries(file.metadata)).toEqual({ format: 'pt', note: 'a "quoted" line\n' });
    await file.close();
  });

  test('is written again with the same bytes, whatever the order given', async () => {
    const file = await SafetensorsFile.open(golden);
    const tensors: TensorToWrite[] = [...file.tensors.values()].map((entry) => ({
      name: entry.name,
      dtype: entry.dtype,
      shape: entry.shape,
      data: () => file.bytes(entry.name),
    }));
    await writeSafetensors(at('again'), tensors.reverse(), Object.fromEntries([...file.metadata].reverse()));
    expect(await readFile(at('again'))).toEqual(await readFile(golden));
    await file.close();
  });
});

test.each([0x0280, 0x0380, 0x0480, 0x0580])('a header of %d bytes, with which a pickle could begin', async (length) => {
  const header = Buffer.from('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.padEnd(length));
  const before = Buffer.alloc(8);
  before.writeBigUInt64LE(BigInt(length));
  await writeFile(at('begins.safetensors'), Buffer.concat([before, header, Buffer.from(Float32Array.of(2.5).buffer)]));
  const file = await openTensorFile(at('begins.safetensors'));
  expect([...(await file.float32('x'))]).toEqual([2.5]);
  await file.close();
});

describe('the writer', () => {
  test('leaves nothing behind when a tensor fails, and the old file as it was', async () => {
    await writeFile(at('old'), 'old');
    const failing: TensorToWrite = {
      name: 'a',
      dtype: 'F32',
      shape: [1],
      data: () => Promise.reject(new UserError('no data')),
    };
    await expect(writeSafetensors(at('old'), [failing])).rejects.toThrow('no data');
    expect(await readFile(at('old'), 'utf8')).toBe('old');
  });

  test('data of the wrong length is a bug', async () => {
    const short: TensorToWrite = { name: 'a', dtype: 'F32', shape: [2], data: () => new Float32Array(1) };
    await expect(writeSafetensors(at('short'), [short])).rejects.toThrow('bug in crobc: 4 bytes for a, which has 8');
  });

  test('an empty file and a view into a larger buffer', async () => {
    await writeSafetensors(at('empty'), []);
    const none = await SafetensorsFile.open(at('empty'));
    expect(none.tensors.size).toBe(0);
    await none.close();
    const view = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    await writeSafetensors(at('view'), [{ name: 'v', dtype: 'F32', shape: [2], data: () => view }]);
    const file = await SafetensorsFile.open(at('view'));
    expect([...(await file.float32('v'))]).toEqual([2, 3]);
    await file.close();
  });
});

/** A file with this header text and so many data bytes. */
async function lying(header: string | Uint8Array, data: number, claimed?: bigint): Promise<string> {
  const bytes = Buffer.from(header as string);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(bytes.length));
  await writeFile(at('lying'), Buffer.concat([length, bytes, Buffer.alloc(data)]));
  return at('lying');
}

const f32 = (begin: number, end: number, shape = '[1]') =>
  `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`;

const lies: readonly [what: string, header: string | Uint8Array, data: number, message: string, claimed?: bigint][] = [
  ['header longer than the file', '{}', 0, 'truncated, or not a safetensors file', 2n ** 63n],
  ['not JSON', 'hello', 0, '{ is wanted at character 0'],
  ['not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 0, 'is not UTF-8'],
  ['cut JSON', '{"a":{"dtype":"F32"', 0, '} is wanted at character 19'],
  ['open string', '{"a', 0, 'a string does not end'],
  ['bad escape', '{"\\x":1}', 0, 'a string is not JSON'],
  ['deep nesting', `{"a":{"dtype":"F32","shape":${'['.repeat(100_000)}`, 0, 'a whole number is wanted'],
  ['text after', '{}x', 0, 'something follows'],
  ['a name twice', `{"a":${f32(0, 4)},"a":${f32(4, 8)}}`, 8, 'names the tensor "a" twice'],
  ['metadata twice', '{"__metadata__":{},"__metadata__":{}}', 0, '__metadata__ twice'],
  ['metadata key twice', '{"__metadata__":{"k":"1","k":"2"}}', 0, 'metadata has "k" twice'],
  ['offsets beyond the file', `{"a":${f32(0, 4)}}`, 3, 'ends at byte 4 of 3: the file is truncated or damaged'],
  ['overlap', `{"a":${f32(0, 4)},"b":${f32(2, 6)}}`, 6, 'the tensor "b" overlaps the one before it'],
  ['a gap', `{"a":${f32(0, 4)},"b":${f32(6, 10)}}`, 10, '2 bytes before the tensor "b" belong to no tensor'],
  ['a tail', `{"a":${f32(0, 4)}}`, 9, '5 bytes at the end belong to no tensor'],
  ['bytes against shape', `{"a":${f32(0, 4, '[2]')}}`, 4, 'the tensor "a" claims 4 bytes, and F32[2] is 8 bytes'],
  ['huge shape', `{"a":${f32(0, 4, '[9007199254740991,9007199254740991]')}}`, 4, 'claims 4 bytes'],
  ['backward offsets', `{"a":${f32(4, 0)}}`, 4, 'claims -4 bytes'],
  ['fractional shape', `{"a":${f32(0, 4, '[1.0]')}}`, 4, '] is wanted'],
  ['negative shape', `{"a":${f32(0, 4, '[-1]')}}`, 4, 'a whole number is wanted'],
  ['unknown dtype', '{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}', 4, 'unknown dtype "F33"'],
  ['inherited dtype', '{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,4]}}', 4, 'unknown dtype "toString"'],
  ['no offsets', '{"a":{"dtype":"F32","shape":[1]}}', 4, 'lacks its dtype, shape or two data_offsets'],
  ['unknown field', '{"a":{"dtype":"F32","color":[1]}}', 4, 'unexpected field "color"'],
];

describe('a lying file', () => {
  test.each(lies)('%s', async (...[, header, data, message, claimed]) => {
    const error = await SafetensorsFile.open(await lying(header, data, claimed)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain(message);
    expect((error as UserError).message).toMatch(/^cannot read .*lying: [^\n]*$/);
  });

  test('cut anywhere, it is refused', async () => {
    const bytes = await readFile(golden);
    for (let length = 0; length < bytes.length; length += 7) {
      await writeFile(at('cut'), bytes.subarray(0, length));
      await expect(SafetensorsFile.open(at('cut'))).rejects.toThrow(UserError);
    }
  });

  test('a header over the limit is refused before it is read', async () => {
    const path = at('sparse');
    await writeFile(path, Buffer.from([0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0]));
    const { truncate } = await import('node:fs/promises');
    await truncate(path, 200_000_000);
    await expect(SafetensorsFile.open(path)).rejects.toThrow('header of 100000001 bytes is over the limit of 100 MB');
  });

  test('missing, or a folder', async () => {
    await expect(SafetensorsFile.open(at('none'))).rejects.toThrow(/^cannot read .*none: no such file or folder$/);
    await expect(SafetensorsFile.open(at('.'))).rejects.toThrow(/it is a folder$/);
  });
});
