import { AsyncLocalStorage } from 'node:async_hooks';
import type { SingleBar } from 'cli-progress';
import { visible } from '../../compiler/diagnostics/visible.ts';

/** Where progress is shown: process.stderr, or a stand-in of a test. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** A task that says how far it is. */
export interface Progress {
  /** `done` of the total; `note` is a few words shown behind, such as the loss. */
  update(done: number, note?: string): void;
  /** Once, at the end or on failure: takes the bar away. */
  finish(): void;
}

export interface ProgressOptions {
  /** Steps that were done before this began, and say nothing of its speed; none when undefined. */
  readonly from?: number;
  readonly stream?: ProgressStream;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds; a clock that tests can set. */
  readonly now?: () => number;
}

/** What takes less is not worth a bar. */
const PATIENCE_MS = 2_000;
const LINE_EVERY_MS = 10_000;

/** Colours belong on a terminal whose owner has not declined them (no-color.org), or where they are asked for. */
export function wantsColour(
  stream: ProgressStream,
  environment: ProgressOptions['environment'] = process.env,
): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR && environment.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/** How far a task is, for a program that shows it itself. */
export interface ProgressReport {
  readonly task: string;
  readonly done: number;
  readonly total: number;
  /** A few words, such as the loss; empty without any. */
  readonly note: string;
}

const receivers = new AsyncLocalStorage<(report: ProgressReport) => void>();

/** Hands the progress of all that `run` does to `receive`, and shows none of it. */
export function receiveProgress<T>(receive: (report: ProgressReport) => void, run: () => Promise<T>): Promise<T> {
  return receivers.run(receive, run);
}

/**
 * Progress of `total` steps on standard error. On a terminal: nothing for two seconds, then a bar with the time left,
 * which goes away at the end. Elsewhere (a log): a line every ten seconds, and one at the end if it took over two.
 */
export function startProgress(label: string, total: number, options: ProgressOptions = {}): Progress {
  const { stream = process.stderr, environment = process.env, now = Date.now, from = 0 } = options;
  const receive = receivers.getStore();
  if (receive)
    return { update: (done, note = '') => receive({ task: label, done, total, note }), finish: () => undefined };
  return stream.isTTY === true && environment.TERM !== 'dumb'
    ? bar(label, { from, total }, stream, wantsColour(stream, environment), now)
    : lines(label, { from, total }, stream, now);
}

/** Bars on a terminal, by the stream that they are on; each draws itself again. */
const bars = new Map<ProgressStream, () => void>();

/** A line for the user, above the bar where there is one. */
export function writeLine(text: string, stream: ProgressStream = process.stderr): void {
  const line = visible(text);
  const redraw = bars.get(stream);
  if (redraw) {
    // A bar turns the wrapping of lines off, and goes back at its end to the place that is saved.
    stream.write(`\r\u001b[2K\u001b[?7h${line}\n\u001b[?7l\u001b7`);
    redraw();
  } else {
    stream.write(`${line}\n`);
  }
}

interface Range {
  readonly from: number;
  readonly total: number;
}

const signals = ['SIGINT', 'SIGTERM'] as const;

function bar(label: string, range: Range, stream: ProgressStream, colour: boolean, now: () => number): Progress {
  const { total } = range;
  const started = now();
  let state: { done: number; note: string } = { done: range.from, note: '' };
  let shown: SingleBar | undefined;
  let finished = false;
  let loading = false;
  const show = async () => {
    if (loading) return;
    loading = true;
    const { default: cli } = await import('cli-progress');
    if (finished) return;
    const paint = colour ? (text: string) => `\u001b[36m${text}\u001b[39m` : (text: string) => text;
    shown = new cli.SingleBar({
      stream,
      format: `${label} ${paint('{bar}')} {percentage}% · {value}/{total} · {left} left{note}`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 28,
      hideCursor: true,
      clearOnComplete: true,
      // Signals are handled below: after its own handler the process would live on.
      gracefulExit: false,
      forceRedraw: true,
      fps: 10,
    });
    // Heard before anything is drawn: a signal that comes in between would leave the cursor hidden.
    for (const signal of signals) process.on(signal, leave);
    process.once('exit', finish);
    shown.start(total, state.done, payload());
    bars.set(stream, () => shown?.render());
  };
  const finish = () => {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    bars.delete(stream);
    for (const signal of signals) process.off(signal, leave);
    process.off('exit', finish);
    shown?.stop();
  };
  /** Leaves the terminal as it was; unless someone else handles the signal, it then ends the process as it would have. */
  const leave = (signal: NodeJS.Signals) => {
    if (process.listenerCount(signal) > 1) return;
    finish();
    process.kill(process.pid, signal);
  };
  const payload = () => ({
    note: state.note === '' ? '' : ` · ${state.note}`,
    left: duration(timeLeft(started, now(), state.done, range)),
  });
  const timer = setTimeout(() => void show(), PATIENCE_MS);
  timer.unref();
  return {
    update(done, note = '') {
      state = { done, note };
      // A loop that never lets timers run still gets its bar.
      if (now() - started >= PATIENCE_MS) void show();
      shown?.update(done, payload());
    },
    finish,
  };
}

function lines(label: string, range: Range, stream: ProgressStream, now: () => number): Progress {
  const { total } = range;
  const started = now();
  let last = started;
  let latest = { done: range.from, note: '' };
  let finished = false;
  const tail = () => (latest.note === '' ? '' : `, ${latest.note}`);
  return {
    update(done, note = '') {
      latest = { done, note };
      const time = now();
      if (time - last < LINE_EVERY_MS || done >= total) return;
      last = time;
      const share = Math.floor((100 * done) / total);
      const left = duration(timeLeft(started, time, done, range));
      stream.write(`${label}: ${done}/${total} (${share}%), ${left} left${tail()}\n`);
    },
    finish() {
      if (finished) return;
      finished = true;
      const took = now() - started;
      if (took >= PATIENCE_MS) stream.write(`${label}: ${latest.done}/${total} in ${duration(took)}${tail()}\n`);
    },
  };
}

function timeLeft(started: number, time: number, done: number, { from, total }: Range): number | undefined {
  return done <= from ? undefined : ((time - started) / (done - from)) * (total - done);
}

/** Milliseconds as `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return '?';
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
