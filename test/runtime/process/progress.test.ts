import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { duration, startProgress, wantsColour, writeLine } from '../../../runtime/process/progress.ts';
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

/** Sequences of control, line ends, and text. */
const esc = '\u001b';
const terminal = new RegExp(`${esc}\\[[?\\d;]*[A-Za-z]|${esc}[78]|[\r\n]|[^${esc}\r\n]+`, 'g');

/** The lines of a terminal after what was written to it: as far as a bar and lines above it go. */
function shown(written: string): string[] {
  const rows: string[] = [''];
  let saved = 0;
  let row = 0;
  for (const [part] of written.matchAll(terminal)) {
    if (part === '\n') rows[++row] ??= '';
    else if (part === '\u001b7') saved = row;
    else if (part === '\u001b8') row = saved;
    else if (part === '\u001b[2K') rows[row] = '';
    else if (!part.startsWith('\u001b') && part !== '\r') rows[row] = part;
  }
  return rows.slice(0, row + 1).filter((text) => text !== '');
}

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

  test('lines go above it, and are there when it is gone', async () => {
    const { stream, text } = screen(true);
    await import('cli-progress');
    const { now, pass } = clock();
    const progress = startProgress('training', 10, { stream, now, environment: { NO_COLOR: '1' } });
    writeLine('early', stream);
    pass(4_000);
    progress.update(4, 'loss 0.31');
    await vi.waitFor(() => expect(shown(text())).toEqual(['early', expect.stringMatching(/^training █+░+ 40%/)]));
    writeLine('SIGINT: finishing the step', stream);
    expect(shown(text())).toEqual(['early', 'SIGINT: finishing the step', expect.stringMatching(/^training /)]);
    progress.update(5);
    progress.finish();
    writeLine('late', stream);
    expect(shown(text())).toEqual(['early', 'SIGINT: finishing the step', 'late']);
    expect(text().lastIndexOf('\u001b[?7h')).toBeGreaterThan(text().lastIndexOf('\u001b[?7l'));
  });

  test('one bar, whichever of its timer and an update comes first: two would each leave a signal to the other', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const before = process.listenerCount('SIGINT');
    const { stream, text } = screen(true);
    const { now, pass } = clock();
    try {
      const progress = startProgress('training', 10, { stream, environment: {}, now });
      pass(2_000);
      progress.update(1);
      vi.advanceTimersByTime(2_000);
      await vi.waitFor(() => expect(text()).toContain('training'));
      expect(process.listenerCount('SIGINT')).toBe(before + 1);
      progress.finish();
      expect(process.listenerCount('SIGINT')).toBe(before);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a signal that nobody hears ends the process, and leaves the terminal as it was', async () => {
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
    expect(err).toContain('\u001b[?25h');
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
