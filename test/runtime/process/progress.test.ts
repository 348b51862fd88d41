import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { duration } from '../../../runtime/process/duration.ts';
import { startProgress } from '../../../runtime/process/progress.ts';
import { barText } from '../../../runtime/process/progress-bar.ts';
import { startStage } from '../../../runtime/process/stage.ts';
import { writeLine } from '../../../runtime/process/status-line.ts';
import { terminalWidth, wantsColour } from '../../../runtime/process/terminal.ts';
import { bundleSource } from '../../../scripts/bundle-source.mjs';

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

/** A clock that tests move. */
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
      progress.update(i, ...(i > 50 ? ['layers.2'] : []));
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

const esc = '\u001b';
const colours = new RegExp(`${esc}\\[\\d*m`, 'g');
const erasure = `\r${esc}[2K`;
const parts = new RegExp(`\r${esc}\\[2K|\n|[^${esc}\r\n]+`, 'g');

/** The lines of a terminal after what was written to it: each part is text, an end of line, or the erasure of a line. */
function shown(written: string): string[] {
  const rows: string[] = [''];
  for (const [part] of written.replaceAll(colours, '').matchAll(parts)) {
    if (part === '\n') rows.push('');
    else if (part === erasure) rows[rows.length - 1] = '';
    else rows[rows.length - 1] += part;
  }
  return rows.filter((text) => text !== '');
}

describe('on a terminal', () => {
  test('a bar after two seconds, with what is left, in colour', () => {
    const { stream, text } = screen(true);
    const { now, pass } = clock();
    const progress = startProgress('training', 10, { stream, now, environment: {} });
    pass(1_999);
    progress.update(2, 'loss 0.40');
    expect(text()).toBe('');
    pass(2_001);
    progress.update(4, 'loss 0.31');
    expect(text()).toContain('training \u001b[36m███');
    expect(shown(text())).toEqual([expect.stringMatching(/^training █{11}░{17} 40% · 4\/10 · 6 s left · loss 0\.31$/)]);
    pass(50);
    progress.update(5, 'loss 0.30');
    expect(text()).not.toContain('loss 0.30');
    pass(50);
    progress.update(5, 'loss 0.30');
    expect(shown(text())).toEqual([expect.stringContaining('50% · 5/10 · 4 s left · loss 0.30')]);
    progress.finish();
    expect(shown(text())).toEqual([]);
  });

  test('also where nothing is updated, and at once if asked', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { stream, text } = screen(true);
      const progress = startProgress('training', 10, { stream, environment: {} });
      vi.advanceTimersByTime(2_000);
      expect(shown(text())).toEqual([expect.stringMatching(/^training ░{28} 0% · 0\/10$/)]);
      progress.finish();
    } finally {
      vi.useRealTimers();
    }
    const { stream, text } = screen(true);
    const progress = startProgress('training', 10, { stream, environment: {}, patience: 0 });
    expect(shown(text())).toEqual([expect.stringMatching(/^training ░{28} 0% · 0\/10$/)]);
    progress.finish();
  });

  test('nothing under CROBC_PROGRESS=off', () => {
    for (const isTTY of [true, false]) {
      const { stream, text } = screen(isTTY);
      const { now, pass } = clock();
      const progress = startProgress('training', 10, { stream, now, environment: { CROBC_PROGRESS: 'off' } });
      pass(14_000);
      progress.update(4);
      progress.finish();
      expect(text()).toBe('');
    }
  });

  test('lines go above it, and are there when it is gone', () => {
    const { stream, text } = screen(true);
    const { now, pass } = clock();
    const progress = startProgress('training', 10, { stream, now, environment: { NO_COLOR: '1' } });
    writeLine('early', stream);
    pass(4_000);
    progress.update(4, 'loss 0.31');
    expect(text()).not.toContain('\u001b[36m');
    expect(shown(text())).toEqual(['early', expect.stringMatching(/^training █+░+ 40%/)]);
    writeLine('SIGINT: finishing the step', stream);
    expect(shown(text())).toEqual(['early', 'SIGINT: finishing the step', expect.stringMatching(/^training /)]);
    progress.update(5);
    progress.finish();
    progress.finish();
    writeLine('late', stream);
    expect(shown(text())).toEqual(['early', 'SIGINT: finishing the step', 'late']);
  });

  test('a stage is shown from its beginning, with its time, and what is inside of it in its place', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] });
    try {
      const { stream, text } = screen(true);
      const outer = startStage('reading data', { stream, environment: {} });
      expect(shown(text())).toEqual(['reading data …']);
      vi.advanceTimersByTime(3_000);
      expect(shown(text())).toEqual(['reading data … 3 s']);
      const inner = startProgress('pictures', 10, { stream, environment: {}, patience: 0 });
      expect(shown(text())).toEqual([expect.stringMatching(/^pictures ░+ 0%/)]);
      vi.advanceTimersByTime(1_000);
      expect(shown(text())).toEqual([expect.stringMatching(/^pictures ░+ 0%/)]);
      inner.finish();
      expect(shown(text())).toEqual(['reading data … 4 s']);
      outer.finish();
      expect(shown(text())).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('in a log a stage is a line when it is long', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { stream, text } = screen(false);
      startStage('quick', { stream }).finish();
      const long = startStage('opening', { stream });
      vi.advanceTimersByTime(9_999);
      expect(text()).toBe('');
      vi.advanceTimersByTime(1);
      expect(text()).toBe('opening …\n');
      long.finish();
    } finally {
      vi.useRealTimers();
    }
  });

  test('a signal that nobody handles ends the process, and leaves the terminal as it was', async () => {
    const program = `
      import { startProgress } from ${JSON.stringify(pathToFileURL(await bundleSource('runtime/process/progress.ts')).href)};
      import { writeSync } from 'node:fs';
      // As a terminal does: written when the call returns.
      const stream = { isTTY: true, columns: 80, write: (text) => writeSync(2, text) };
      const progress = startProgress('long', 10, { environment: {}, stream });
      setInterval(() => progress.update(3), 20);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (!err.includes('30%') && (err + text).includes('30%')) child.kill('SIGINT');
      err += text;
    });
    expect(await once(child, 'close')).toEqual([null, 'SIGINT']);
    // Colours, and the erasure of a line: nothing that lasts, such as a hidden cursor.
    expect(err.replaceAll(colours, '').replaceAll(erasure, '')).not.toContain(esc);
  });
});

describe('the text of a bar', () => {
  const notes = ['epoch 1', 'loss 1.6058', 'mIoU 0.0588', '2.87 samples/s', 'lr 0.0000800'];
  const state = { label: 'training', done: 8, total: 12, left: 5_000, notes };
  const at = (columns: number) => barText(state, columns, false);

  test('takes no more than the columns, and leaves out what matters least', () => {
    for (let columns = 1; columns <= 200; columns++) expect(at(columns).length).toBeLessThanOrEqual(columns);
    expect(at(20)).toBe('training 66% · 8/12 ');
    expect(at(59)).toBe('training 66% · 8/12 · 5 s left · epoch 1, loss 1.6058');
    expect(at(79)).toBe('training ████████░░░░ 66% · 8/12 · 5 s left · epoch 1, loss 1.6058, mIoU 0.0588');
    expect(at(200)).toBe(`training ${'█'.repeat(19)}${'░'.repeat(9)} 66% · 8/12 · 5 s left · ${notes.join(', ')}`);
  });
});

test('a terminal that has no columns is as one that does not say', () => {
  const { stream } = screen(true);
  expect([100, 0].map((columns) => terminalWidth(Object.assign(stream, { columns })))).toEqual([100, undefined]);
  expect(terminalWidth(screen(false).stream)).toBe(undefined);
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
