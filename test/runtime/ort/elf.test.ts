import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { neededLibraries } from '../../../runtime/ort/elf.ts';
import { onnxRuntimeLibrary } from '../../../runtime/ort/library-path.ts';
import { elfFile } from './elf-file.ts';

const within = (bytes: Uint8Array) => (offset: number, length: number) => bytes.subarray(offset, offset + length);

test('the libraries that a file of known bytes needs', () => {
  const names = ['libcublasLt.so.13', 'libc.so.6', 'libcudnn.so.9'];
  expect(neededLibraries(within(elfFile(names)))).toEqual(names);
  expect(neededLibraries(within(elfFile([])))).toEqual([]);
});

test.runIf(process.platform === 'linux')('those of onnxruntime, as ldd lists them', () => {
  const path = onnxRuntimeLibrary()!.path;
  const needed = neededLibraries(within(readFileSync(path)))!;
  expect(needed).toContain('libc.so.6');
  const listed = execFileSync('ldd', [path], { encoding: 'utf8' });
  for (const name of needed) expect(listed).toContain(name);
});

test('what is no such file, or a part of one, has none', () => {
  expect(neededLibraries(within(Buffer.from('hello')))).toBe(undefined);
  expect(neededLibraries(within(new Uint8Array(0)))).toBe(undefined);
  const whole = elfFile(['libcudart.so.12']);
  const big = whole.slice();
  big[5] = 2;
  expect(neededLibraries(within(big))).toBe(undefined);
  for (let length = 0; length < whole.length; length++)
    expect(neededLibraries(within(whole.subarray(0, length)))).toBe(undefined);
});

test('damaged files give names or nothing, at once', () => {
  const random = seededRandom(11);
  const whole = elfFile(['libcudart.so.12', 'libcufft.so.11']);
  for (let i = 0; i < 20_000; i++) {
    const bytes = whole.slice();
    for (let n = 0; n <= i % 3; n++) bytes[Math.floor(random.real() * bytes.length)] = Math.floor(random.real() * 256);
    const found = neededLibraries(within(bytes));
    expect(found === undefined || found.every((name) => name.length < 256)).toBe(true);
  }
});
