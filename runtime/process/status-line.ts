import { visible } from '../../compiler/diagnostics/visible.ts';
import { type TerminalStream, terminalWidth } from './terminal.ts';

/** Returns the text of a status line; it is cut to the columns of the terminal. */
export type StatusText = (columns: number) => string;

/** A line at the bottom of a terminal that is redrawn in place. */
export interface StatusLine {
  draw(): void;
  /** Removes the line; the previous status line, if any, is shown again. */
  remove(): void;
}

/** The status lines of each terminal; only the last one is visible. */
const lines = new Map<TerminalStream, StatusText[]>();

const eraseLine = '\r\u001b[2K';
/** Width of a terminal that does not report it. */
const usualColumns = 80;

export function addStatusLine(text: StatusText, stream: TerminalStream): StatusLine {
  const own = lines.get(stream) ?? [];
  lines.set(stream, own);
  own.push(text);
  show(stream);
  let removed = false;
  return {
    draw() {
      if (!removed && own.at(-1) === text) show(stream);
    },
    remove() {
      if (removed) return;
      removed = true;
      own.splice(own.indexOf(text), 1);
      if (own.length > 0) show(stream);
      else {
        lines.delete(stream);
        stream.write(eraseLine);
      }
    },
  };
}

/** Writes a line for the user, above the status line if there is one. */
export function writeLine(text: string, stream: TerminalStream): void {
  const line = `${visible(text)}\n`;
  const status = lines.has(stream);
  stream.write(status ? `${eraseLine}${line}` : line);
  if (status) show(stream);
}

function show(stream: TerminalStream): void {
  const text = lines.get(stream)?.at(-1);
  if (text === undefined) return;
  // Some terminals wrap when a character is written to the last column.
  const columns = (terminalWidth(stream) ?? usualColumns) - 1;
  stream.write(`${eraseLine}${text(columns)}`);
}
