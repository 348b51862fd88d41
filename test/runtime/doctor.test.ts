import { mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { examine, tryPyTorch } from '../../runtime/doctor.ts';
import { surroundings, within } from '../../runtime/process/surroundings.ts';
import { wholeReport, writeFakePython } from '../cli/fake-python.ts';
import { temporaryFolder } from './temporary-folder.ts';

const at = temporaryFolder();

test('the CPU path works here, and what is absent says what to do', async () => {
  const { works, findings } = await examine(at('.'));
  const by = new Map(findings.map((finding) => [finding.name, finding]));
  for (const name of ['machine', 'Node.js', 'crobc', 'onnxruntime cpu', 'sharp'])
    expect(by.get(name)).toMatchObject({ state: 'works' });
  expect(works).toBe(true);
  expect(by.get('onnxruntime cpu')?.detail).toBe('1.30.0');
  expect(by.get('koffi')).toMatchObject({ state: 'works', detail: '3.3.4' });
  expect(by.get('@tensorflow/tfjs-node')).toMatchObject({ state: 'absent', detail: 'not installed' });
  for (const { name, state, detail, advice } of findings) {
    expect(detail).not.toContain('\n');
    expect({ name, advised: advice !== undefined }).toEqual({ name, advised: state !== 'works' });
  }
});

test('a package that does not load, or takes the process down, is broken and says how', async () => {
  const install = async (name: string, code: string) => {
    await mkdir(at(`node_modules/${name}`), { recursive: true });
    await writeFile(
      at(`node_modules/${name}/package.json`),
      JSON.stringify({ name, version: '9.8.7', main: 'index.js' }),
    );
    await writeFile(at(`node_modules/${name}/index.js`), code);
  };
  await install('@tensorflow/tfjs-node', "throw new Error('libtensorflow.so.2: cannot open shared object file');");
  await install('@tensorflow/tfjs-node-gpu', 'process.abort();');
  const { works, findings } = await examine(at('.'));
  const by = new Map(findings.map((finding) => [finding.name, finding]));
  expect(by.get('@tensorflow/tfjs-node')).toMatchObject({
    state: 'broken',
    detail: '9.8.7: Error: libtensorflow.so.2: cannot open shared object file',
  });
  expect(by.get('@tensorflow/tfjs-node-gpu')).toMatchObject({
    state: 'broken',
    detail: '9.8.7: the process ended with SIGABRT',
  });
  // crobc's own.
  expect(by.get('@tensorflow/tfjs-backend-wasm')).toMatchObject({ state: 'works', detail: '4.22.0' });
  expect(works).toBe(true);
});

describe('PyTorch', () => {
  /** What is found of PyTorch where CROBC_PYTHON, or else the PATH, names a program. */
  const found = (environment: Readonly<Record<string, string>>) =>
    within({ ...surroundings(), environment }, tryPyTorch);

  test('is found on the PATH, with its devices', async () => {
    await mkdir(at('bin'));
    await writeFakePython(at('bin/python3'), '', { ...wholeReport, devices: ['NVIDIA A100', 'NVIDIA A100'] });
    expect(await found({ PATH: at('bin') })).toEqual({
      name: 'PyTorch',
      state: 'works',
      detail: '2.13.0 in python3 (Python 3.11.7), NVIDIA A100, NVIDIA A100',
      advice: undefined,
    });
  });

  test('is absent where Python has none, and where there is no Python', async () => {
    await mkdir(at('bare'));
    await writeFakePython(at('bare/python3'), '', { ...wholeReport, packages: { numpy: '2.4.6' } });
    const bare = await found({ PATH: at('bare') });
    expect(bare).toMatchObject({ state: 'absent' });
    expect(bare.detail).toBe(
      'python3, Python 3.11.7: it has no torch, safetensors, pillow; python: there is no such program',
    );
    expect(bare.advice).toContain('"python3 -m pip install torch safetensors pillow"');
    const none = await found({ PATH: at('nowhere') });
    expect(none).toMatchObject({
      state: 'absent',
      detail: expect.stringContaining('python3: there is no such program'),
    });
    expect(none.advice).toContain('Install Python 3.10 or later with PyTorch');
  });

  test('is broken where it does not load, and where CROBC_PYTHON is no Python', async () => {
    const faults = { torch: 'libcudart.so.13: cannot open shared object file' };
    await writeFakePython(at('broken'), '', {
      ...wholeReport,
      packages: { ...wholeReport.packages, torch: null },
      faults,
    });
    const broken = await found({ CROBC_PYTHON: at('broken') });
    expect(broken).toMatchObject({ state: 'broken' });
    expect(broken.detail).toBe(
      `${at('broken')} (CROBC_PYTHON), Python 3.11.7: torch does not load (libcudart.so.13: cannot open shared object file)`,
    );
    await writeFile(at('text'), 'no program');
    expect(await found({ CROBC_PYTHON: at('text') })).toMatchObject({
      state: 'broken',
      detail: `${at('text')} (CROBC_PYTHON): it is not a program`,
    });
    expect(await found({ CROBC_PYTHON: process.execPath })).toMatchObject({ state: 'broken' });
  });
});
