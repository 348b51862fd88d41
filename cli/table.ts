import { visible } from '../compiler/diagnostics/visible.ts';

type Align = 'left' | 'right';

/** Spaces between two columns. */
const gap = 2;

/**
 * Formats a table: columns two spaces apart, with a rule below the header. If the terminal is too narrow, left-aligned
 * cells wrap between words; numbers and words stay whole as long as they fit into `columns`.
 */
export function table(
  heads: readonly string[],
  given: readonly (readonly string[])[],
  align: readonly Align[],
  columns: number | undefined,
): string {
  const rows = given.map((row) => row.map(visible));
  const cellsOf = (i: number) => [heads[i] ?? '', ...rows.map((row) => row[i] ?? '')];
  const widths = heads.map((_, i) => Math.max(...cellsOf(i).map((cell) => cell.length)));
  if (columns !== undefined) {
    const least = heads.map((_, i) => (align[i] === 'right' ? widths[i]! : longestWord(cellsOf(i))));
    narrow(widths, least, columns - gap * (heads.length - 1));
  }
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (align[i] === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join(' '.repeat(gap))
      .trimEnd();
  const lines = (row: readonly string[]) => {
    const cells = row.map((cell, i) => wrapped(cell, widths[i]!));
    const height = Math.max(...cells.map((cell) => cell.length));
    return Array.from({ length: height }, (_, at) => line(cells.map((cell) => cell[at] ?? '')));
  };
  const rule = widths.map((w) => '-'.repeat(w)).join(' '.repeat(gap));
  return [...lines(heads), rule, ...rows.flatMap(lines)].join('\n');
}

/** Formats labels and texts in two columns, indented by two spaces; on a terminal, texts wrap between words. */
export function labelled(
  rows: readonly (readonly [label: string, text: string])[],
  columns: number | undefined,
): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  const room = columns === undefined ? Number.POSITIVE_INFINITY : columns - width - 2 * gap;
  return rows
    .flatMap(([label, text]) =>
      wrapped(text, room).map((line, i) => `  ${(i === 0 ? label : '').padEnd(width)}${' '.repeat(gap)}${line}`),
    )
    .join('\n');
}

/** Shrinks the widest column that is above its minimum, repeatedly, until the sum fits into `room`. */
function narrow(widths: number[], least: readonly number[], room: number): void {
  let over = widths.reduce((sum, width) => sum + width, 0) - room;
  for (; over > 0; over--) {
    let widest: number | undefined;
    for (const [i, width] of widths.entries())
      if (width > least[i]! && (widest === undefined || width > widths[widest]!)) widest = i;
    if (widest === undefined) return;
    widths[widest]!--;
  }
}

function longestWord(cells: readonly string[]): number {
  const words = cells.flatMap((cell) =>
    cell
      .trim()
      .split(' ')
      .map((word) => word.length + cell.length - cell.trimStart().length),
  );
  return Math.max(...words);
}

/** Wraps a cell; continuation lines have the indentation of the first. */
function wrapped(cell: string, width: number): readonly string[] {
  if (cell.length <= width) return [cell];
  const indent = ' '.repeat(cell.length - cell.trimStart().length);
  const [first = '', ...others] = cell.trim().split(' ');
  const lines: string[] = [];
  let line = indent + first;
  for (const word of others) {
    if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line];
}
