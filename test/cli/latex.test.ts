import { expect, test } from 'vitest';
import { latexTable } from '../../cli/latex.ts';

test('what has a meaning in LaTeX is escaped, in cells of any names', () => {
  const rows = [
    ['  50 % & more_of #1 {x}', '1'],
    ['a\\b~c^d<e>f|g$\u0000\n', '2'],
  ];
  expect(latexTable(['', 'n'], rows, ['of data%\nset'])).toBe(
    [
      '% of data% set',
      '\\begin{tabular}{lr}',
      '\\toprule',
      ' & n \\\\',
      '\\midrule',
      '\\quad 50 \\% \\& more\\_of \\#1 \\{x\\} & 1 \\\\',
      'a\\textbackslash{}b\\textasciitilde{}c\\textasciicircum{}d\\textless{}e\\textgreater{}f\\textbar{}g\\$ & 2 \\\\',
      '\\bottomrule',
      '\\end{tabular}',
    ].join('\n'),
  );
});
