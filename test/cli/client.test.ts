// slow: builds and compiles a client

import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import ts from 'typescript';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { strictTypeScript } from '../strict-typescript.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

/** What a user writes against the client; exported so that the test can run it, too. */
const program = `
import { type CroBIM_micro, type CroBIM_microInputs, load } from './CroBIM_micro.js';

export async function run(size: number): Promise<Float32Array> {
  const model: CroBIM_micro = await load();
  const inputs: CroBIM_microInputs = {
    image: { data: new Float32Array(3 * size * size).fill(0.5), dims: [1, 3, size, size] },
    tokens: { data: BigInt64Array.of(2n, 100n, 3n, 0n), dims: [1, 4] },
    mask: Uint8Array.of(1, 1, 1, 0),
  };
  const { logits } = await model.run(inputs);
  await model.dispose();
  // @ts-expect-error: the model has no such output
  type _ = Awaited<ReturnType<CroBIM_micro['run']>>['masks'];
  return logits.data;
}
`;

interface Program {
  run(size: number): Promise<Float32Array>;
}

beforeAll(async () => {
  folder = at('client');
  await mkdir(folder);
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  const { code, err } = await crobc(['build', 'models/crobim.crob', '-m', 'CroBIM_micro', '-o', folder]);
  expect(code, err).toBe(0);
  await writeFile(join(folder, 'program.ts'), program);
});

test('the client of CroBIM_micro compiles under strict rules and runs the model', async () => {
  const compiled = ts.createProgram([join(folder, 'program.ts')], strictTypeScript);
  const { diagnostics } = compiled.emit();
  const said = [...ts.getPreEmitDiagnostics(compiled), ...diagnostics];
  expect(said.map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'))).toEqual([]);

  const { run } = (await import(pathToFileURL(join(folder, 'program.js')).href)) as Program;
  const logits = await run(64);
  expect(logits).toHaveLength(64 * 64);

  // The same through onnxruntime itself.
  const session = await InferenceSession.create(join(folder, 'CroBIM_micro.onnx'));
  const direct = await session.run({
    image: new Tensor('float32', new Float32Array(3 * 64 * 64).fill(0.5), [1, 3, 64, 64]),
    tokens: new Tensor('int64', BigInt64Array.of(2n, 100n, 3n, 0n), [1, 4]),
    mask: new Tensor('bool', Uint8Array.of(1, 1, 1, 0), [1, 4]),
  });
  expect(logits).toEqual((direct.logits as Tensor).data);
  expect(new Set(logits).size).toBeGreaterThan(1);

  // The guards of the source hold on the host, before anything runs.
  await expect(run(72)).rejects.toThrow('H is 72: must be a multiple of 32');
});

test('the manifest has the same guards as the client, for a host of another language', async () => {
  const { guards } = JSON.parse(await readFile(join(folder, 'CroBIM_micro.manifest.json'), 'utf8')) as {
    guards: { condition: string; left: string; relation: string; right: string; remainder?: number }[];
  };
  expect(guards.map(({ condition }) => condition)).toEqual(['H % 32 == 0', 'W % 32 == 0', 'T <= 64', '4 <= H*W/1024']);
  const holds = new Function('H', 'W', 'T', `return ${guards.map(({ condition }) => `(${condition})`).join(' && ')}`);
  const parts = guards.map(({ left, relation, right, remainder }) =>
    relation === '%' ? `(${left}) % ${right} == ${remainder}` : `${left} ${relation} ${right}`,
  );
  const partsHold = new Function('H', 'W', 'T', `return ${parts.map((part) => `(${part})`).join(' && ')}`);
  const { dimsOf } = await import(pathToFileURL(join(folder, 'CroBIM_micro.js')).href);
  let refused = 0;
  for (const H of [32, 48, 64, 96])
    for (const W of [31, 32, 64])
      for (const T of [1, 64, 65]) {
        const shape = (...dims: number[]) => ({ data: [], dims });
        const inputs = { image: shape(1, 3, H, W), tokens: shape(1, T), mask: shape(1, T) };
        const accepted = (() => {
          try {
            return Boolean(dimsOf(inputs));
          } catch {
            return false;
          }
        })();
        expect([H, W, T, holds(H, W, T), partsHold(H, W, T)]).toEqual([H, W, T, accepted, accepted]);
        if (!accepted) refused++;
      }
  expect(refused).toBe(32);
});
