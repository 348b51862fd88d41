import { beforeEach, expect, test } from 'vitest';
import { Handle } from '../../../../runtime/ort/c-api/handle.ts';
import type { Native } from '../../../../runtime/ort/c-api/native.ts';

let freed: bigint[] = [];
beforeEach(() => {
  freed = [];
});

/** The library, of which nothing is called but what frees an object. */
const native = { release: (_: string, pointer: bigint) => void freed.push(pointer) } as unknown as Native;

const made = (pointer: bigint, owner?: Handle) =>
  new Handle(native, { kind: 'a tensor', by: 'ReleaseValue', owner }, pointer);

test('what is owned is freed first, the newest before the others, and once', () => {
  const owner = made(1n);
  const inner = made(2n, owner);
  made(3n, inner);
  made(4n, owner);
  owner.release();
  inner.release();
  owner.release();
  expect(freed).toEqual([4n, 3n, 2n, 1n]);
});

test('what is held is freed when the last hold ends, and its owners after it', () => {
  const owner = made(1n);
  const inner = made(2n, owner);
  const other = made(3n, owner);
  const holds = [inner.hold(), inner.hold()];
  owner.release();
  expect(freed).toEqual([3n]);
  for (const one of [owner, inner, other]) {
    expect(one.released).toBe(true);
    expect(() => one.pointer).toThrow('bug in crobc: a tensor is used after its release');
    expect(() => one.hold()).toThrow(/used after its release/);
    expect(() => made(9n, one)).toThrow(/used after its release/);
  }
  holds[0]!();
  expect(freed).toEqual([3n]);
  holds[1]!();
  expect(freed).toEqual([3n, 2n, 1n]);
});

test('what was held and is not released stays', () => {
  const one = made(1n);
  one.hold()();
  expect([freed, one.pointer]).toEqual([[], 1n]);
});

test('at the end of a process, holds do not count', () => {
  const owner = made(1n);
  const held = made(2n, owner);
  const end = held.hold();
  held.release();
  owner.releaseNow();
  end();
  expect(freed).toEqual([2n, 1n]);
});
