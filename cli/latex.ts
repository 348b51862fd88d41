/** A table in LaTeX for the package booktabs: the first column to the left, the others to the right. */
export function latexTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  comments: readonly string[],
): string {
  const line = (cells: readonly string[]) => `${cells.map(cell).join(' & ')} \\\\`;
  return [
    // A comment ends with its line.
    ...comments.map((text) => `% ${text.replace(/\s+/g, ' ')}`),
    `\\begin{tabular}{l${'r'.repeat(Math.max(0, heads.length - 1))}}`,
    '\\toprule',
    line(heads),
    '\\midrule',
    ...rows.map(line),
    '\\bottomrule',
    '\\end{tabular}',
  ].join('\n');
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '±': '$\\pm$',
};

/** Escapes what has a meaning in LaTeX; control characters are left out. Spaces at the beginning indent. */
function cell(text: string): string {
  const plain = text.trimStart();
  const indent = text.length > plain.length ? '\\quad ' : '';
  const safe = plain.replace(/\p{C}/gu, '').replace(/[\\~^<>|±]|[&%$#_{}]/g, (c) => escapes[c] ?? `\\${c}`);
  return indent + safe;
}
