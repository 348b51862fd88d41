import type { MessageRow } from '../../compiler/diagnostics/message-row.ts';
import { type MessageCode, messages } from '../../compiler/diagnostics/messages.ts';
import { nearest } from '../../grammar/nearest.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import type { Io } from '../io.ts';
import { printLine, printText } from '../print.ts';

/** Prints the explanation of a message code; without a code, the list of all codes. */
export function explain(io: Io, code: string | undefined): number {
  if (code === undefined) {
    for (const [key, row] of Object.entries(messages)) printLine(io, `${key}  ${row.title}`);
    return 0;
  }
  const key = /^\d+$/.test(code) ? `CROB${code}` : code.toUpperCase();
  const row: MessageRow | undefined = Object.hasOwn(messages, key) ? messages[key as MessageCode] : undefined;
  if (!row) {
    const meant = nearest(key, Object.keys(messages));
    throw new UsageError(
      `there is no message ${key}${meant ? `; did you mean ${meant}?` : ''} (crobc explain lists them)`,
    );
  }
  const lock = row.lock === undefined ? '' : `\nwith this crob.lock:\n\n${indented(row.lock)}\n`;
  printText(
    io,
    `${key}: ${row.title}\n\n${row.explanation.trim()}\n\nThis gives it:\n\n${indented(row.example)}\n${lock}`,
  );
  return 0;
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
