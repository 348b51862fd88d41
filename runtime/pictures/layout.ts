import { graphlib, layout } from '@dagrejs/dagre';

/** A rectangle to be placed: a box, or a group, whose size follows from what is in it. */
export interface LayoutNode {
  readonly id: string;
  /** The group around it. */
  readonly group: string | undefined;
  /** Undefined for a group. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
}

export interface LayoutEdge {
  readonly from: string;
  readonly to: string;
  readonly label: { readonly width: number; readonly height: number };
}

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Placed {
  readonly width: number;
  readonly height: number;
  /** By id. */
  readonly nodes: ReadonlyMap<string, Rectangle>;
  /** In the order of the edges: the line, and the top left corner of its label. */
  readonly edges: readonly { readonly points: readonly Point[]; readonly label: Point }[];
}

/** Space for the title of a group above what is in it, and around it. */
const title = 34;
const margin = 12;

/**
 * Places boxes in layers from top to bottom, each edge downwards, with groups around their boxes. The same graph has the
 * same layout.
 */
export function placed(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): Placed {
  const graph = new graphlib.Graph({ compound: true, multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 22, edgesep: 12, ranksep: 26, marginx: 16, marginy: 16 });
  for (const { id, size } of nodes) graph.setNode(id, { ...size });
  for (const { id, group } of nodes) if (group !== undefined) graph.setParent(id, group);
  const groupOf = new Map(nodes.map(({ id, group }) => [id, group]));
  const groupsOf = (id: string): string[] => {
    const group = groupOf.get(id);
    return group === undefined ? [] : [group, ...groupsOf(group)];
  };
  for (const [i, { from, to, label }] of edges.entries()) {
    const around = groupsOf(from);
    // The label of an edge into a group stands above the title.
    const entered = groupsOf(to).filter((group) => !around.includes(group)).length;
    graph.setEdge(from, to, { ...label, labelpos: 'c', minlen: 1 + entered }, `edge ${i}`);
  }
  layout(graph);
  const rectangles = new Map<string, Rectangle>();
  for (const { id, size } of nodes) {
    const { x, y, width, height } = graph.node(id) as Rectangle;
    if (size) rectangles.set(id, { x: x - width / 2, y: y - height / 2, width, height });
  }
  for (const { id, size } of [...nodes].reverse())
    if (!size) rectangles.set(id, around(insideOf(id, nodes, rectangles)));
  const lines = edges.map(({ from, to, label }, i) => {
    const { points, x, y } = graph.edge(from, to, `edge ${i}`) as { points: Point[]; x: number; y: number };
    return { points, label: { x: x - label.width / 2, y: y - label.height / 2 } };
  });
  return within(rectangles, lines, edges);
}

function insideOf(
  group: string,
  nodes: readonly LayoutNode[],
  rectangles: ReadonlyMap<string, Rectangle>,
): Rectangle[] {
  return nodes.flatMap((node) => (node.group === group ? (rectangles.get(node.id) ?? []) : []));
}

function around(rectangles: readonly Rectangle[]): Rectangle {
  const left = Math.min(...rectangles.map(({ x }) => x)) - margin;
  const top = Math.min(...rectangles.map(({ y }) => y)) - title;
  const right = Math.max(...rectangles.map(({ x, width }) => x + width)) + margin;
  const bottom = Math.max(...rectangles.map(({ y, height }) => y + height)) + margin;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Moves everything so that the picture begins at 0. */
function within(
  rectangles: ReadonlyMap<string, Rectangle>,
  lines: readonly { readonly points: readonly Point[]; readonly label: Point }[],
  edges: readonly LayoutEdge[],
): Placed {
  const labels = lines.map(({ label }, i): Rectangle => ({ ...label, width: 0, height: 0, ...edges[i]?.label }));
  const all = [...rectangles.values(), ...labels, ...lines.flatMap(({ points }) => points.map(asRectangle))];
  const left = Math.min(...all.map(({ x }) => x)) - 16;
  const top = Math.min(...all.map(({ y }) => y)) - 16;
  const moved = <T extends Point>(one: T): T => ({ ...one, x: one.x - left, y: one.y - top });
  return {
    width: Math.ceil(Math.max(...all.map(({ x, width }) => x + width)) - left + 16),
    height: Math.ceil(Math.max(...all.map(({ y, height }) => y + height)) - top + 16),
    nodes: new Map([...rectangles].map(([id, one]) => [id, moved(one)])),
    edges: lines.map(({ points, label }) => ({ points: points.map(moved), label: moved(label) })),
  };
}

function asRectangle({ x, y }: Point): Rectangle {
  return { x, y, width: 0, height: 0 };
}
