import { writeFile } from 'node:fs/promises';
import onnxProto from 'onnx-proto';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { encodeOnnx } from '../../../runtime/onnx/onnx-file.ts';
import { openNativeSession } from '../../../runtime/ort/native-session.ts';
import { chooseDevice, openSession, RunFailure, type Session, TINY_MODEL } from '../../../runtime/ort/session.ts';
import { memoryHost } from '../../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { squareModel } from './c-api/models.ts';

const at = temporaryFolder();
const { ModelProto } = onnxProto.onnx;

/** A model of one node a type: y = Identity(x) for [N] of each element type. */
function identities(types: Readonly<Record<string, number>>): Uint8Array {
  const port = (name: string, elemType: number) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: [{ dimParam: 'N' }] } } },
  });
  const names = Object.entries(types);
  return ModelProto.encode(
    ModelProto.create({
      irVersion: 8,
      opsetImport: [{ domain: '', version: 17 }],
      graph: {
        name: 'identities',
        node: names.map(([name]) => ({ opType: 'Identity', input: [`x_${name}`], output: [`y_${name}`] })),
        input: names.map(([name, type]) => port(`x_${name}`, type)),
        output: names.map(([name, type]) => port(`y_${name}`, type)),
      },
    }),
  ).finish();
}

/** Ways to open a model: as users do, without koffi, and what is done for CUDA, made on the CPU. */
const ways: readonly (readonly [name: string, open: (...args: Parameters<typeof openSession>) => Promise<Session>])[] =
  [
    ['the C API', (model, options) => openSession(model, options)],
    ['onnxruntime-node', (model, options) => openSession(model, options, async () => ({ missing: 'no koffi' }))],
    [
      'the C API with captured runs',
      (model, options) =>
        openSession(model, options, (one, settings) =>
          openNativeSession(one, settings, { device: 'cpu', staged: true, firstRuns: 3 }),
        ),
    ],
  ];

const tiny = Buffer.from(TINY_MODEL, 'base64');
const x = { dtype: 'f32', shape: [2], data: Float32Array.of(1, 2) } as const;

test.each(ways)('%s: a type that crobc does not use is refused with the name of the file', async (_, open) => {
  const file = at('int8.onnx');
  await writeFile(file, identities({ i8: 3 }));
  await expect(open(file, { device: 'cpu' })).rejects.toThrow(
    new UserError(`${file} has a tensor of type int8, which crobc does not use`),
  );
});

describe.each(ways)('a session of %s', (_, open) => {
  test('from bytes and from a path', async () => {
    await writeFile(at('tiny.onnx'), tiny);
    for (const model of [tiny, at('tiny.onnx')]) {
      const session = await open(model, { device: 'cpu', threads: 1 });
      expect(session).toMatchObject({ device: 'cpu', note: undefined });
      expect(session.inputs).toEqual([{ name: 'x', dtype: 'f32', shape: ['N'] }]);
      for (let i = 0; i < 3; i++)
        expect(await session.run({ x })).toEqual({ y: { dtype: 'f32', shape: [2], data: Float32Array.of(2, 4) } });
      await session.release();
    }
  });

  test('every dtype goes in and comes out', async () => {
    const session = await open(identities({ f32: 1, u8: 2, i32: 6, i64: 7, bool: 9, f16: 10 }), {
      device: 'cpu',
    });
    const feeds = {
      x_f32: { dtype: 'f32', shape: [2], data: Float32Array.of(0.5, -1) },
      x_u8: { dtype: 'u8', shape: [2], data: Uint8Array.of(0, 255) },
      x_i32: { dtype: 'i32', shape: [2], data: Int32Array.of(-5, 2 ** 30) },
      x_i64: { dtype: 'i64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 40n) },
      x_bool: { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) },
      x_f16: { dtype: 'f16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) },
    } as const;
    for (let i = 0; i < 3; i++) {
      const results = await session.run(feeds);
      for (const [name, tensor] of Object.entries(feeds)) expect(results[name.replace('x', 'y')]).toEqual(tensor);
    }
    expect(Object.keys(await session.run(feeds, { wanted: ['y_i32'] }))).toEqual(['y_i32']);
    await session.release();
  });

  test('an output goes into a buffer that is given, also an input’s own', async () => {
    const session = await open(tiny, { device: 'cpu' });
    const own = { dtype: 'f32', shape: [2], data: Float32Array.of(3, 4) } as const;
    await session.run({ x: own }, { into: { y: own } });
    expect([...own.data]).toEqual([6, 8]);
    await session.release();
  });

  test('runs that are started at once', async () => {
    const session = await open(tiny, { device: 'cpu' });
    const results = await Promise.all(
      [1, 2, 3].map((n) => session.run({ x: { dtype: 'f32', shape: [1], data: Float32Array.of(n) } })),
    );
    expect(results.map(({ y }) => y!.data[0])).toEqual([2, 4, 6]);
    await session.release();
  });

  test('bound buffers', async () => {
    const session = await open(
      await squareModel(2, ['a', 'b'], {
        sum: (build, a, b) => build.add(a!, b!),
        twice: (build, a) => build.add(a!, a!),
      }),
      { device: 'cpu' },
    );
    const matrix = (...elements: number[]) =>
      ({ dtype: 'f32', shape: [2, 2], data: Float32Array.from(elements) }) as const;
    const [a, sum] = [matrix(1, 2, 3, 4), matrix(0, 0, 0, 0)];
    const run = session.prepare({ feeds: { a }, into: { sum } });
    for (const n of [1, 2, 3, 4]) {
      a.data[0] = n;
      await run({ b: matrix(1, 0, 0, n) });
      expect(sum).toEqual(matrix(n + 1, 2, 3, 4 + n));
    }
    await expect(run({ b: { ...a, shape: [4] } })).rejects.toThrow(RunFailure);
    await run({ b: matrix(0, 0, 0, 0) });
    expect(sum).toEqual(a);
    await session.release();
  });

  test('inputs that do not fit are one line', async () => {
    const session = await open(tiny, { device: 'cpu' });
    for (const feeds of [
      {},
      { x: { ...x, shape: [1, 2] } },
      { x: { dtype: 'i32' as const, shape: [1], data: Int32Array.of(1) } },
    ]) {
      const error = await session.run(feeds).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(RunFailure);
      expect((error as Error).message).toMatch(/^the model cannot run with these inputs: [^\n]+$/);
    }
    await session.release();
  });
});

test('arrays for feeds are only where runs copy them, and are fed like others', async () => {
  const arrays: boolean[] = [];
  for (const [, open] of ways) {
    const session = await open(tiny, { device: 'cpu' });
    arrays.push(session.arrays !== undefined);
    for (let n = 0; n < 3; n++) {
      const fed = session.arrays?.take({ dtype: 'f32', shape: [2] });
      (fed?.data as Float32Array | undefined)?.set([n, 2]);
      if (fed) expect((await session.run({ x: fed })).y!.data).toEqual(Float32Array.of(2 * n, 4));
      session.arrays?.giveBack(fed ? [fed] : []);
    }
    await session.release();
  }
  expect(arrays).toEqual([false, false, true]);
});

test('a session is released after its last run', async () => {
  const session = await openSession(tiny, { device: 'cpu' });
  const last = session.run({ x });
  await session.release();
  expect((await last).y!.data).toEqual(Float32Array.of(2, 4));
  await expect(session.run({ x })).rejects.toThrow(/is used after its release/);
});

describe('what cannot be opened is one line', () => {
  test.each(ways)('%s: missing, not a model', async (_, open) => {
    await expect(open(at('none.onnx'), {})).rejects.toThrow(/^cannot read .*none\.onnx: no such file or folder$/);
    await writeFile(at('bad.onnx'), 'hello');
    const error = await open(at('bad.onnx'), { device: 'cpu' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(/^cannot load .*bad\.onnx: [^\n]+$/);
  });

  test('a device is either there, or said to be missing with what to do; auto always runs', async () => {
    const asked = await openSession(tiny, { device: 'cuda' }).catch((e: unknown) => e);
    const auto = await openSession(tiny, { device: 'auto' });
    if (asked instanceof Error) {
      expect(asked).toBeInstanceOf(UserError);
      expect(asked.message).toMatch(/^the device cuda is not available: [^\n]+; CUDA needs [^\n]+$/);
      expect(auto.device).toBe('cpu');
      const why = /^runs on the CPU, though there is an NVIDIA GPU: .+ \("crobc doctor" says what CUDA needs\)$/;
      expect(await chooseDevice('auto', () => false)).toEqual({ device: 'cpu', note: undefined });
      expect(await chooseDevice('auto', () => true)).toEqual({ device: 'cpu', note: expect.stringMatching(why) });
    } else {
      expect(auto).toMatchObject({ device: 'cuda', note: 'runs on CUDA' });
    }
    expect(await auto.run({ x })).toMatchObject({ y: { data: Float32Array.of(2, 4) } });
    await auto.release();
  });
});

test.each(ways)('%s: a graph in half precision at whose layouts onnxruntime would end the process', async (_, open) => {
  const source = `model Net {
  kernel = Conv2d(1, 1, 3, padding = 1)
  input x: f32[2, 1, H, W]
  output y = mean(rearrange(kernel(x), "b 1 h w -> h b w"), "h b w -> h w")
}
`;
  const { graph } = compile(memoryHost({ 'main.crob': source }), 'main.crob', {
    model: 'Net',
    dims: new Map(),
    overrides: [],
  });
  const model = emitOnnx(runPipeline(graph!, { dtype: 'f16' }), { producerVersion: 'test' });
  const weights = {
    read: (path: string) => (path.endsWith('bias') ? Float32Array.of(1) : new Float32Array(9).fill(0.5)),
  };
  const session = await open(await encodeOnnx(model, weights), { device: 'cpu', threads: 1, half: true });
  const { y } = await session.run({ x: { dtype: 'f32', shape: [2, 1, 1, 2], data: Float32Array.of(1, 2, 3, 4) } });
  // The mean over images of what both pixels add up to, halved, and the offset.
  expect([...(y!.data as Float32Array)]).toEqual([3.5, 3.5]);
  await session.release();
});
