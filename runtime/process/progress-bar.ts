import { duration } from './duration.ts';

/** The state that a bar displays. */
export interface BarState {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Remaining milliseconds; undefined if unknown. */
  readonly left: number | undefined;
  /** In order of importance. */
  readonly notes: readonly string[];
}

const widestBar = 28;
const narrowestBar = 10;
/** Number of notes that have priority over the bar. */
const firstNotes = 2;

/**
 * Formats `training ███░░░ 40% · 4/10 · 6 s left · loss 0.31` in at most `columns` columns. Priorities are: figures,
 * the first notes, a bar, the other notes. The bar takes the remaining space.
 */
export function barText({ label, done, total, left, notes }: BarState, columns: number, colour: boolean): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const time = left === undefined ? '' : ` · ${duration(left)} left`;
  const figures = `${Math.floor(100 * share)}% · ${done}/${total}${time}`;
  const free = columns - label.length - 1 - figures.length;
  if (free < 0) return `${label} ${figures}`.slice(0, columns);
  let shown = '';
  let bar = false;
  for (const [i, note] of notes.entries()) {
    if (i === firstNotes) bar = free - shown.length > narrowestBar;
    const longer = `${shown}${shown === '' ? ' · ' : ', '}${note}`;
    if (longer.length + (bar ? narrowestBar + 1 : 0) > free) break;
    shown = longer;
  }
  const room = Math.min(widestBar, free - shown.length - 1);
  return `${label} ${room < narrowestBar ? '' : `${drawn(share, room, colour)} `}${figures}${shown}`;
}

function drawn(share: number, length: number, colour: boolean): string {
  const full = Math.round(share * length);
  const bar = `${'█'.repeat(full)}${'░'.repeat(length - full)}`;
  return colour ? `\u001b[36m${bar}\u001b[39m` : bar;
}
