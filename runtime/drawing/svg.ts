import { type Drawing, ink, type Mark, type Paint, short, type TextMark, textSize } from './drawing.ts';
import { type Fonts, fontFamily } from './fonts.ts';

/** How texts are written: as text, or as the outlines of their letters, which look the same on all machines. */
export type TextForm = { readonly kind: 'text' } | { readonly kind: 'outlines'; readonly fonts: Fonts };

/** Writes a drawing as SVG, on a white sheet with round corners. The same drawing gives the same text. */
export function svg(drawing: Drawing, form: TextForm = { kind: 'text' }): string {
  const { title, width, height, marks } = drawing;
  const [w, h] = [short(width), short(height)];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" ${fontAttributes} role="img">
<title>${escaped(title)}</title>
<rect width="${w}" height="${h}" rx="8" fill="#ffffff"/>
${svgMarks(marks, form)}
</svg>
`;
}

/** The attributes of the element around marks. */
export const fontAttributes = `font-family="${fontFamily}" font-size="${textSize}" fill="${ink}"`;

/** Writes marks as elements of SVG, one a line. */
export function svgMarks(marks: readonly Mark[], form: TextForm = { kind: 'text' }): string {
  return marks.map((mark) => element(mark, form)).join('\n');
}

function element(mark: Mark, form: TextForm): string {
  switch (mark.kind) {
    case 'rectangle': {
      const round = mark.round === undefined ? '' : ` rx="${short(mark.round)}"`;
      return `<rect${role(mark)} x="${short(mark.x)}" y="${short(mark.y)}" width="${short(mark.width)}" height="${short(mark.height)}"${round}${painted(mark.paint)}/>`;
    }
    case 'path':
      return `<path${role(mark)} d="${mark.d}"${painted(mark.paint)}/>`;
    case 'circle':
      return `<circle${role(mark)} cx="${short(mark.x)}" cy="${short(mark.y)}" r="${short(mark.radius)}"${painted(mark.paint)}/>`;
    case 'text':
      // What the font does not have is left to the fonts of the machine.
      return form.kind === 'outlines' && form.fonts.missing(mark.line).length === 0
        ? outlined(mark, form.fonts)
        : written(mark);
    case 'group': {
      const moved = mark.x === 0 && mark.y === 0 ? '' : ` transform="translate(${short(mark.x)} ${short(mark.y)})"`;
      const [tag, link] = mark.link === undefined ? ['g', ''] : ['a', ` href="${escaped(mark.link)}"`];
      return `<${tag}${link}${moved}>${svgMarks(mark.marks, form)}</${tag}>`;
    }
  }
}

function role({ role }: { readonly role?: string }): string {
  return role === undefined ? '' : ` class="${escaped(role)}"`;
}

function painted({ fill = 'none', opacity, stroke, strokeWidth, dash }: Paint): string {
  const parts = [` fill="${fill}"`];
  if (opacity !== undefined) parts.push(`fill-opacity="${opacity}"`);
  if (stroke !== undefined) parts.push(`stroke="${stroke}"`);
  if (strokeWidth !== undefined) parts.push(`stroke-width="${strokeWidth}"`);
  if (dash !== undefined) parts.push(`stroke-dasharray="${dash.join(' ')}"`);
  return parts.join(' ');
}

const halo = ' stroke="#ffffff" stroke-width="3" stroke-linejoin="round"';

function written(mark: TextMark): string {
  const { line, x, y, size, weight = 'regular', fill, anchor = 'start', upright = false, fixedWidth } = mark;
  const parts = [`<text x="${short(x)}" y="${short(y)}"`];
  if (size !== textSize) parts.push(`font-size="${short(size)}"`);
  if (weight === 'bold') parts.push('font-weight="700"');
  if (anchor !== 'start') parts.push(`text-anchor="${anchor}"`);
  if (fill !== undefined) parts.push(`fill="${fill}"`);
  if (upright) parts.push(`transform="rotate(-90 ${short(x)} ${short(y)})"`);
  if (fixedWidth !== undefined) parts.push(`textLength="${short(fixedWidth)}" lengthAdjust="spacingAndGlyphs"`);
  return `${parts.join(' ')}${mark.halo ? `${halo} paint-order="stroke"` : ''}>${escaped(line)}</text>`;
}

function outlined(mark: TextMark, fonts: Fonts): string {
  const { line, x, y, size, weight, fill = ink, upright = false } = mark;
  const turned = upright ? ' rotate(-90)' : '';
  const moved = `translate(${short(x)} ${short(y)})${turned} translate(${short(-anchorOffset(mark, fonts))} 0)`;
  const around = mark.halo ? `${halo} paint-order="stroke"` : '';
  return `<path transform="${moved}" fill="${fill}"${around} d="${fonts.outline(line, size, weight)}"/>`;
}

/** Returns how far a line begins before its anchor. */
export function anchorOffset({ line, size, weight, anchor = 'start' }: TextMark, fonts: Fonts): number {
  if (anchor === 'start') return 0;
  return fonts.width(line, size, weight) / (anchor === 'middle' ? 2 : 1);
}

/** Escapes text for elements and quoted attributes. */
export function escaped(line: string): string {
  return line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
