import { join } from 'node:path';
import type { Font, GlyphRun } from 'fontkit';
import { packageRoot } from '../files/package-root.ts';
import { readBytes } from '../files/read-file.ts';
import { at, type Position, quadratic, type Weight } from './drawing.ts';

/**
 * The font of pictures: Arimo, which the package contains. It is as wide as Arial, Helvetica and Liberation Sans, so an
 * SVG looks the same on machines that have one of these.
 */
export const fontFamily = "Arimo, Arial, 'Liberation Sans', Helvetica, sans-serif";

const files = { regular: 'Arimo-Regular.ttf', bold: 'Arimo-Bold.ttf' } as const satisfies Record<Weight, string>;

export class Fonts {
  readonly #fonts: Readonly<Record<Weight, Font>>;
  /** The font files. */
  readonly files: Readonly<Record<Weight, Buffer>>;

  constructor(fonts: Readonly<Record<Weight, Font>>, bytes: Readonly<Record<Weight, Buffer>>) {
    this.#fonts = fonts;
    this.files = bytes;
  }

  /** Returns the width of a line, in the unit of its font's size. */
  width(line: string, size: number, weight: Weight = 'regular'): number {
    const font = this.#fonts[weight];
    return (advance(font.layout(line)) * size) / font.unitsPerEm;
  }

  /** Returns the outline of a line as a path, which begins at the origin, on the baseline. */
  outline(line: string, size: number, weight: Weight = 'regular'): string {
    const font = this.#fonts[weight];
    const scale = size / font.unitsPerEm;
    const run = font.layout(line);
    let [x, d] = [0, ''];
    for (const [i, glyph] of run.glyphs.entries()) {
      const { xOffset = 0, yOffset = 0, xAdvance = 0 } = run.positions[i] ?? {};
      let pen = { x: 0, y: 0 };
      const points = (args: readonly number[]): Position[] =>
        Array.from({ length: args.length / 2 }, (_, k) => ({
          x: scale * (x + xOffset + (args[2 * k] ?? 0)),
          y: -scale * (yOffset + (args[2 * k + 1] ?? 0)),
        }));
      for (const { command, args } of glyph.path.commands) {
        const all = points(args);
        const end = all.at(-1);
        d +=
          command === 'quadraticCurveTo' && all[0] && end
            ? quadratic(pen, all[0], end)
            : letters[command] + all.map((point) => at(point.x, point.y)).join(' ');
        pen = end ?? pen;
      }
      x += xAdvance;
    }
    return d;
  }

  /** Returns the characters of a line that the font does not have. */
  missing(line: string): readonly string[] {
    const font = this.#fonts.regular;
    return [...line].filter((character) => !font.hasGlyphForCodePoint(character.codePointAt(0) ?? 0));
  }

  /** Shortens a line that is wider than `width`; it then ends with dots. */
  fitted(line: string, width: number, size: number): string {
    if (this.width(line, size) <= width) return line;
    const kept = [...line];
    while (kept.length > 1 && this.width(`${kept.join('')}…`, size) > width) kept.pop();
    return `${kept.join('').trimEnd()}…`;
  }
}

const letters = { moveTo: 'M', lineTo: 'L', quadraticCurveTo: 'Q', bezierCurveTo: 'C', closePath: 'Z' } as const;

function advance({ positions }: GlyphRun): number {
  return positions.reduce((sum, { xAdvance }) => sum + xAdvance, 0);
}

let loading: Promise<Fonts> | undefined;

/** Loads the fonts of pictures on first use. */
export function loadFonts(): Promise<Fonts> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Fonts> {
  const { create } = await import('fontkit');
  const folder = join(packageRoot(), 'dist', 'fonts');
  const read = async (weight: Weight) => {
    const bytes = await readBytes(join(folder, files[weight]), 'record');
    const font = create(bytes);
    if (!('layout' in font)) throw new Error(`bug in crobc: ${files[weight]} is no single font`);
    return { font, bytes };
  };
  const [regular, bold] = await Promise.all([read('regular'), read('bold')]);
  return new Fonts({ regular: regular.font, bold: bold.font }, { regular: regular.bytes, bold: bold.bytes });
}
