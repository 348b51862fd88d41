import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Feeds } from '../../../runtime/ort/session.ts';
import { Batcher, type BatcherOptions } from '../../../runtime/serve/batcher.ts';

const row = (...values: number[]): Feeds => ({
  x: { dtype: 'f32', shape: [values.length, 1], data: Float32Array.from(values) },
});
const wide = (...values: number[]): Feeds => ({
  x: { dtype: 'f32', shape: [1, values.length], data: Float32Array.from(values) },
});
const open = new AbortController().signal;

/** A model that doubles its input, whose runs end when the test says so. */
function doubling(options: Partial<BatcherOptions> = {}) {
  const runs: { readonly rows: readonly number[]; end(error?: Error): void }[] = [];
  const batcher = new Batcher({
    maxBatch: 4,
    maxDelay: 0,
    ran: () => {},
    now: () => 0,
    run: ({ x }) =>
      new Promise((resolve, reject) => {
        if (!(x?.data instanceof Float32Array)) throw new Error('no x');
        const { data, shape } = x;
        const outputs = { y: { dtype: 'f32', shape, data: data.map((v) => 2 * v) } } as const;
        runs.push({
          rows: [...data],
          end: (error) => (error ? reject(error) : resolve({ outputs, milliseconds: 1 })),
        });
      }),
    ...options,
  });
  return { batcher, runs };
}

const results = async (run: Promise<{ readonly outputs: Feeds }>) => [...(await run).outputs.y!.data];

it('runs the first request at once, and those that come meanwhile together, in their order', async () => {
  const { batcher, runs } = doubling();
  const answers = [1, 2, 3, 4, 5, 6].map((value) => results(batcher.submit(row(value), 1, open)));
  expect(runs.map(({ rows }) => rows)).toEqual([[1]]);
  expect(batcher.waiting).toBe(5);
  runs[0]!.end();
  await turn();
  expect(runs[1]!.rows).toEqual([2, 3, 4, 5]);
  runs[1]!.end();
  await turn();
  runs[2]!.end();
  expect(await Promise.all(answers)).toEqual([[2], [4], [6], [8], [10], [12]]);
});

it('joins only what has the same sizes and fits, and gives each its rows', async () => {
  const { batcher, runs } = doubling();
  const first = results(batcher.submit(row(0), 1, open));
  const answers = [row(1, 2, 3), wide(7, 8), row(4, 5), row(6)].map((feeds) =>
    results(batcher.submit(feeds, feeds.x!.shape[0]!, open)),
  );
  for (let i = 0; i < 4; i++) {
    runs[i]!.end();
    await turn();
  }
  expect(runs.map(({ rows }) => rows)).toEqual([[0], [1, 2, 3, 6], [7, 8], [4, 5]]);
  expect(await first).toEqual([0]);
  expect(await Promise.all(answers)).toEqual([[2, 4, 6], [14, 16], [8, 10], [12]]);
});

it('takes out a request whose signal aborts before its run', async () => {
  const { batcher, runs } = doubling();
  const first = batcher.submit(row(1), 1, open);
  const controller = new AbortController();
  const gone = batcher.submit(row(2), 1, controller.signal);
  const last = results(batcher.submit(row(3), 1, open));
  controller.abort(new Error('gone'));
  await expect(gone).rejects.toThrow('gone');
  runs[0]!.end();
  await first;
  await turn();
  expect(runs[1]!.rows).toEqual([3]);
  runs[1]!.end();
  expect(await last).toEqual([6]);
  await expect(batcher.submit(row(4), 1, controller.signal)).rejects.toThrow('gone');
  expect(runs).toHaveLength(2);
});

it('runs requests again, each alone, if a joint run fails', async () => {
  const { batcher, runs } = doubling();
  const answers = Promise.allSettled([1, 2, 3].map((value) => results(batcher.submit(row(value), 1, open))));
  runs[0]!.end();
  await turn();
  runs[1]!.end(new Error('too much'));
  await turn();
  runs[2]!.end(new Error('this one'));
  await turn();
  runs[3]!.end();
  expect(await answers).toMatchObject([{ value: [2] }, { reason: { message: 'this one' } }, { value: [6] }]);
  expect(runs.map(({ rows }) => rows)).toEqual([[1], [2, 3], [2], [3]]);
});

it('waits for further requests until a run is full', async () => {
  const { batcher, runs } = doubling({ maxDelay: 1e6, maxBatch: 3 });
  const answers = [1, 2].map((value) => results(batcher.submit(row(value), 1, open)));
  await turn();
  expect(runs).toEqual([]);
  const last = results(batcher.submit(row(3), 1, open));
  expect(runs.map(({ rows }) => rows)).toEqual([[1, 2, 3]]);
  runs[0]!.end();
  expect(await Promise.all([...answers, last])).toEqual([[2], [4], [6]]);
});

it('does not wait longer than it should', async () => {
  let time = 0;
  const { batcher, runs } = doubling({ maxDelay: 5, now: () => time });
  const answer = results(batcher.submit(row(1), 1, open));
  expect(runs).toEqual([]);
  time = 5;
  while (runs.length === 0) await turn();
  runs[0]!.end();
  expect(await answer).toEqual([2]);
});
