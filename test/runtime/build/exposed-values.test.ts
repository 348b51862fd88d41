// slow: builds CroBIM_micro

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { build, compile, namedValues, UserError } from '../../../api/compiler.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { exposing, selectedValues } from '../../../runtime/build/exposed-values.ts';
import { compileFrom, requireModel } from '../../../runtime/build/source-model.ts';
import { diskHost } from '../../../runtime/files/source-host.ts';
import { drawnValues, pathsOf as pathsOfDrawn } from '../../../runtime/predict/attention/drawn-values.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { initialWeights } from '../../../runtime/weights/initialise.ts';
import { expectClose } from '../../emit/onnx/closeness.ts';
import { runOnnx } from '../../emit/onnx/session.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const options = { model: 'CroBIM_micro', dims: new Map<string, number>(), overrides: [] };
const compiled = requireModel(compileFrom(diskHost(), 'models/crobim.crob', options), { ...options, via: undefined });
const pathsOf = (...patterns: string[]) => selectedValues(compiled, patterns).map(({ path }) => path);

const [side, words] = [64, 6];
const feeds = new Map([
  [
    'image',
    tensor(
      'f32',
      [1, 3, side, side],
      Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i / 7)),
    ),
  ],
  ['tokens', tensor('i64', [1, words], [2, 100, 45, 7, 3, 0])],
  ['mask', tensor('bool', [1, words], [1, 1, 1, 1, 1, 0])],
]);

test('in onnxruntime, exposed values are those of the reference interpreter, and the logits are as before', async () => {
  const patterns = ['*.attention', 'lgfa.compensation.deficit', 'refined', 'mid.layer[1].words', 'words'];
  const { graph } = exposing(compiled, patterns);
  expect(graph.outputs).toHaveLength(1 + 11 + 1 + 4 + 1 + 1);
  const source = initialWeights(weightsOf(graph), 0);
  const emit = (one: typeof graph) => emitOnnx(runPipeline(one), { producerVersion: 'test' });
  const found = await runOnnx(emit(graph), feeds, source);
  const plain = await runOnnx(emit(compiled.graph), feeds, initialWeights(weightsOf(compiled.graph), 0));
  const held = new Map<string, Float32Array>();
  for (const { path } of weightsOf(graph)) held.set(path, await source.read(path));
  const wanted = interpret(graph, feeds, (path, shape) => tensor('f32', shape, held.get(path)!));
  expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [name, value] of wanted) expectClose(name, found.get(name)!, value, 1e-4);
  expectClose('logits', found.get('logits')!, plain.get('logits')!, 1e-5);
  // A row of attention over words sums to 1, and padding has no share of it.
  const attention = found.get('lgfa.stage[0].attention')!;
  const columns = words + 4;
  for (let row = 0; row < attention.data.length; row += columns) {
    const shares = Array.from(attention.data.slice(row, row + columns));
    expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(shares[words - 1]).toBeLessThan(1e-6);
  }
});

test('the API lists named values, and builds with them as outputs', async () => {
  const made = compile('models/crobim.crob', { model: 'CroBIM_micro' });
  if (!made.ok) throw new Error('the source is wrong');
  const stages = namedValues(made.model).filter(({ name }) => /^lgfa\.stage\[\d\]\.attention$/.test(name));
  expect(stages[1]).toEqual({ name: 'lgfa.stage[1].attention', dtype: 'f32', shape: ['B', 1, 'H*W/64', 'T + 4'] });
  const given = { out: at('api'), writeWeights: false, client: false };
  const { files, hash } = await build(made.model, { ...given, expose: ['lgfa.stage[*].attention'] });
  const manifest = JSON.parse(await readFile(files.find(({ path }) => path.endsWith('.manifest.json'))!.path, 'utf8'));
  expect(manifest.outputs.slice(1)).toMatchObject(stages.map(({ name }) => ({ name })));
  expect(hash).not.toBe(made.model.hash);
  await expect(build(made.model, { ...given, expose: ['lgfa.nothing'] })).rejects.toThrow(UserError);
});

test('patterns select by *, [*], lists and results of parts', () => {
  expect(pathsOf('lgfa.stage[*].attention')).toEqual([0, 1, 2, 3].map((i) => `lgfa.stage[${i}].attention`));
  expect(pathsOf('refined')).toEqual([0, 1, 2, 3].map((i) => `refined[${i}]`));
  expect(pathsOf('refined[2]')).toEqual(['refined[2]']);
  expect(pathsOf('lgfa.stage[0]')).toEqual(['lgfa.stage[0].map', 'lgfa.stage[0].score']);
  expect(pathsOf('mid.layer[*].read_words')).toEqual(['mid.layer[0].read_words', 'mid.layer[1].read_words']);
  expect(pathsOf('words', 'words', 'prompt')).toEqual(['capm', 'prompt', 'words'].filter((path) => path !== 'capm'));
  const all = selectedValues(compiled, ['*']);
  expect(all).toHaveLength(compiled.namedValues().length);
  expect(new Set(all.map(({ path }) => path)).size).toBe(all.length);
});

test.each([
  ['crobim', 'CroBIM_micro', 9],
  ['rivals/lavt', 'LAVT_micro', 4],
  ['rivals/rmsin', 'RMSIN_micro', 4],
  ['rivals/caris', 'CARIS_micro', 2],
])('the attention of %s.crob can be drawn', (file, model, least) => {
  const sized = { ...options, model };
  const made = requireModel(compileFrom(diskHost(), `models/${file}.crob`, sized), { ...sized, via: undefined });
  const drawn = drawnValues(made, undefined);
  expect(drawn.length).toBeGreaterThanOrEqual(least);
  expect(made.exposing(pathsOfDrawn(drawn)).outputs.length).toBeGreaterThan(drawn.length);
});

test.each([
  ['lgfa.stages[0]', 'lgfa.stage[*]'],
  ['lgfa.stage[9].attention', 'lgfa.stage[*].attention'],
  ['mid.layer[0].atention', 'mid.layer[*].'],
  ['attention', 'lgfa.stage[*].attention'],
  ['lgfa.*.atention', 'lgfa.stage[*].attention'],
  ['*.deficits', 'lgfa.compensation.deficit'],
])('%s selects nothing, and what is near it is named', (pattern, near) => {
  expect(() => pathsOf('words', pattern)).toThrow(`CroBIM_micro has no value ${pattern}; near it are `);
  expect(() => pathsOf(pattern)).toThrow(near);
});
