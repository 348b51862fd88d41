import { expect, test } from 'vitest';
import { constant } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { encodeOnnx } from '../../../runtime/onnx-file.ts';
import { openSession } from '../../../runtime/session.ts';
import { GraphBuilder } from './graphs.ts';

const [count, width, rows] = [200_000, 4, 16];

// Enough repeated rows that threads which did not wait for each other would lose some: as onnxruntime's ScatterND does.
test.each([
  ['ScatterElements', false],
  ['ScatterND', true],
])('%s adds every row, however often it repeats', async (op, serialOperators) => {
  const build = new GraphBuilder(Facts.none);
  const sum = build.scatterAdd(
    build.given('index', 'i32', count),
    build.given('updates', 'f32', count, width),
    constant(rows),
  );
  const model = emitOnnx(build.graph({ sum }), { producerVersion: 'test', serialOperators });
  expect(model.graph.nodes.map((node) => node.op)).toContain(op);

  const random = seededRandom(7);
  const index = Int32Array.from({ length: count }, () => random.int(0, rows - 1));
  // Small whole numbers: their sums are exact.
  const updates = Float32Array.from({ length: count * width }, () => random.int(-3, 3));
  const wanted = new Float32Array(rows * width);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < width; j++) wanted[index[i]! * width + j]! += updates[i * width + j]!;

  const bytes = await encodeOnnx(model, {
    read: () => {
      throw new Error('no weights here');
    },
  });
  const session = await openSession(bytes, { device: 'cpu', threads: serialOperators ? 1 : 2 });
  try {
    const { sum: got } = await session.run({
      index: { dtype: 'i32', shape: [count], data: index },
      updates: { dtype: 'f32', shape: [count, width], data: updates },
    });
    expect(got!.data).toEqual(wanted);
  } finally {
    await session.release();
  }
});
