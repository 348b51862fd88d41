import type { Fonts } from '../drawing/fonts.ts';
import { escaped, fontAttributes, svgMarks } from '../drawing/svg.ts';
import { drawn } from './architecture.ts';
import { type Box, type DataFlow, type DrawnModel, dataFlow, type Edge, type Group } from './data-flow.ts';

/** A part of a model with the picture of what is in it. */
interface Section {
  readonly group: Group;
  readonly inside: DataFlow;
}

/**
 * Returns a page with the picture of a model, and below it its parts, which fold: each has a picture of what is in it, to
 * a depth. The page needs no other file and no network.
 */
export function architecturePage(model: DrawnModel, depth: number, fonts: Fonts): string {
  const top = dataFlow(model, 1);
  const sections = new Map<string, Section>();
  for (let level = 2; level <= depth; level++) {
    const flow = dataFlow(model, level);
    const groups = new Map(flow.groups.map((group) => [group.id, group]));
    const levelOf = (id: string | undefined): number => (id === undefined ? 0 : 1 + levelOf(groups.get(id)?.group));
    for (const group of flow.groups)
      if (levelOf(group.id) === level - 1) sections.set(group.id, { group, inside: insideOf(flow, group) });
  }
  const linkOf = (id: string) => (sections.has(id) ? `#${anchor(id)}` : undefined);
  const picture = (flow: DataFlow): string => {
    const { width, height, marks } = drawn(flow, fonts, { linkOf });
    return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${fontAttributes} role="img" aria-label="${escaped(flow.model)}">${svgMarks(marks)}</svg>`;
  };
  const below = (owner: string | undefined): string =>
    [...sections.values()]
      .filter(({ group }) => group.group === owner)
      .map(
        ({ group, inside }) =>
          `<details id="${anchor(group.id)}"><summary><b>${escaped(group.name)}</b> ${escaped(group.module)}${group.count > 1 ? ` × ${group.count}` : ''}, ${group.parameters.toLocaleString('en')} parameters</summary>\n${picture(inside)}\n${below(group.id)}</details>`,
      )
      .join('\n');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(top.model)}</title>
<style>
body { font: 14px system-ui, sans-serif; margin: 1rem; color: #24292f; background: #ffffff }
details { margin: .4rem 0 .4rem 1rem; border-left: 2px solid #d0d7de; padding-left: .8rem }
summary { cursor: pointer } svg { max-width: 100%; height: auto } a:hover rect { fill: #ddf4ff }
</style>
<h1>${escaped(top.model)}</h1>
${picture(top)}
${below(undefined)}
<script>
const open = () => {
  const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let one = found; one; one = one.parentElement) if (one.tagName === 'DETAILS') one.open = true;
  found?.scrollIntoView();
};
addEventListener('hashchange', open);
open();
</script>
</html>
`;
}

function anchor(id: string): string {
  return id.replace(/[^\w.-]/g, '_');
}

/** The boxes of a group; values from and to other boxes come from inputs and go to outputs. */
function insideOf({ model, boxes, edges }: DataFlow, group: Group): DataFlow {
  const own = boxes.filter((box) => box.group === group.id);
  const ids = new Set(own.map(({ id }) => id));
  const others = new Map(boxes.map((box) => [box.id, box]));
  const ports = new Map<string, Box>();
  const port = (kind: 'input' | 'output', id: string): string => {
    const name = others.get(id)?.group === undefined ? (others.get(id)?.name ?? id) : id.replace(/^weight /, '');
    const label = others.get(id)?.kind === 'operators' ? (others.get(id)?.name ?? '') : name;
    const text = kind === 'input' ? `from ${label}` : `to ${label}`;
    ports.set(`${kind} ${text}`, {
      id: `${kind} ${text}`,
      kind: 'operators',
      part: '',
      group: undefined,
      name: text,
      what: '',
      count: 1,
      parameters: 0,
    });
    return `${kind} ${text}`;
  };
  const joined = new Map<string, Edge>();
  for (const { from, to, types } of edges) {
    if (!ids.has(from) && !ids.has(to)) continue;
    const edge = {
      from: ids.has(from) ? from : port('input', from),
      to: ids.has(to) ? to : port('output', to),
    };
    const key = `${edge.from} ${edge.to}`;
    joined.set(key, { ...edge, types: [...new Set([...(joined.get(key)?.types ?? []), ...types])] });
  }
  return {
    model: `${model}: ${group.id}`,
    groups: [],
    boxes: [...[...ports.values()], ...own.map((box) => ({ ...box, group: undefined }))],
    edges: [...joined.values()],
  };
}
