import { visible } from '../../compiler/diagnostics/visible.ts';
import { duration } from './duration.ts';
import { type BarState, barText } from './progress-bar.ts';
import { progressReceiver } from './received-progress.ts';
import { addStatusLine, type StatusLine } from './status-line.ts';
import { surroundings } from './surroundings.ts';
import { drawsStatus, type Environment, hidesProgress, type TerminalStream, wantsColour } from './terminal.ts';

/** Displays the progress of a task. */
export interface Progress {
  /**
   * `done` is the number of completed steps; `notes` are a few words each, such as the loss, in order of importance.
   */
  update(done: number, ...notes: readonly string[]): void;
  /** Removes the bar. Call it once, at the end or on failure. */
  finish(): void;
}

export interface ProgressOptions {
  /** Number of steps completed before, which do not count for the speed; default 0. */
  readonly from?: number;
  /** Milliseconds before a terminal shows the bar; default 2,000. */
  readonly patience?: number;
  readonly stream?: TerminalStream;
  readonly environment?: Environment;
  /** A clock in milliseconds, replaceable by tests. */
  readonly now?: () => number;
}

/** Shorter tasks show no bar. */
const PATIENCE_MS = 2_000;
const LINE_EVERY_MS = 10_000;
const DRAW_EVERY_MS = 100;

/**
 * Displays the progress of `total` steps on standard error. On a terminal: a bar with the remaining time, shown after
 * two seconds and removed at the end. Elsewhere (a log): a line every ten seconds, and one at the end if it took more
 * than two seconds.
 */
export function startProgress(label: string, total: number, options: ProgressOptions = {}): Progress {
  const own = surroundings();
  const { stream = own.stderr, environment = own.environment, now = own.now, from = 0 } = options;
  const { patience = PATIENCE_MS } = options;
  const receive = progressReceiver();
  if (receive) {
    const update = (done: number, ...notes: readonly string[]) =>
      receive({ task: label, done, total, note: notes.join(', ') });
    return { update, finish: () => undefined };
  }
  if (hidesProgress(environment)) return { update: () => undefined, finish: () => undefined };
  return drawsStatus(stream, environment)
    ? bar(label, { from, total }, { stream, colour: wantsColour(stream, environment), now, patience })
    : lines(label, { from, total }, stream, now);
}

interface Range {
  readonly from: number;
  readonly total: number;
}

interface BarOptions extends Required<Pick<ProgressOptions, 'stream' | 'now' | 'patience'>> {
  readonly colour: boolean;
}

function bar(label: string, range: Range, { stream, colour, now, patience }: BarOptions): Progress {
  const started = now();
  let state: BarState = { label: visible(label), done: range.from, total: range.total, left: undefined, notes: [] };
  let line: StatusLine | undefined;
  let drawn = started;
  let finished = false;
  const draw = () => {
    if (finished) return;
    drawn = now();
    if (line) line.draw();
    else line = addStatusLine((columns) => barText(state, columns, colour), stream);
  };
  const timer = setTimeout(draw, patience);
  timer.unref();
  if (patience === 0) draw();
  return {
    update(done, ...notes) {
      const time = now();
      state = { ...state, done, left: timeLeft(started, time, done, range), notes: notes.map(visible) };
      // Drawn here too, because timers do not run in a synchronous loop.
      if (line ? time - drawn >= DRAW_EVERY_MS : time - started >= patience) draw();
    },
    finish() {
      finished = true;
      clearTimeout(timer);
      line?.remove();
    },
  };
}

function lines(label: string, range: Range, stream: TerminalStream, now: () => number): Progress {
  const { total } = range;
  const started = now();
  let last = started;
  let latest: { readonly done: number; readonly notes: readonly string[] } = { done: range.from, notes: [] };
  let finished = false;
  const tail = () => latest.notes.map((note) => `, ${note}`).join('');
  const write = (text: string) => stream.write(`${visible(`${label}: ${text}${tail()}`)}\n`);
  return {
    update(done, ...notes) {
      latest = { done, notes };
      const time = now();
      if (time - last < LINE_EVERY_MS || done >= total) return;
      last = time;
      const share = Math.floor((100 * done) / total);
      write(`${done}/${total} (${share}%), ${duration(timeLeft(started, time, done, range))} left`);
    },
    finish() {
      if (finished) return;
      finished = true;
      const took = now() - started;
      if (took >= PATIENCE_MS) write(`${latest.done}/${total} in ${duration(took)}`);
    },
  };
}

function timeLeft(started: number, time: number, done: number, { from, total }: Range): number | undefined {
  return done <= from ? undefined : ((time - started) / (done - from)) * (total - done);
}
