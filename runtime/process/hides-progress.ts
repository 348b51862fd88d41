import { visible } from '../../compiler/diagnostics/visible.ts';
import { writeLine } from './status-line.ts';
import type { Environment, TerminalStream } from './terminal.ts';

/** Streams that have received the note, which is written once although every task calls `hidesProgress`. */
const noted = new WeakSet<TerminalStream>();

/**
 * Whether CROBC_PROGRESS turns progress off, for example for logs that are compared.
 * Writes a note once about other values.
 */
export function hidesProgress({ CROBC_PROGRESS: wish }: Environment, stream: TerminalStream): boolean {
  if (wish === 'off') return true;
  if (wish && !noted.has(stream)) {
    noted.add(stream);
    writeLine(visible(`note: CROBC_PROGRESS is ${wish}, which means nothing: \`off\` turns progress off`), stream);
  }
  return false;
}
