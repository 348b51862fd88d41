// slow: packs and installs

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compileOutside,
  copyOutside,
  drawData,
  type Packed,
  pack,
  runOutside,
  unpackInto,
} from '../../scripts/package-project.mjs';

/** A project outside this repository, in which the packed tarball is installed. */
const folder = mkdtempSync(join(tmpdir(), 'crobc-package-'));
const project = join(folder, 'project');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let packed: Packed;
beforeAll(() => {
  packed = pack(folder);
  copyOutside(project);
  unpackInto(project, packed.tarball, ['onnxruntime-node', '@types/node', 'undici-types']);
});

/** Compilers and a training run here, on whatever machine. */

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

describe('the tarball', () => {
  it('has the code once, and nothing that only this machine has a use for', () => {
    const paths = packed.files.map(({ path }) => path);
    const code = paths.filter(
      (path) => /\.[cm]?[jt]s$/.test(path) && !path.endsWith('.d.ts') && !path.startsWith('examples/'),
    );
    expect(code.filter((path) => !/^dist\/(bin\/[\w-]+\.cjs|api\/\w+\.js)$/.test(path))).toEqual([
      'models/vocab/make-aerial.mjs',
    ]);
    expect(paths.filter((path) => path.includes('compiled'))).toEqual([]);
    // `dist/api/` only loads the bundle.
    for (const { path, size } of packed.files) if (path.startsWith('dist/api/')) expect(size).toBeLessThan(500);
    // A function that is in the code once is in one file.
    const having = (name: string) =>
      code.filter((path) =>
        readFileSync(join(project, 'node_modules/crobc', path), 'utf8').includes(`function ${name}(`),
      );
    for (const name of ['runPipeline', 'emitOnnx', 'decodeSample', 'resolveRecipe'])
      expect(having(name)).toHaveLength(1);
  });

  it('has the fonts of pictures, and the licences of what it contains', () => {
    const read = (name: string) => readFileSync(join(project, 'node_modules/crobc/dist', name), 'utf8');
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith('dist/fonts/')).sort()).toEqual([
      'dist/fonts/Arimo-Bold.ttf',
      'dist/fonts/Arimo-Regular.ttf',
      'dist/fonts/OFL.txt',
    ]);
    expect(read('fonts/OFL.txt')).toContain('SIL OPEN FONT LICENSE Version 1.1');
    for (const name of ['chevrotain', 'commander', 'pdfkit', 'fontkit', 'lodash-es'])
      expect(read('bin/LICENSES.txt')).toContain(`These files hold code of ${name} `);
  });

  it('has types for its entry points, and none of what is inside', () => {
    const types = packed.files
      .map(({ path }) => path)
      .filter((path) => path.endsWith('.d.ts') && !path.startsWith('examples/'));
    expect(types.filter((path) => !/^dist\/types\/(api|grammar)\//.test(path))).toEqual([
      'dist/types/runtime/files/user-error.d.ts',
    ]);
  });

  it('shows what it exports, and nothing else', () => {
    const tried = (name: string) =>
      execFileSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `import(${JSON.stringify(name)}).then((m) => console.log(Object.keys(m).sort().join()), (e) => console.log(e.code))`,
        ],
        { cwd: project, encoding: 'utf8' },
      ).trim();
    expect(tried('crobc')).toBe('UserError,build,check,compile,compileTraining,namedValues,summary,version');
    expect(tried('crobc/grammar')).toBe('format,parse');
    expect(tried('crobc/runtime')).toBe('UserError,evaluate,openSession,openTrained,predict,train');
    expect(tried('crobc/dist/bin/main.cjs')).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
    expect(tried('crobc/dist/api/compiler.js')).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});

describe('without onnxruntime-node, which npm is not asked to install', () => {
  const bare = join(folder, 'bare');
  const crobc = (...args: readonly string[]) => {
    const program = join(bare, 'node_modules/crobc/dist/bin/crobc.cjs');
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: bare, encoding: 'utf8' });
    return { status, stderr };
  };
  beforeAll(() => unpackInto(bare, packed.tarball));

  it('everything works that runs no model', () => {
    expect(crobc('check', 'models/crobim.crob')).toEqual({ status: 0, stderr: '' });
    expect(crobc('summary', 'models/crobim.crob')).toEqual({ status: 0, stderr: '' });
    const built = crobc('build', 'models/crobim.crob', '--model', 'CroBIM_micro', '--no-weights');
    expect(built).toMatchObject({ status: 0 });
    expect(crobc('init', 'ships')).toEqual({ status: 0, stderr: '' });
    expect(crobc('check', 'ships')).toEqual({ status: 0, stderr: '' });
  });

  it('what runs a model says how to install it', () => {
    const opened = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        "import { openSession } from 'crobc/runtime'; await openSession(new Uint8Array(1)).catch((e) => console.log(e.name, e.message));",
      ],
      { cwd: bare, encoding: 'utf8' },
    );
    const { 'onnxruntime-node': wanted } = (
      JSON.parse(readFileSync('package.json', 'utf8')) as { peerDependencies: Record<string, string> }
    ).peerDependencies;
    const advice = `onnxruntime-node is not installed, which runs models: "npm install --ignore-scripts onnxruntime-node@${wanted}" installs it`;
    expect(opened.stdout).toBe(`UserError ${advice}\n`);
    const doctor = crobc('doctor');
    expect(doctor.status).toBe(1);
  });
});

describe('an outside project', () => {
  it('compiles against it, and its program checks, builds, runs, trains, evaluates and predicts', () => {
    // The examples of docs/api.md are programs of it as well.
    const page = readFileSync('docs/api.md', 'utf8');
    const examples = [...page.matchAll(/^```ts\n(import [\s\S]*?)^```$/gm)].map(([, text = '']) => text);
    expect(examples.length).toBeGreaterThanOrEqual(7);
    for (const [i, text] of examples.entries()) writeFileSync(join(project, `src/example-${i}.ts`), text);
    compileOutside(project, 'bundler');
    const program = compileOutside(project, 'nodenext');
    drawData(project);
    expect(runOutside(project, program)).toEqual({
      version,
      kinds: ['model'],
      formatted: 'model Half {\n  input x: f32[N]\n  output y = 0.5 * x\n}\n',
      wrong: [['CROB2001', { line: 3, column: 18 }]],
      shipped: [true, 3],
      ports: [{ name: 'x', dtype: 'f32', shape: ['N'] }],
      files: ['built-model/Half.onnx', 'built-model/Half.manifest.json', 'built-model/Half.ts'],
      y: [0.5, 1, 2.5],
      parameters: 1661462,
      openDims: ['B', 'H', 'W', 'T'],
      trained: [1, 'done', true],
      progress: true,
      samples: 2,
      mask: expect.stringMatching(/^run\/test_\d+\.mask\.png$/),
      size: [expect.any(Number), expect.any(Number)],
      refused: 'cannot read none.crob: no such file or folder',
    });
  });

  it('gets errors of its compiler for what the package does not take', () => {
    const wrong = {
      option: "import { compile } from 'crobc';\ncompile('a.crob', { modle: 'A' });\n",
      model: `import type { CompiledModel } from 'crobc';
import { train } from 'crobc/runtime';
export const f = (model: CompiledModel) => train(model, { data: 'd', out: 'o' });
`,
      inside: "export { main } from 'crobc/dist/bin/main.cjs';\n",
    };
    for (const [name, text] of Object.entries(wrong)) writeFileSync(join(project, `src/${name}.ts`), text);
    let output = '';
    try {
      compileOutside(project, 'nodenext');
    } catch (error) {
      output = (error as Error).message;
    }
    expect(output.split('\n').filter((line) => line.startsWith('src/'))).toEqual([
      expect.stringMatching(/^src\/inside\.ts.*Cannot find module 'crobc\/dist\/bin\/main\.cjs'/),
      expect.stringMatching(/^src\/model\.ts.*'CompiledModel' is not assignable to parameter of type 'TrainableModel'/),
      expect.stringMatching(/^src\/option\.ts.*'modle' does not exist in type 'CompileOptions'/),
    ]);
  });
});
