/** The fonts of figures, as in papers: sans serif, whichever is there. */
export const fontFamily = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

export interface TextStyle {
  readonly size: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly weight?: 400 | 600;
  readonly fill?: string;
  /** Turned by 90° to the left, for the name of a vertical axis. */
  readonly upright?: boolean;
}

/** Returns a line of text as SVG; (x, y) is on its baseline. */
export function text(line: string, x: number, y: number, style: TextStyle): string {
  const { size, anchor = 'start', weight = 400, fill = '#1c2128', upright = false } = style;
  const turned = upright ? ` transform="rotate(-90 ${short(x)} ${short(y)})"` : '';
  return `<text x="${short(x)}" y="${short(y)}" font-size="${short(size)}" text-anchor="${anchor}" font-weight="${weight}" fill="${fill}"${turned}>${escaped(line)}</text>`;
}

/** Rounds to hundredths, so that figures are small files and the same everywhere. */
export function short(x: number): string {
  return String(Math.round(x * 100) / 100);
}

export function escaped(line: string): string {
  return line.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? '&quot;');
}

/**
 * An upper bound of the width of a line in units of its font size. The widest of the fonts, DejaVu Sans in bold, decides; letters beyond
 * Latin, which come from other fonts, count as wide as they are high.
 */
export function widthBound(line: string): number {
  let width = 0;
  for (const letter of line) width += letterWidth(letter);
  return width;
}

function letterWidth(letter: string): number {
  if (/[ijlI|.,:;'!]/.test(letter)) return 0.42;
  if (/[frt()\-[\]/" ]/.test(letter)) return 0.54;
  if (/[mMwW@%]/.test(letter)) return 1.12;
  if (/[A-Z]/.test(letter)) return 0.86;
  return /[a-z0-9\p{Script=Latin}]/u.test(letter) ? 0.74 : 1.12;
}
