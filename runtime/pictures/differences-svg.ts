import type { ModelDifferences } from '../diff/differences.ts';
import { drawn, escaped, style, tip } from './architecture-svg.ts';
import { type ChangeKind, changeOf } from './changes.ts';
import type { DataFlow } from './data-flow.ts';

const colours: Readonly<Record<ChangeKind, { readonly css: string; readonly text: string }>> = {
  removed: { css: 'fill: #ffebe9; stroke: #cf222e; stroke-width: 2', text: 'removed' },
  added: { css: 'fill: #dafbe1; stroke: #1a7f37; stroke-width: 2', text: 'added' },
  exchanged: { css: 'fill: #fff1e5; stroke: #bc4c00; stroke-width: 2', text: 'another module' },
  changed: { css: 'fill: #fbefff; stroke: #8250df; stroke-width: 2', text: 'other parameters or equations' },
  follows: { css: 'stroke: #8250df; stroke-width: 1.5; stroke-dasharray: 3 3', text: 'other sizes, which follow' },
};

/** Space for the names of the models, between the pictures, and for the legend. */
const head = 40;
const gap = 40;
const foot = 44;

/** Draws two models side by side, with colours for what differs. */
export function differencesSvg(
  found: ModelDifferences,
  before: DataFlow,
  after: DataFlow,
  names: readonly [string, string],
) {
  const [left, right] = (
    [
      ['before', before],
      ['after', after],
    ] as const
  ).map(([side, flow]) => drawn(flow, { classOf: classesOf(found, side, flow) }));
  if (!left || !right) throw new Error('bug in crobc: two models give two pictures');
  const w = Math.max(left.width + gap + right.width, 760);
  const h = head + Math.max(left.height, right.height) + foot;
  const kinds = Object.entries(colours);
  const legend = kinds.map(([kind, { text }], i) => {
    const x = 16 + kinds.slice(0, i).reduce((sum, [, one]) => sum + one.text.length * 6.4 + 40, 0);
    return `<rect class="part ${kind}" x="${x}" y="${h - 30}" width="16" height="14" rx="3"/><text class="small" x="${x + 21}" y="${h - 19}">${text}</text>`;
  });
  const title = (text: string, x: number) => `<text class="title" x="${x}" y="26">${escaped(text)}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img">
<title>${escaped(names.join(' and '))}: what differs</title>
<style>${style}
${kinds.map(([kind, { css }]) => `.${kind} { ${css} }`).join('\n')}
</style>
${tip}
<rect width="${w}" height="${h}" rx="8" fill="#ffffff"/>
${title(names[0], 16)}${title(names[1], left.width + gap + 16)}
<g transform="translate(0 ${head})">
${left.svg}
</g>
<path class="edge" d="M${left.width + gap / 2} 16V${h - foot}"/>
<g transform="translate(${left.width + gap} ${head})">
${right.svg}
</g>
${legend.join('')}
</svg>
`;
}

/** Returns the class of a box or group by its id. */
function classesOf(
  found: ModelDifferences,
  side: 'before' | 'after',
  { boxes, groups }: DataFlow,
): (id: string) => string | undefined {
  const parts = new Map([
    ...groups.map(({ id, part }) => [id, part] as const),
    ...boxes.flatMap(({ id, kind, part }) => (kind === 'part' ? [[id, part] as const] : [])),
  ]);
  const ports = new Map(found.ports.map(({ role, name, before, after }) => [`${role} ${name}`, { before, after }]));
  const kinds = new Map(boxes.map(({ id, kind, name }) => [id, `${kind} ${name}`]));
  return (id) => {
    const part = parts.get(id);
    if (part !== undefined) return changeOf(found, side, part);
    const port = ports.get(kinds.get(id) ?? '');
    if (!port) return undefined;
    if (port.before !== undefined && port.after !== undefined) return 'changed';
    return side === 'before' ? 'removed' : 'added';
  };
}
