import type { Box, DataFlow, Edge, Group } from './data-flow.ts';
import { type Placed, type Point, placed, type Rectangle } from './layout.ts';

/** Widths of a letter, in pixels. */
const letter = { name: 7.3, small: 6.1 };
const lineHeight = 14;

/** Draws a model as SVG: its parts as boxes, and the values between them. */
export function architectureSvg(flow: DataFlow): string {
  const drawing = drawn(flow);
  const { width: w, height: h } = drawing;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img">
<title>${escaped(flow.model)}: its parts, and which values go where</title>
<style>${style}
</style>
${tip}
<rect width="${w}" height="${h}" rx="8" fill="#ffffff"/>
${drawing.svg}
</svg>
`;
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Elements without the `svg` around them; `style` and `tip` are needed once in a picture. */
  readonly svg: string;
}

/** What is added to the elements of a box or group: classes, and a link. */
export interface Marks {
  readonly classOf?: (id: string) => string | undefined;
  readonly linkOf?: (id: string) => string | undefined;
}

/** Draws the elements of a picture. */
export function drawn(flow: DataFlow, marks: Marks = {}): Drawing {
  const lone = new Map(flow.groups.map(({ id }) => [id, flow.boxes.filter(({ group }) => group === id)]));
  const places = placed(
    [
      ...flow.groups.map(({ id, group }) => ({ id: groupId(id), group: group && groupId(group), size: undefined })),
      ...flow.boxes.map((box) => ({
        id: box.id,
        group: box.group && groupId(box.group),
        size: sizeOf(box, lone, flow),
      })),
    ],
    flow.edges.map((edge) => ({ from: edge.from, to: edge.to, label: labelSize(typesText(edge)) })),
  );
  const pieces = [
    ...flow.groups.map(({ id, slot }) =>
      rectangle(
        ['group', slot === undefined ? undefined : 'slot', marks.classOf?.(id)],
        required(places, groupId(id)),
        8,
      ),
    ),
    ...places.edges.map(({ points }) => edgeSvg(points)),
    ...flow.boxes.map((box) => boxSvg(box, required(places, box.id), marks)),
    ...flow.edges.map((edge, i) => labelSvg(typesText(edge), places.edges[i]?.label ?? { x: 0, y: 0 })),
    ...flow.groups.map((group) => titleSvg(group, required(places, groupId(group.id)), marks)),
  ];
  return { width: places.width, height: places.height, svg: pieces.join('\n') };
}

/** A single box is as wide as its group's text. */
function sizeOf(
  box: Box,
  lone: ReadonlyMap<string, readonly Box[]>,
  { groups }: DataFlow,
): { readonly width: number; readonly height: number } {
  const lines = textOf(box);
  const own = Math.max(...lines.map((line, i) => line.length * (i === 0 ? letter.name : letter.small))) + 22;
  const group = groups.find(({ id }) => id === box.group);
  const least = group && lone.get(group.id)?.length === 1 ? groupText(group).length * letter.small : 0;
  return { width: Math.round(Math.max(own, least)), height: lines.length === 1 ? 28 : 42 };
}

/** Returns one line or two: the name, and the type or module. */
function textOf({ kind, name, what, count, parameters }: Box): string[] {
  switch (kind) {
    case 'part': {
      const title = name.replace(/\[\*\]$/, ` × ${count}`);
      return [title, [what, ...(parameters > 0 ? [short(parameters)] : [])].join(' · ')];
    }
    case 'operators':
      return [name];
    case 'input':
      return [`input ${name}`, what];
    case 'output':
      return [`output ${name}`, what];
    case 'weight':
      return [`param ${name}`, what];
  }
}

function groupText({ module, slot, parameters }: Group): string {
  return `${slot === undefined ? module : `slot ${slot} = ${module}`} · ${short(parameters)}`;
}

const groupId = (id: string): string => `group ${id}`;

/** Formats the types on an edge, one line per rank; from three types of the same rank, only the first and the last. */
function typesText({ types }: Edge): string[] {
  const shown = types.map((type) => type.replace(/^f32/, ''));
  const byAxes = new Map<number, string[]>();
  for (const type of shown) {
    const axes = type.split(',').length;
    byAxes.set(axes, [...(byAxes.get(axes) ?? []), type]);
  }
  return [...byAxes.values()].flatMap((some) => (some.length > 2 ? [`${some[0]} … ${some.at(-1)}`] : some));
}

function labelSize(lines: readonly string[]): { readonly width: number; readonly height: number } {
  const longest = Math.max(0, ...lines.map(({ length }) => length));
  return { width: Math.round(longest * letter.small) + 6, height: lines.length * lineHeight };
}

function short(n: number): string {
  if (n >= 1e6) return `${(n / 1e6).toFixed(1)} M`;
  return n >= 1e3 ? `${(n / 1e3).toFixed(1)} k` : String(n);
}

export const style = `
text { font: 12px ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; fill: #24292f }
.over { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round }
.small { font-size: 10px; fill: #57606a } .title { font-weight: 600 }
.group { fill: #f6f8fa; stroke: #d0d7de } .slot { stroke: #0969da; stroke-width: 1.5; stroke-dasharray: 6 4 }
.part { fill: #ffffff; stroke: #57606a } .operators { fill: #eaeef2; stroke: #8c959f }
.input, .output { fill: #ddf4ff; stroke: #0969da } .weight { fill: #fff8c5; stroke: #9a6700 }
.behind { fill: #ffffff; fill-opacity: 0.88 } .edge { fill: none; stroke: #6e7781; stroke-width: 1.1 } `;

/** The tip of an edge. */
export const tip =
  '<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.8 8 4 0 7.2z" fill="#6e7781"/></marker></defs>';

function required({ nodes }: Placed, id: string): Rectangle {
  const found = nodes.get(id);
  if (!found) throw new Error(`bug in crobc: ${id} was given no place`);
  return found;
}

const n = (value: number): string => String(Math.round(value * 10) / 10);

function rectangle(
  classes: readonly (string | undefined)[],
  { x, y, width, height }: Rectangle,
  round: number,
): string {
  const named = classes.filter((one) => one !== undefined).join(' ');
  return `<rect class="${named}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${round}"/>`;
}

function linked(id: string, { linkOf }: Marks, svg: string): string {
  const link = linkOf?.(id);
  return link === undefined ? `<g>${svg}</g>` : `<a href="${escaped(link)}">${svg}</a>`;
}

function titleSvg(group: Group, { x, y }: Rectangle, marks: Marks): string {
  const name = group.name.replace(/\[\*\]$/, ` × ${group.count}`);
  return linked(
    group.id,
    marks,
    `<text class="title over" x="${n(x + 10)}" y="${n(y + 14)}">${escaped(name)}</text><text class="small over" x="${n(x + 10)}" y="${n(y + 26)}">${escaped(groupText(group))}</text>`,
  );
}

function boxSvg(box: Box, at: Rectangle, marks: Marks): string {
  const [first = '', second] = textOf(box).map(escaped);
  const middle = n(at.x + at.width / 2);
  const round = box.kind === 'input' || box.kind === 'output' || box.kind === 'operators' ? 14 : 4;
  const name = `<text${box.kind === 'operators' ? '' : ' class="title"'} text-anchor="middle" x="${middle}" y="${n(at.y + 18)}">${first}</text>`;
  const what =
    second === undefined
      ? ''
      : `<text class="small" text-anchor="middle" x="${middle}" y="${n(at.y + 33)}">${second}</text>`;
  return linked(box.id, marks, `${rectangle([box.kind, marks.classOf?.(box.id)], at, round)}${name}${what}`);
}

/** A smooth line through the points of an edge. */
function edgeSvg(points: readonly Point[]): string {
  const at = ({ x, y }: Point) => `${n(x)} ${n(y)}`;
  const [start, ...rest] = points;
  const end = rest.pop();
  if (!start || !end) return '';
  const curves = rest.map((point, i) => {
    const next = rest[i + 1];
    const to = next ? { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 } : end;
    return `Q${at(point)} ${at(to)}`;
  });
  return `<path class="edge" marker-end="url(#tip)" d="M${at(start)}${curves.length > 0 ? curves.join('') : `L${at(end)}`}"/>`;
}

/** The types on an edge, in front of the line. */
function labelSvg(lines: readonly string[], { x, y }: Point): string {
  const { width, height } = labelSize(lines);
  const behind = `<rect class="behind" x="${n(x)}" y="${n(y + 1)}" width="${n(width)}" height="${n(height - 2)}" rx="3"/>`;
  const texts = lines.map(
    (text, i) => `<text class="small" x="${n(x + 3)}" y="${n(y + 10.5 + i * lineHeight)}">${escaped(text)}</text>`,
  );
  return [...(lines.length > 0 ? [behind] : []), ...texts].join('');
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
