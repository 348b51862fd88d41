import { mkdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { examine } from '../../runtime/doctor.ts';
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
