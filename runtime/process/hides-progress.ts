import { visible } from '../../compiler/diagnostics/visible.ts';
import { writeLine } from './status-line.ts';
import type { Environment, TerminalStream } from './terminal.ts';

/** Terminals and logs that have the note: every task asks. */
const noted = new WeakSet<TerminalStream>();

/** Whether the user wants no progress at all, as in logs that are compared. A wish that is none is a note, once. */
export function hidesProgress({ CROBC_PROGRESS: wish }: Environment, stream: TerminalStream): boolean {
  if (wish === 'off') return true;
  if (wish && !noted.has(stream)) {
    noted.add(stream);
    writeLine(visible(`note: CROBC_PROGRESS is ${wish}, which means nothing: \`off\` turns progress off`), stream);
  }
  return false;
}
