import { expect, test } from 'vitest';
import { sizeThreadPool } from '../../cli/libuv-threads.ts';

const sized = (environment: Record<string, string>, cores: number) => {
  const all: Record<string, string | undefined> = { ...environment };
  sizeThreadPool(all, cores);
  return all;
};

test('a thread for each core, where there are more than libuv would start', () => {
  expect(sized({}, 2)).toEqual({});
  expect(sized({}, 4)).toEqual({});
  expect(sized({}, 5)).toEqual({ UV_THREADPOOL_SIZE: '5' });
  expect(sized({}, 64)).toEqual({ UV_THREADPOOL_SIZE: '64' });
});

test('the number that somebody chose stays', () => {
  expect(sized({ UV_THREADPOOL_SIZE: '2' }, 64)).toEqual({ UV_THREADPOOL_SIZE: '2' });
});
