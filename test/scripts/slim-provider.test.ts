import { expect, test } from 'vitest';
import { isKept, slimProvider } from '../../bench/gpu/slim-provider.mjs';

interface Section {
  readonly name: string;
  readonly data: Buffer;
}

/** An ELF file of 64 bits with these sections, a null one before and the one of their names after them. */
function elf(sections: readonly Section[]): Buffer {
  const all = [{ name: '', data: Buffer.alloc(0) }, ...sections, { name: '.shstrtab', data: Buffer.alloc(0) }];
  const names = Buffer.from(all.map(({ name }) => `${name}\0`).join(''), 'latin1');
  const parts = [...all.slice(0, -1).map(({ data }) => data), names];
  const header = Buffer.alloc(64);
  const table = Buffer.alloc(64 * all.length);
  let [at, name] = [64 + table.length, 0];
  for (const [i, data] of parts.entries()) {
    table.writeUInt32LE(name, 64 * i);
    table.writeBigUInt64LE(BigInt(at), 64 * i + 24);
    table.writeBigUInt64LE(BigInt(data.length), 64 * i + 32);
    at += data.length;
    name += all[i]!.name.length + 1;
  }
  header.writeBigUInt64LE(64n, 0x28);
  for (const [at, value] of [[0x3a, 64] as const, [0x3c, all.length] as const, [0x3e, all.length - 1] as const])
    header.writeUInt16LE(value, at);
  return Buffer.concat([header, table, ...parts]);
}

/** A frame of Zstandard with one block that is not compressed (RFC 8878). */
function zstd(data: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(data.length, 5);
  header.writeUIntLE(1 + 8 * data.length, 9, 3);
  return Buffer.concat([header, data]);
}

/** An entry of a container: a program for an architecture, with kernels of these names. */
function entry(arch: number, kernels: readonly string[], pack = zstd): Buffer {
  const data = pack(elf(kernels.map((name) => ({ name: `.text.${name}`, data: Buffer.from(`code of ${arch}`) }))));
  const padded = Buffer.concat([data, Buffer.alloc(-data.length & 7)]);
  const header = Buffer.alloc(64);
  header.writeUInt32LE(64, 4);
  header.writeBigUInt64LE(BigInt(padded.length), 8);
  header.writeUInt32LE(data.length, 16);
  header.writeUInt32LE(arch, 28);
  return Buffer.concat([header, padded]);
}

function container(entries: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(entries);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(0xba55ed50, 0);
  header.writeUInt16LE(16, 6);
  header.writeBigUInt64LE(BigInt(whole.length), 8);
  return Buffer.concat([header, whole]);
}

const provider = (containers: readonly Buffer[]) =>
  elf([
    { name: '.text', data: Buffer.from('on the processor') },
    { name: '.nv_fatbin', data: Buffer.concat(containers.flatMap((one) => [one, Buffer.alloc(8)])) },
  ]);

const forAll = (kernels: readonly string[], pack?: typeof zstd) =>
  [75, 90, 120].map((arch) => entry(arch, kernels, pack));

test('kernels for one architecture stay, byte by byte, and the rest becomes zeros', () => {
  const [add, softmax] = [forAll(['_ZN3AddE']), forAll(['_ZN7SoftmaxE'])];
  const bytes = provider([container(add), container(softmax)]);
  const before = Buffer.from(bytes);
  const found = slimProvider(bytes, 90);
  expect(found).toEqual({
    kept: add[1]!.length + softmax[1]!.length,
    of: [...add, ...softmax].reduce((sum, one) => sum + one.length, 0),
    containers: 2,
  });
  expect(bytes.length).toBe(before.length);
  const only = (entries: readonly Buffer[]) => {
    const one = container([entries[1]!]);
    return Buffer.concat([one, Buffer.alloc(container(entries).length - one.length)]);
  };
  expect(bytes.equals(provider([only(add), only(softmax)]))).toBe(true);
  expect(bytes.indexOf('code of 75')).toBe(-1);
  expect(before.indexOf('code of 75')).toBeGreaterThan(0);
});

test('containers that no graph of crobc uses become empty', () => {
  const used = forAll(['_ZN3AddE']);
  const experts = forAll(['_ZN7cutlass6KernelINS_4gemm6kernel9MoeFCGemmE']);
  const newest = [entry(90, ['_ZN7cutlass13device_kernelE'])];
  const bytes = provider([container(experts), container(newest), container(used)]);
  expect(slimProvider(bytes, 90)).toMatchObject({ kept: used[1]!.length, containers: 1 });
  const empty = (entries: readonly Buffer[]) =>
    Buffer.concat([container([]), Buffer.alloc(entries.reduce((sum, one) => sum + one.length, 0))]);
  const only = container([used[1]!]);
  const rest = Buffer.alloc(container(used).length - only.length);
  expect(bytes.equals(provider([empty(experts), empty(newest), Buffer.concat([only, rest])]))).toBe(true);
});

test('a program whose kernels cannot be read stays', () => {
  const stored = forAll(['_ZN9MoeFCGemmE'], (data) => data);
  expect(slimProvider(provider([container(stored)]), 90)).toMatchObject({ containers: 1 });
});

test('a unit stays if it has one or the other kernel that is not used', () => {
  const casts = ['f16', 'bf16', 'float8'].map((to) => `_ZN4CastIfNS_${to}E`);
  expect(isKept(casts)).toBe(true);
  expect(isKept(casts.slice(2))).toBe(false);
});

test('flash attention stays for the head sizes of the models', () => {
  const flash = (head: number) => [`_ZN5flash16flash_fwd_kernelINS0_23Flash_fwd_kernel_traitsILi${head}ELi128E`];
  expect([32, 64, 96, 128, 256].filter((head) => isKept(flash(head)))).toEqual([32, 64]);
});

test('a provider without kernels for the architecture is an error', () => {
  expect(() => slimProvider(provider([container(forAll(['_ZN3AddE']))]), 103)).toThrow(
    'the provider has no kernels for compute capability 10.3',
  );
  expect(() => slimProvider(elf([{ name: '.text', data: Buffer.alloc(8) }]), 90)).toThrow('has no section .nv_fatbin');
});
