import {
  at,
  type Drawing,
  group,
  type Mark,
  type Paint,
  path,
  quadratic,
  rectangle,
  text,
  textSize,
} from '../drawing/drawing.ts';
import type { Fonts } from '../drawing/fonts.ts';
import type { Box, DataFlow, Edge, Group } from './data-flow.ts';
import { type Placed, type Point, placed, type Rectangle } from './layout.ts';

const smallSize = 10;
const smallInk = '#57606a';
const lineHeight = 14;

/** Draws a model: its parts as boxes, and the values between them. */
export function architecture(flow: DataFlow, fonts: Fonts): Drawing {
  return { title: `${flow.model}: its parts, and which values go where`, ...drawn(flow, fonts) };
}

/** What is added to a box or group: a role with another paint, and a link. */
export interface Marks {
  readonly changeOf?: (id: string) => { readonly role: string; readonly paint: Paint } | undefined;
  readonly linkOf?: (id: string) => string | undefined;
}

/** Draws the marks of a picture. */
export function drawn(flow: DataFlow, fonts: Fonts, marks: Marks = {}): Omit<Drawing, 'title'> {
  const lone = new Map(flow.groups.map(({ id }) => [id, flow.boxes.filter(({ group }) => group === id)]));
  const places = placed(
    [
      ...flow.groups.map(({ id, group }) => ({ id: groupId(id), group: group && groupId(group), size: undefined })),
      ...flow.boxes.map((box) => ({
        id: box.id,
        group: box.group && groupId(box.group),
        size: sizeOf(box, lone, flow, fonts),
      })),
    ],
    flow.edges.map((edge) => ({ from: edge.from, to: edge.to, label: labelSize(typesText(edge), fonts) })),
  );
  return {
    width: places.width,
    height: places.height,
    marks: [
      ...flow.groups.map((one) => groupMark(one, required(places, groupId(one.id)), marks)),
      ...places.edges.flatMap(({ points }) => edgeMarks(points)),
      ...flow.boxes.map((box) => boxMark(box, required(places, box.id), marks)),
      ...flow.edges.flatMap((edge, i) => labelMarks(typesText(edge), places.edges[i]?.label ?? { x: 0, y: 0 }, fonts)),
      ...flow.groups.map((one) => titleMark(one, required(places, groupId(one.id)), marks)),
    ],
  };
}

/** A single box is as wide as its group's text. */
function sizeOf(
  box: Box,
  lone: ReadonlyMap<string, readonly Box[]>,
  { groups }: DataFlow,
  fonts: Fonts,
): { readonly width: number; readonly height: number } {
  const lines = textOf(box);
  const [first = '', second = ''] = lines;
  const own = Math.max(fonts.width(first, textSize, nameWeight(box)), fonts.width(second, smallSize)) + 26;
  const group = groups.find(({ id }) => id === box.group);
  const least = group && lone.get(group.id)?.length === 1 ? fonts.width(groupText(group), smallSize) : 0;
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

function nameWeight({ kind }: Box) {
  return kind === 'operators' ? 'regular' : 'bold';
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

function labelSize(lines: readonly string[], fonts: Fonts): { readonly width: number; readonly height: number } {
  const longest = Math.max(0, ...lines.map((line) => fonts.width(line, smallSize)));
  return { width: Math.round(longest) + 10, height: lines.length * lineHeight };
}

function short(n: number): string {
  if (n >= 1e6) return `${(n / 1e6).toFixed(1)} M`;
  return n >= 1e3 ? `${(n / 1e3).toFixed(1)} k` : String(n);
}

const edgePaint = { stroke: '#6e7781', strokeWidth: 1.1 } as const;

const groupPaint: Paint = { fill: '#f6f8fa', stroke: '#d0d7de' };
const slotPaint: Paint = { fill: '#f6f8fa', stroke: '#0969da', strokeWidth: 1.5, dash: [6, 4] };

/** How a part looks. */
export const partPaint: Paint = { fill: '#ffffff', stroke: '#57606a' };
const portPaint: Paint = { fill: '#ddf4ff', stroke: '#0969da' };
const boxPaints: Readonly<Record<Box['kind'], Paint>> = {
  part: partPaint,
  operators: { fill: '#eaeef2', stroke: '#8c959f' },
  input: portPaint,
  output: portPaint,
  weight: { fill: '#fff8c5', stroke: '#9a6700' },
};

function required({ nodes }: Placed, id: string): Rectangle {
  const found = nodes.get(id);
  if (!found) throw new Error(`bug in crobc: ${id} was given no place`);
  return found;
}

function groupMark({ id, slot }: Group, place: Rectangle, { changeOf }: Marks): Mark {
  const change = changeOf?.(id);
  const role = slot === undefined ? 'group' : 'group slot';
  const paint = slot === undefined ? groupPaint : slotPaint;
  return rectangle(place, { ...paint, ...change?.paint }, { round: 8, role: change ? `${role} ${change.role}` : role });
}

function titleMark(one: Group, { x, y }: Rectangle, { linkOf }: Marks): Mark {
  const name = one.name.replace(/\[\*\]$/, ` × ${one.count}`);
  return group(
    0,
    0,
    [
      text(name, x + 10, y + 14, { weight: 'bold', halo: true }),
      text(groupText(one), x + 10, y + 26, { size: smallSize, fill: smallInk, halo: true }),
    ],
    linkOf?.(one.id),
  );
}

function boxMark(box: Box, place: Rectangle, { changeOf, linkOf }: Marks): Mark {
  const [first = '', second] = textOf(box);
  const middle = place.x + place.width / 2;
  const round = box.kind === 'input' || box.kind === 'output' || box.kind === 'operators' ? 14 : 4;
  const change = changeOf?.(box.id);
  const paint = { ...boxPaints[box.kind], ...change?.paint };
  const marks = [
    rectangle(place, paint, { round, role: change ? `${box.kind} ${change.role}` : box.kind }),
    text(first, middle, place.y + 18, { anchor: 'middle', weight: nameWeight(box) }),
    ...(second === undefined
      ? []
      : [text(second, middle, place.y + 33, { anchor: 'middle', size: smallSize, fill: smallInk })]),
  ];
  return group(0, 0, marks, linkOf?.(box.id));
}

/** A smooth line through the points of an edge, with a tip. */
function edgeMarks(points: readonly Point[]): Mark[] {
  const [start, ...rest] = points;
  const end = rest.pop();
  if (!start || !end) return [];
  let [d, last] = [`M${at(start.x, start.y)}`, start];
  for (const [i, point] of rest.entries()) {
    const next = rest[i + 1];
    const to = next ? { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 } : end;
    d += quadratic(last, point, to);
    last = to;
  }
  if (rest.length === 0) d += `L${at(end.x, end.y)}`;
  return [path(d, edgePaint, 'edge'), tip(rest.at(-1) ?? start, end)];
}

/** A triangle at the end of an edge, in its direction. */
function tip(from: Point, end: Point): Mark {
  const length = Math.hypot(end.x - from.x, end.y - from.y) || 1;
  const [dx, dy] = [(end.x - from.x) / length, (end.y - from.y) / length];
  const corner = (side: number) => at(end.x - 7 * dx - 3.1 * side * dy, end.y - 7 * dy + 3.1 * side * dx);
  return path(`M${at(end.x, end.y)}L${corner(1)}L${corner(-1)}Z`, { fill: edgePaint.stroke });
}

/** The types on an edge, in front of the line. */
function labelMarks(lines: readonly string[], { x, y }: Point, fonts: Fonts): Mark[] {
  if (lines.length === 0) return [];
  const { width, height } = labelSize(lines, fonts);
  return [
    rectangle({ x, y: y + 1, width, height: height - 2 }, { fill: '#ffffff', opacity: 0.88 }, { round: 3 }),
    ...lines.map((types, i) =>
      text(types, x + width / 2, y + 10.5 + i * lineHeight, {
        size: smallSize,
        fill: smallInk,
        anchor: 'middle',
        // In a wider font, it would reach into others.
        fixedWidth: fonts.width(types, smallSize),
      }),
    ),
  ];
}
