import { describe, expect, test } from 'vitest';
import { constant } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { Builder } from '../../../compiler/graphs/builder.ts';
import { finish } from '../../../compiler/graphs/rebuild.ts';
import type { Value } from '../../../compiler/ir/graph.ts';
import { firstNonFinite, type NonFinite } from '../../../runtime/ort/first-non-finite.ts';
import { shownCause } from '../../../runtime/predict/non-finite-logits.ts';
import { halfFromFloat32 } from '../../../runtime/tensors/half.ts';

const width = 4;
const shape = [constant(width)];

/** What is found in a graph of one input `x`, four numbers, whose one output `make` builds. */
async function found(
  make: (build: Builder, x: Value) => Value,
  x: readonly number[],
  stopped = () => false,
): Promise<NonFinite | undefined> {
  const build = new Builder(Facts.none);
  const value = build.input('x', { dtype: 'f32', shape });
  const y = make(build, value);
  const inputs = [{ name: 'x', value, docs: '' }];
  const outputs = [{ name: 'y', value: y, docs: '' }];
  const graph = finish({ name: 'looked', docs: '', inputs, outputs, facts: Facts.none, guards: [] }, build.nodes);
  const feeds = { x: { dtype: 'f32', shape: [width], data: Float32Array.from(x) } } as const;
  return firstNonFinite(graph, feeds, { device: 'cpu', threads: 1, stopped });
}

/** Work that keeps numbers as they are, about: so many operators. */
function work(build: Builder, x: Value, operators: number): Value {
  let y = x;
  for (let i = 0; i < operators; i++) {
    build.origin = { span: undefined, path: `work.${i}`, label: '' };
    y = build.add(y, build.full(1e-6, 'f32', []));
  }
  return y;
}

function at(build: Builder, path: string, value: () => Value): Value {
  build.origin = { span: undefined, path, label: '' };
  return value();
}

describe('the operator that made what is not finite', () => {
  test('is found among hundreds, behind reshapes and far before the end', async () => {
    const made = (build: Builder, x: Value) => {
      const rows = build.reshape(work(build, x, 90), [constant(2), constant(2)]);
      const bad = at(build, 'bad', () => build.log(build.transpose(rows, [1, 0])));
      return work(build, build.reshape(bad, shape), 150);
    };
    expect(await found(made, [1, 2, -3, 4])).toMatchObject({ op: 'log', made: 'NaN', origin: { path: 'bad' } });
    expect(await found(made, [1, 2, 3, 4])).toBe(undefined);
  });

  test('is none whose result nothing took', async () => {
    const made = (build: Builder, x: Value) => {
      const zero = build.full(0, 'f32', []);
      const harmless = at(build, 'harmless', () => build.log(x));
      const kept = build.select(build.lt(zero, x), harmless, zero);
      const large = build.mul(work(build, kept, 70), build.full(1e4, 'f32', []));
      return at(build, 'bad', () => build.exp(large));
    };
    expect(await found(made, [-1, 2, 3, 4])).toMatchObject({ op: 'exp', made: 'Inf', origin: { path: 'bad' } });
  });

  test('is none that only passes on an infinity that is written down', async () => {
    const masked = (build: Builder, x: Value) => {
      const zero = build.full(0, 'f32', []);
      const mask = build.select(build.lt(zero, x), zero, build.full(Number.NEGATIVE_INFINITY, 'f32', []));
      const score = at(build, 'score', () => build.add(work(build, x, 70), mask));
      return at(build, 'softmax', () => build.softmax(score, 0));
    };
    expect(await found(masked, [1, -1, 1, 1])).toBe(undefined);
    expect(await found(masked, [-1, -1, -1, -1])).toMatchObject({ op: 'softmax', made: 'NaN' });
  });

  test('is behind an index that onnxruntime refuses', async () => {
    const looked = (build: Builder, x: Value) => {
      const worked = work(build, x, 70);
      const bad = at(build, 'bad', () => build.log(worked));
      const index = build.cast(build.floor(build.add(bad, build.full(1, 'f32', []))), 'i32');
      return work(build, build.gather(x, index), 70);
    };
    expect(await found(looked, [-1, 1, 2, 3])).toMatchObject({ op: 'log', made: 'NaN', origin: { path: 'bad' } });
    // An index that is wrong by itself has nothing behind it.
    expect(await found(looked, [1, 1, 2, 1e9])).toBe(undefined);
  });

  test('is not searched for any longer than the user waits', async () => {
    let asked = 0;
    const made = (build: Builder, x: Value) => work(build, build.log(x), 640);
    expect(await found(made, [-1, 1, 1, 1], () => ++asked > 3)).toBe(undefined);
    expect(asked).toBeLessThan(7);
  });
});

test('in half precision, with weights', async () => {
  const build = new Builder(Facts.none);
  const x = build.input('x', { dtype: 'f16', shape });
  const weight = {
    path: 'scale',
    role: 'param',
    init: { name: 'ones', args: {} },
    keepF32: false,
    decay: true,
  } as const;
  const scale = build.weight(weight, { dtype: 'f16', shape });
  const y = at(build, 'bad', () => build.log(build.mul(x, scale)));
  const inputs = [{ name: 'x', value: x, docs: '' }];
  const outputs = [{ name: 'y', value: y, docs: '' }];
  const graph = finish({ name: 'half', docs: '', inputs, outputs, facts: Facts.none, guards: [] }, build.nodes);
  const feeds = { x: { dtype: 'f16', shape: [width], data: halfFromFloat32(Float32Array.of(1, 2, 3, 4)) } } as const;
  const look = (third: number) =>
    firstNonFinite(graph, feeds, {
      device: 'cpu',
      threads: 1,
      stopped: () => false,
      weights: { read: () => Float32Array.of(1, 1, third, 1) },
    });
  expect(await look(1)).toBe(undefined);
  const found = await look(-1);
  expect(found).toMatchObject({ op: 'log', made: 'NaN', dtype: 'f16', origin: { path: 'bad' } });
  expect(shownCause(found!, 'Half', 'half.crob:3')).toBe('the first NaN came out of log in bad, half.crob:3');
  expect(shownCause({ ...found!, op: 'matmul', made: 'Inf' }, 'Half', undefined)).toMatch(
    /^the first Inf came out of matmul in bad; half precision has no numbers beyond 65504: .*@f32.*--dtype f16$/,
  );
  // A weight that is no number is nobody's fault here.
  expect(await look(Number.NaN)).toBe(undefined);
});
