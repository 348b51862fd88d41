import { mkdir, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type CudaSearch, cudaAdvice, searchCuda } from '../../../runtime/ort/cuda-libraries.ts';
import { carryOut, planCuda } from '../../../runtime/ort/ready-cuda.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { elfFile } from './elf-file.ts';

const at = temporaryFolder();
/** What a provider is linked with. It opens cuDNN by its name. */
const needs13 = ['libcublasLt.so.13', 'libcublas.so.13', 'libcurand.so.10', 'libcufft.so.12', 'libcudart.so.13'];

beforeEach(async () => {
  await rm(at('tree'), { recursive: true, force: true });
});

async function file(path: string, bytes: Uint8Array = new Uint8Array(0)): Promise<void> {
  await mkdir(dirname(at(`tree/${path}`)), { recursive: true });
  await writeFile(at(`tree/${path}`), bytes);
}

const provider = (...needed: readonly string[]) => elfFile(['libonnxruntime.so.1', ...needed, 'libc.so.6']);

function search(environment: Readonly<Record<string, string>> = {}): CudaSearch {
  return searchCuda({
    library: at('tree/ort/libonnxruntime.so.1'),
    version: '1.30.0',
    environment,
    system: [at('tree/system')],
  });
}

describe('the provider', () => {
  test('is nowhere', () => {
    const found = search();
    expect(found).toEqual({ found: 'no provider' });
    expect(cudaAdvice(found, undefined)).toMatch(/"pip install 'onnxruntime-gpu\[cuda,cudnn\]==1\.30\.0'"/);
  });

  test('is beside onnxruntime, and built for the CUDA whose libraries it needs', async () => {
    await file('ort/libonnxruntime_providers_cuda.so', provider('libcublas.so.12', 'libcudart.so.12', 'libcudnn.so.9'));
    expect(search()).toEqual({
      found: 'provider',
      provider: at('tree/ort/libonnxruntime_providers_cuda.so'),
      cuda: 12,
      libraries: [],
      missing: ['libcudart.so.12', 'libcublas.so.12', 'libcudnn.so.9'],
    });
  });

  test('is in a wheel of the same version, not of another', async () => {
    const packages = 'venv/lib/python3.12/site-packages';
    await file(`${packages}/onnxruntime/capi/libonnxruntime_providers_cuda.so`, provider(...needs13));
    await file(`${packages}/onnxruntime_gpu-1.29.0.dist-info/METADATA`);
    const found = search({ VIRTUAL_ENV: at('tree/venv') });
    const other = { version: '1.29.0', packages: at(`tree/${packages}`) };
    expect(found).toEqual({ found: 'no provider', other });
    expect(cudaAdvice(found, undefined)).toBe(
      `the provider of onnxruntime-gpu 1.29.0 in ${other.packages} is of another version: "pip install 'onnxruntime-gpu[cuda,cudnn]==1.30.0'" replaces it`,
    );
    await file(`${packages}/onnxruntime_gpu-1.30.0.dist-info/METADATA`);
    expect(search()).toEqual({ found: 'no provider' });
    for (const environment of [{ VIRTUAL_ENV: at('tree/venv') }, { CONDA_PREFIX: at('tree/venv') }])
      expect(search(environment)).toMatchObject({ found: 'provider', cuda: 13 });
  });

  test('is no library', async () => {
    await file('ort/libonnxruntime_providers_cuda.so', Buffer.from('hello'));
    expect(search()).toMatchObject({ cuda: undefined, libraries: [], missing: [] });
    expect(cudaAdvice(search(), undefined)).toBe(
      `${at('tree/ort/libonnxruntime_providers_cuda.so')} is not a library of CUDA's provider: "crobc setup cuda --wheel FILE" unpacks another`,
    );
  });
});

describe('NVIDIA’s libraries', () => {
  beforeEach(() => file('ort/libonnxruntime_providers_cuda.so', provider(...needs13)));

  test('are found in LD_LIBRARY_PATH, then in packages of Python, then in the system, those first that others need', async () => {
    for (const name of [...needs13, 'libcudnn.so.9']) await file(`system/${name}`);
    await file('home/.local/lib/python3.11/site-packages/nvidia/cu13/lib/libcublas.so.13');
    await file('home/.local/lib/python3.11/site-packages/nvidia/cu13/lib/libcudart.so.13');
    await file('own/libcudart.so.13');
    const packages = at('tree/home/.local/lib/python3.11/site-packages/nvidia/cu13/lib');
    expect(search({ HOME: at('tree/home'), LD_LIBRARY_PATH: `${at('tree/none')}:${at('tree/own')}` })).toMatchObject({
      libraries: [
        at('tree/own/libcudart.so.13'),
        at('tree/system/libcublasLt.so.13'),
        `${packages}/libcublas.so.13`,
        at('tree/system/libcurand.so.10'),
        at('tree/system/libcufft.so.12'),
        at('tree/system/libcudnn.so.9'),
      ],
      missing: [],
    });
    expect(cudaAdvice(search(), undefined)).toMatch(/the NVIDIA driver may be too old/);
    expect(cudaAdvice(search(), 'koffi is not installed')).toMatch(/through koffi: koffi is not installed$/);
  });

  test('that are opened by their names are found as well: cuDNN, and the compiler of its kernels if it is there', async () => {
    for (const name of needs13) await file(`system/${name}`);
    expect(search()).toMatchObject({ missing: ['libcudnn.so.9'] });
    const packages = 'venv/lib/python3.12/site-packages/nvidia';
    await file(`${packages}/cudnn/lib/libcudnn.so.9`);
    await file(`${packages}/cu13/lib/libnvrtc.so.13`);
    const found = search({ VIRTUAL_ENV: at('tree/venv') });
    expect(found).toMatchObject({ missing: [] });
    expect(found).toMatchObject({
      libraries: [
        at('tree/system/libcudart.so.13'),
        at(`tree/${packages}/cu13/lib/libnvrtc.so.13`),
        at('tree/system/libcublasLt.so.13'),
        at('tree/system/libcublas.so.13'),
        at('tree/system/libcurand.so.10'),
        at('tree/system/libcufft.so.12'),
        at(`tree/${packages}/cudnn/lib/libcudnn.so.9`),
      ],
    });
  });

  test('that are missing are named, with the command that installs them', async () => {
    for (const name of needs13.slice(0, 4)) await file(`system/${name}`);
    expect(cudaAdvice(search(), undefined)).toBe(
      'the provider is for CUDA 13 and lacks libcudart.so.13 (and libcudnn.so.9): "pip install nvidia-cuda-runtime nvidia-cudnn-cu13" installs it',
    );
  });

  test('of CUDA 12 are in packages with the version in their names', async () => {
    await file('ort/libonnxruntime_providers_cuda.so', provider('libcublasLt.so.12', 'libcublas.so.12'));
    expect(cudaAdvice(search(), undefined)).toBe(
      'the provider is for CUDA 12 and lacks libcublasLt.so.12 (and libcublas.so.12, libcudnn.so.9): "pip install nvidia-cublas-cu12 nvidia-cudnn-cu12" installs it',
    );
  });
});

describe('the plan', () => {
  const plan = (environment: Readonly<Record<string, string>> = {}) =>
    planCuda({
      library: at('tree/ort/libonnxruntime.so.1'),
      version: '1.30.0',
      environment,
      system: [at('tree/system')],
      links: at('tree/cache/links'),
    });

  test('without a provider is to do nothing', () => {
    const library = at('tree/ort/libonnxruntime.so.1');
    expect(plan()).toEqual({ search: { found: 'no provider' }, load: [], links: new Map(), library });
  });

  test('with the provider beside onnxruntime is to load NVIDIA’s libraries', async () => {
    await file('ort/libonnxruntime_providers_cuda.so', provider('libcublas.so.12', 'libcudart.so.12'));
    await file('system/libcublas.so.12');
    await file('system/libcudart.so.12');
    expect(plan()).toMatchObject({
      load: [at('tree/system/libcudart.so.12'), at('tree/system/libcublas.so.12')],
      links: new Map(),
      library: at('tree/ort/libonnxruntime.so.1'),
    });
  });

  test('with the provider of a wheel is to load onnxruntime from where both are linked', async () => {
    const packages = 'venv/lib/python3.12/site-packages';
    const capi = `${packages}/onnxruntime/capi`;
    await file('ort/libonnxruntime.so.1');
    await file(`${capi}/libonnxruntime_providers_cuda.so`, provider('libcudart.so.13'));
    await file(`${capi}/libonnxruntime_providers_shared.so`);
    await file(`${packages}/onnxruntime_gpu-1.30.0.dist-info/METADATA`);
    await file(`${packages}/nvidia/cu13/lib/libcudart.so.13`);
    const found = plan({ VIRTUAL_ENV: at('tree/venv') });
    const linked = at('tree/cache/links/libonnxruntime.so.1');
    const load = [at(`tree/${packages}/nvidia/cu13/lib/libcudart.so.13`), linked];
    expect(found).toMatchObject({ load, library: linked });
    // Of an earlier environment.
    await mkdir(at('tree/cache/links'), { recursive: true });
    await symlink('/nowhere', at('tree/cache/links/libonnxruntime_providers_cuda.so'));
    const loaded: string[] = [];
    for (let turn = 0; turn < 2; turn++)
      carryOut(found, (path) => {
        loaded.push(path);
        throw new Error('no GPU here');
      });
    expect(loaded).toEqual([...load, ...load]);
    const links = ['libonnxruntime.so.1', 'libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so'];
    expect((await readdir(at('tree/cache/links'))).sort()).toEqual(links);
    expect(await readlink(linked)).toBe(at('tree/ort/libonnxruntime.so.1'));
    for (const name of links.slice(1))
      expect(await readlink(at(`tree/cache/links/${name}`))).toBe(at(`tree/${capi}/${name}`));
  });
});
