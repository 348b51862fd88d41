/**
 * A font of 5 × 7 dots, for pictures that look the same on all machines, including those without fonts. One byte
 * per column, with the lowest bit at the top.
 */
const glyphs: Readonly<Record<string, string>> = {
  '0': '3e5149453e',
  '1': '00427f4000',
  '2': '4261514946',
  '3': '2141454b31',
  '4': '1814127f10',
  '5': '2745454539',
  '6': '3c4a494930',
  '7': '0171090503',
  '8': '3649494936',
  '9': '064949291e',
  a: '2054545478',
  b: '7f48444438',
  c: '3844444420',
  d: '384444487f',
  e: '3854545418',
  f: '087e090102',
  g: '0c5252523e',
  h: '7f08040478',
  i: '00447d4000',
  j: '2040443d00',
  k: '7f10284400',
  l: '00417f4000',
  m: '7c04180478',
  n: '7c08040478',
  o: '3844444438',
  p: '7c14141408',
  q: '081414187c',
  r: '7c08040408',
  s: '4854545420',
  t: '043f444020',
  u: '3c4040207c',
  v: '1c2040201c',
  w: '3c4030403c',
  x: '4428102844',
  y: '0c5050503c',
  z: '4464544c44',
  ',': '0050300000',
  '-': '0808080808',
  '+': '08083e0808',
  '.': '0060600000',
  '%': '2313086462',
  '(': '001c224100',
  ')': '0041221c00',
  '/': '2010080402',
  ':': '0036360000',
};

/** Columns per letter including the gap, and rows of a letter. */
export const PITCH = 6;
export const ROWS = 7;

/** Returns the width of a line of text; `dot` is the width of a dot. */
export function textWidth(text: string, dot: number): number {
  return Math.max(0, text.length * PITCH - 1) * dot;
}

/** Returns text as an SVG path with its upper left corner at (x, y); characters without a glyph are blank. */
export function lettering(text: string, x: number, y: number, dot: number, colour: string): string {
  let d = '';
  for (const [i, letter] of [...text.toLowerCase()].entries()) {
    const columns = glyphs[letter];
    if (columns === undefined) continue;
    for (let column = 0; column < 5; column++) {
      const bits = Number.parseInt(columns.slice(column * 2, column * 2 + 2), 16);
      for (let row = 0; row < ROWS; row++) {
        if (((bits >> row) & 1) === 0) continue;
        const [left, top] = [x + (i * PITCH + column) * dot, y + row * dot];
        d += `M${+left.toFixed(2)},${+top.toFixed(2)}h${dot}v${dot}h-${dot}z`;
      }
    }
  }
  return `<path d="${d}" fill="${colour}"/>`;
}

/** Wraps a text at spaces into lines of at most `letters` letters. */
export function wrapped(text: string, letters: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= letters) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
