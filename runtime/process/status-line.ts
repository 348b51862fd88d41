import { visible } from '../../compiler/diagnostics/visible.ts';
import { type TerminalStream, terminalWidth } from './terminal.ts';

/** The text of a status line for a terminal of so many columns; it is cut to them. */
export type StatusText = (columns: number) => string;

/** A line at the bottom of a terminal, which is drawn again where it stands. */
export interface StatusLine {
  draw(): void;
  /** Takes the line away; one that was covered by it is shown again. */
  remove(): void;
}

/** The lines of each terminal, of which the last is shown. */
const lines = new Map<TerminalStream, StatusText[]>();

const eraseLine = '\r\u001b[2K';
/** Of a terminal that does not say how wide it is. */
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

/** A line for the user, above the status line where there is one. */
export function writeLine(text: string, stream: TerminalStream): void {
  const line = `${visible(text)}\n`;
  const status = lines.has(stream);
  stream.write(status ? `${eraseLine}${line}` : line);
  if (status) show(stream);
}

function show(stream: TerminalStream): void {
  const text = lines.get(stream)?.at(-1);
  if (text === undefined) return;
  // In the last column some terminals begin a new line already.
  const columns = (terminalWidth(stream) ?? usualColumns) - 1;
  stream.write(`${eraseLine}${text(columns)}`);
}
