import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { duration, startProgress, wantsColour } from '../../runtime/progress.ts';

/** A stream that remembers; a terminal if asked. */
function screen(isTTY: boolean) {
  const written: string[] = [];
  const stream = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        written.push(String(chunk));
        done();
      },
    }),
    { isTTY, columns: 100, cursorTo: () => true, clearLine: () => true, moveCursor: () => true },
  );
  return { stream, text: () => written.join('') };
}

/** A clock that moves when told. */
function clock() {
  let time = 1_000_000;
  const pass = (ms: number): void => {
    time += ms;
  };
  return { now: () => time, pass };
}

describe('in a log', () => {
  test('a line every ten seconds, and one at the end', () => {
    const { stream, text } = screen(false);
    const { now, pass } = clock();
    const progress = startProgress('weights', 100, { stream, now });
    for (let i = 1; i <= 100; i++) {
      pass(250);
      progress.update(i, i > 50 ? 'layers.2' : '');
    }
    progress.finish();
    progress.finish();
    expect(text()).toBe(
      'weights: 40/100 (40%), 15 s left\nweights: 80/100 (80%), 5 s left, layers.2\nweights: 100/100 in 25 s, layers.2\n',
    );
  });

  test('nothing for what takes less than two seconds', () => {
    const { stream, text } = screen(false);
    const { now, pass } = clock();
    const progress = startProgress('quick', 2, { stream, now });
    pass(1_900);
    progress.update(2);
    progress.finish();
    expect(text()).toBe('');
  });
});

describe('on a terminal', () => {
  /** Updates until the bar has been loaded and drawn, or half a second has passed. */
  async function drive(environment: Record<string, string>, wait: number): Promise<string> {
    const { stream, text } = screen(true);
    // The bar loads its library when it first shows; on a busy machine that would take longer than the test.
    await import('cli-progress');
    const { now, pass } = clock();
    const progress = startProgress('training', 10, { stream, now, environment });
    pass(wait);
    progress.update(4, 'loss 0.31');
    for (let i = 0; i < 10; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      progress.update(5, 'loss 0.30');
    }
    progress.finish();
    return text();
  }

  test('a bar after two seconds, with what is left', async () => {
    const text = await drive({}, 4_000);
    expect(text).toContain('training \u001b[36m███');
    expect(text).toMatch(/4\/10 · 6 s left · loss 0\.31/);
    expect(text).toContain('50% · 5/10 · 4 s left · loss 0.30');
  });

  test('no colour under NO_COLOR', async () => {
    const text = await drive({ NO_COLOR: '1' }, 4_000);
    expect(text).toContain('training ███');
    expect(text).not.toContain('\u001b[36m');
  });

  test('nothing for what is quick', async () => {
    expect(await drive({}, 1_000)).toBe('');
  });
});

test('colour only on a terminal that has not declined it', () => {
  expect(wantsColour(screen(true).stream, {})).toBe(true);
  expect(wantsColour(screen(false).stream, {})).toBe(false);
  expect(wantsColour(screen(true).stream, { NO_COLOR: '1' })).toBe(false);
  expect(wantsColour(screen(true).stream, { NO_COLOR: '' })).toBe(true);
  expect(wantsColour(screen(true).stream, { TERM: 'dumb' })).toBe(false);
  expect(wantsColour(screen(false).stream, { FORCE_COLOR: '1' })).toBe(true);
  expect(wantsColour(screen(false).stream, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
});

test('durations', () => {
  expect([undefined, 400, 59_400, 60_000, 200_000, 7_500_000].map(duration)).toEqual([
    '?',
    '0 s',
    '59 s',
    '1 min 0 s',
    '3 min 20 s',
    '2 h 5 min',
  ]);
});
