// Draws the picture at the top of the README: a variant of CroBIM with a mistake, and the messages of crobc.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../program.mjs';

const source = `use models.crobim.{CroBIM}

/// The words alone, without the prompts behind them.
model CroBIM_Plain extends CroBIM {
  let refined = lgfa(maps, words, mask)
}
`;

/** Returns the picture as SVG text, with the output of the built program. */
export function checkPicture() {
  const folder = mkdtempSync(join(tmpdir(), 'crobc-picture-'));
  try {
    writeFileSync(join(folder, 'plain.crob'), source);
    const { NO_COLOR: _, ...env } = { ...process.env, FORCE_COLOR: '1' };
    const { stdout, stderr, status } = spawnSync(process.execPath, [program, 'check', 'plain.crob'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    if (status !== 1) throw new Error(`crobc ended with ${status}: ${stderr}`);
    return svg([
      ...source.trimEnd().split('\n').map(highlighted),
      [],
      [{ text: '$ ', style: 'dim' }, { text: 'crobc check plain.crob' }],
      ...stdout.trimEnd().split('\n').map(coloured),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const words = /(\/\/.*$)|\b(use|model|extends|let)\b|([A-Z]\w*)/g;

/** Splits a line of crob into pieces with styles. */
function highlighted(line) {
  const pieces = [];
  let at = 0;
  for (const match of line.matchAll(words)) {
    pieces.push({ text: line.slice(at, match.index) });
    const [text, comment, word] = match;
    pieces.push({ text, style: comment ? 'dim' : word ? 'word' : 'name' });
    at = match.index + text.length;
  }
  pieces.push({ text: line.slice(at) });
  return pieces.filter(({ text }) => text !== '');
}

const styles = { 1: 'bold', 2: 'dim', 31: 'red', 32: 'green', 33: 'yellow', 34: 'blue', 35: 'magenta', 36: 'cyan' };

const start = String.fromCharCode(27);
const sequence = new RegExp(`(${start}\\[[\\d;]*m)`);

/** Splits a line of terminal output into pieces, with styles from its escape sequences. */
function coloured(line) {
  const pieces = [];
  let style = [];
  for (const part of line.split(sequence)) {
    const codes = part.startsWith(start) ? part.slice(2, -1).split(';').map(Number) : undefined;
    if (codes === undefined) {
      if (part !== '') pieces.push({ text: part, style: style.join(' ') });
      continue;
    }
    for (const code of codes) {
      if (code === 0) style = [];
      else if (code === 22) style = style.filter((name) => name !== 'bold' && name !== 'dim');
      else if (code === 39) style = style.filter((name) => name === 'bold' || name === 'dim');
      else if (styles[code]) style = [...style, styles[code]];
    }
  }
  return pieces;
}

const cell = { width: 8.43, height: 20 };
const margin = 22;

function svg(lines) {
  const columns = Math.max(...lines.map((line) => line.reduce((n, { text }) => n + text.length, 0)));
  const width = Math.ceil(columns * cell.width + 2 * margin);
  const height = lines.length * cell.height + 2 * margin;
  const rows = lines.map((line, i) => {
    let column = 0;
    const spans = line.map(({ text, style }) => {
      // Each piece starts at its first letter, because renderers treat spaces at the edges of a tspan differently.
      const word = text.trim();
      const x = (margin + (column + text.length - text.trimStart().length) * cell.width).toFixed(1);
      column += text.length;
      if (word === '') return '';
      const length = (word.length * cell.width).toFixed(1);
      return `<tspan x="${x}" textLength="${length}"${style ? ` class="${style}"` : ''}>${escaped(word)}</tspan>`;
    });
    return `<text y="${margin + i * cell.height + 14}">${spans.join('')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>crobc check finds a shape error in a variant of CroBIM</title>
<style>
text { font: 14px ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; fill: #d7dae0; white-space: pre }
.bold { font-weight: 600 } .dim { fill: #8a919e } .word { fill: #c792ea } .name { fill: #82aaff }
.red { fill: #f47067 } .green { fill: #8ddb8c } .yellow { fill: #e3b341 } .blue, .cyan { fill: #6cb6ff } .magenta { fill: #dcbdfb }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#1b1f27"/>
${rows.join('\n')}
</svg>
`;
}

/** Escapes text for XML, with spaces that SVG preserves. */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll(' ', '\u00a0');
}
