import { readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { CUDA_PROVIDER, providerFolder, SHARED_PROVIDER, searchCuda } from '../../../runtime/ort/cuda-libraries.ts';
import { unpackProvider } from '../../../runtime/ort/setup-cuda.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { type ZipPart, zipBytes } from '../weights/zip-bytes.ts';
import { elfFile } from './elf-file.ts';

const at = temporaryFolder();
const version = '1.30.0';
const provider = Buffer.from(elfFile(['libcublas.so.13', 'libcudart.so.13']));
const shared = Buffer.from(elfFile([]));

const metadata = (name: string, held: string): ZipPart => ({
  name: `${name}-${held}.dist-info/METADATA`,
  data: Buffer.from(`Name: ${name}\nVersion: ${held}\n`),
});
const library = (name: string, data: Buffer): ZipPart => ({ name: `onnxruntime/capi/${name}`, data, deflate: true });
const right = [
  metadata('onnxruntime_gpu', version),
  library(SHARED_PROVIDER, shared),
  library(CUDA_PROVIDER, provider),
  library('libonnxruntime_providers_tensorrt.so', Buffer.from('not needed')),
];

/** Writes a wheel of these parts and unpacks it into an own folder. */
async function unpack(name: string, parts: readonly ZipPart[] | Buffer, processor = 'x64') {
  const wheel = at(`${name}.whl`);
  await writeFile(wheel, Buffer.isBuffer(parts) ? parts : zipBytes(parts));
  return unpackProvider({ wheel, version, processor, folder: at(`${name}/made/onnxruntime`) });
}

test('the provider of a wheel is written where the search finds it', async () => {
  const environment = { XDG_DATA_HOME: at('data') };
  const wheel = at('right.whl');
  await writeFile(wheel, zipBytes(right));
  const folder = providerFolder({ version, environment });
  expect(folder).toBe(at('data/crobc/onnxruntime-1.30.0'));
  const search = () => searchCuda({ library: at('ort/libonnxruntime.so.1'), version, environment, system: [] });
  expect(search()).toEqual({ found: 'no provider' });
  expect(await unpackProvider({ wheel, version, processor: 'x64', folder })).toEqual([
    { path: `${folder}/${SHARED_PROVIDER}`, bytes: shared.length },
    { path: `${folder}/${CUDA_PROVIDER}`, bytes: provider.length },
  ]);
  expect((await readdir(folder)).sort()).toEqual([CUDA_PROVIDER, SHARED_PROVIDER]);
  expect(await readFile(`${folder}/${CUDA_PROVIDER}`)).toEqual(provider);
  expect(search()).toEqual({
    found: 'provider',
    provider: `${folder}/${CUDA_PROVIDER}`,
    cuda: 13,
    libraries: [],
    missing: ['libcudart.so.13', 'libcublas.so.13', 'libcudnn.so.9'],
  });
});

test('without XDG_DATA_HOME, the folder is below the home folder', () => {
  expect(providerFolder({ version, environment: { HOME: '/home/one', XDG_DATA_HOME: '' } })).toBe(
    '/home/one/.local/share/crobc/onnxruntime-1.30.0',
  );
});

describe('a wheel is refused, and nothing is written, if', () => {
  const without = (name: string) => right.filter((part) => !part.name.endsWith(name));
  const cases: readonly [string, readonly ZipPart[] | Buffer, string][] = [
    [
      'older',
      [metadata('onnxruntime_gpu', '1.29.0'), ...right.slice(1)],
      'older.whl is onnxruntime-gpu 1.29.0, and crobc runs onnxruntime 1.30.0, which takes no other: "pip download --no-deps onnxruntime-gpu==1.30.0" gets it',
    ],
    [
      'for-the-cpu',
      [metadata('onnxruntime', version), ...right.slice(1)],
      'for-the-cpu.whl is a wheel of onnxruntime, not of onnxruntime-gpu',
    ],
    ['no-wheel', right.slice(1), 'no-wheel.whl is not a wheel: it has no .dist-info/METADATA'],
    [
      'of-windows',
      without(CUDA_PROVIDER),
      `of-windows.whl has no onnxruntime/capi/${CUDA_PROVIDER}: it is for another system than Linux`,
    ],
    [
      'of-arm',
      [...without(CUDA_PROVIDER), library(CUDA_PROVIDER, Buffer.from(elfFile([], 183)))],
      'of-arm.whl is for arm64, and this machine is x64',
    ],
    [
      'no-library',
      [...without(SHARED_PROVIDER), library(SHARED_PROVIDER, Buffer.from('MZ'))],
      `no-library.whl: onnxruntime/capi/${SHARED_PROVIDER} (2 B) is not a library of Linux`,
    ],
    [
      'damaged',
      [...without(CUDA_PROVIDER), { ...library(CUDA_PROVIDER, provider), crc: 1 }],
      `damaged.whl: the checksum of "onnxruntime/capi/${CUDA_PROVIDER}" in it is wrong: the file is damaged`,
    ],
    [
      'short',
      zipBytes(right).subarray(0, 500),
      'short.whl: its zip directory is missing: the file is truncated or damaged',
    ],
  ];

  test.each(cases)('%s', async (name, parts, message) => {
    await expect(unpack(name, parts)).rejects.toThrow(at(message));
    expect(await readdir(at(`${name}/made/onnxruntime`)).catch(() => [])).toEqual([]);
  });

  test('it is not there', async () => {
    const wheel = at('nowhere.whl');
    const folder = at('nowhere');
    await expect(unpackProvider({ wheel, version, processor: 'x64', folder })).rejects.toThrow(/nowhere\.whl/);
  });
});
