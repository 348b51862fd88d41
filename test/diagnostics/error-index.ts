import type { MessageRow } from '../../compiler/diagnostics/message-row.ts';
import { messages } from '../../compiler/diagnostics/messages.ts';
import { renderTerminal } from '../../compiler/diagnostics/render-terminal.ts';
import { exampleDiagnostics, exampleText } from './example.ts';

const groups: readonly (readonly [string, string])[] = [
  ['CROB10', 'Syntax'],
  ['CROB20', 'Names'],
  ['CROB21', 'Shapes'],
  ['CROB22', 'Static values'],
  ['CROB23', 'Models, variants, recipes, weights'],
  ['CROB24', 'Locks'],
];

/** `docs/errors/index.md`: every message of the catalogue with a file that gives it, and what is then printed. */
export function errorIndex(): string {
  const rows = Object.entries(messages) as [string, MessageRow][];
  const parts = groups.map(([prefix, title]) => {
    const own = rows.filter(([code]) => code.startsWith(prefix));
    return `## ${title}\n\n${own.map(([code, row]) => entry(code, row)).join('\n')}`;
  });
  return `# Messages

What \`crobc\` says when a file is wrong, code by code. \`crobc explain CODE\` prints the same. A message has the place, the
way by which shapes came there, and what to do. Each file below is checked by the tests and gives just the message shown.

This page is made from the catalogue in \`compiler/diagnostics/messages\` by
\`npx vitest run test/diagnostics/error-index.test.ts -u\`.

${parts.join('\n')}`;
}

function entry(code: string, row: MessageRow): string {
  const printed = renderTerminal(exampleDiagnostics(row), (file) => exampleText(row, file), {
    color: false,
    width: 100,
  });
  const lock =
    row.lock === undefined ? '' : `With this \`crob.lock\`:\n\n\`\`\`text\n${row.lock.trimEnd()}\n\`\`\`\n\n`;
  return `### ${code}: ${row.title}

${row.explanation.trim()}

\`\`\`crob ${code}
${row.example.trimEnd()}
\`\`\`

${lock}\`\`\`text
${printed.trimEnd()}
\`\`\`
`;
}
