// Draws CroBIM for docs/architecture.md as SVG: its parts and the values between them. ELK computes the layout.
import elk, { type ElkExtendedEdge, type ElkNode, type ElkPoint } from 'elkjs/lib/elk.bundled.js';
import { compile } from '../../compiler/compile.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { type Box, type DataFlow, dataFlow, type Edge, type Group } from './data-flow.ts';

/** Returns the picture of the first model of a file, or of the named one. */
export async function architecture(file: string, model?: string): Promise<string> {
  return drawn(dataFlow(compile(diskHost(), file, { model, dims: new Map(), overrides: [] })));
}

const letter = { name: 7.3, small: 6.1 };
const options = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.spacing.nodeNode': '22',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '12',
  'elk.layered.spacing.edgeNodeBetweenLayers': '8',
  'elk.padding': '[top=16,left=16,bottom=16,right=16]',
  'elk.json.edgeCoords': 'ROOT',
  'elk.json.shapeCoords': 'ROOT',
};

async function drawn(flow: DataFlow): Promise<string> {
  const root: ElkNode = {
    id: '',
    layoutOptions: options,
    children: [
      ...flow.groups.map(
        (group): ElkNode => ({
          id: groupId(group.name),
          layoutOptions: { 'elk.padding': '[top=42,left=14,bottom=14,right=14]' },
          children: nodesOf(
            group,
            flow.boxes.filter((box) => box.group === group.name),
          ),
        }),
      ),
      ...flow.boxes.filter(({ group }) => group === undefined).map(nodeOf),
    ],
    edges: flow.edges.map(
      (edge, i): ElkExtendedEdge => ({
        id: `edge ${i}`,
        sources: [edge.from],
        targets: [edge.to],
        labels: typesText(edge).map((text) => ({
          text,
          width: Math.round(text.length * letter.small) + 6,
          height: 14,
        })),
      }),
    ),
  };
  // Without a worker: outside a browser, the ELK bundle computes on this thread.
  const placed = await new elk.default().layout(root);
  return svg(flow, placed);
}

/** A single box is as wide as its group's text, because ELK makes groups only as wide as their boxes. */
function nodesOf(group: Group, boxes: readonly Box[]): ElkNode[] {
  const least = boxes.length === 1 ? Math.round(groupText(group).length * letter.small) : 0;
  return boxes.map(nodeOf).map((node) => ({ ...node, width: Math.max(least, node.width) }));
}

function nodeOf(box: Box): ElkNode & { readonly width: number } {
  const lines = textOf(box);
  const width = Math.max(...lines.map((line, i) => line.length * (i === 0 ? letter.name : letter.small))) + 22;
  return { id: box.id, width: Math.round(width), height: lines.length === 1 ? 28 : 42 };
}

/** Returns one line or two: the name, and the type or module. */
function textOf({ kind, name, what, count, parameters }: Box): string[] {
  switch (kind) {
    case 'part': {
      const title = name.replace('[*]', ` × ${count}`);
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

const groupId = (name: string): string => `group ${name}`;

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

function short(n: number): string {
  if (n >= 1e6) return `${(n / 1e6).toFixed(1)} M`;
  return n >= 1e3 ? `${(n / 1e3).toFixed(1)} k` : String(n);
}

const style = `
text { font: 12px ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; fill: #24292f }
.over { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round }
.small { font-size: 10px; fill: #57606a } .title { font-weight: 600 }
.group { fill: #f6f8fa; stroke: #d0d7de } .slot { stroke: #0969da; stroke-width: 1.5; stroke-dasharray: 6 4 }
.part { fill: #ffffff; stroke: #57606a } .operators { fill: #eaeef2; stroke: #8c959f }
.input, .output { fill: #ddf4ff; stroke: #0969da } .weight { fill: #fff8c5; stroke: #9a6700 }
.edge { fill: none; stroke: #6e7781; stroke-width: 1.1 } `;

function svg(flow: DataFlow, root: ElkNode): string {
  const { width = 0, height = 0, children = [], edges = [] } = root;
  const placed = new Map([...children, ...children.flatMap((one) => one.children ?? [])].map((one) => [one.id, one]));
  const pieces = [
    ...flow.groups.map((group) => groupSvg(group, required(placed, groupId(group.name)))),
    ...edges.map(edgeSvg),
    ...flow.boxes.map((box) => boxSvg(box, required(placed, box.id))),
    ...edges.map(labelSvg),
  ];
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img">
<title>${flow.model}: its parts, and which values go where</title>
<style>${style}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.8 8 4 0 7.2z" fill="#6e7781"/></marker></defs>
<rect width="${w}" height="${h}" rx="8" fill="#ffffff"/>
${pieces.join('\n')}
</svg>
`;
}

function required(
  placed: ReadonlyMap<string, ElkNode>,
  id: string,
): Required<Pick<ElkNode, 'x' | 'y' | 'width' | 'height'>> {
  const { x, y, width, height } = placed.get(id) ?? {};
  if (x === undefined || y === undefined || width === undefined || height === undefined)
    throw new Error(`${id} was given no place`);
  return { x, y, width, height };
}

const n = (value: number): string => String(Math.round(value * 10) / 10);

function groupSvg(group: Group, { x, y, width, height }: ReturnType<typeof required>): string {
  return `<g><rect class="group${group.slot === undefined ? '' : ' slot'}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="8"/><text class="title over" x="${n(x + 12)}" y="${n(y + 18)}">${group.name}</text><text class="small over" x="${n(x + 12)}" y="${n(y + 31)}">${groupText(group)}</text></g>`;
}

function boxSvg(box: Box, { x, y, width, height }: ReturnType<typeof required>): string {
  const [first = '', second] = textOf(box).map(escaped);
  const middle = n(x + width / 2);
  const round = box.kind === 'input' || box.kind === 'output' || box.kind === 'operators' ? 14 : 4;
  const name = `<text${box.kind === 'operators' ? '' : ' class="title"'} text-anchor="middle" x="${middle}" y="${n(y + 18)}">${first}</text>`;
  const what =
    second === undefined
      ? ''
      : `<text class="small" text-anchor="middle" x="${middle}" y="${n(y + 33)}">${second}</text>`;
  return `<g><rect class="${box.kind}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${round}"/>${name}${what}</g>`;
}

function edgeSvg({ sections = [] }: ElkExtendedEdge): string {
  const at = ({ x, y }: ElkPoint) => `${n(x)} ${n(y)}`;
  return sections
    .map(
      ({ startPoint, bendPoints = [], endPoint }) =>
        `<path class="edge" marker-end="url(#tip)" d="M${[startPoint, ...bendPoints, endPoint].map(at).join('L')}"/>`,
    )
    .join('');
}

function labelSvg({ labels = [] }: ElkExtendedEdge): string {
  return labels
    .map(
      ({ text = '', x = 0, y = 0 }) =>
        `<text class="small over" x="${n(x + 3)}" y="${n(y + 10.5)}">${escaped(text)}</text>`,
    )
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
