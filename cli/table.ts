import { visible } from '../compiler/diagnostics/visible.ts';

type Align = 'left' | 'right';

/** Plain columns, two blanks between, a rule below the heads. */
export function table(
  heads: readonly string[],
  given: readonly (readonly string[])[],
  align: readonly Align[],
): string {
  const rows = given.map((row) => row.map(visible));
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (align[i] === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(heads), widths.map((w) => '-'.repeat(w)).join('  '), ...rows.map(line)].join('\n');
}
