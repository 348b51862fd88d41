import type { ModelDifferences } from '../diff/differences.ts';
import { type Drawing, group, line, type Mark, type Paint, rectangle, text, textSize } from '../drawing/drawing.ts';
import type { Fonts } from '../drawing/fonts.ts';
import { drawn, partPaint } from './architecture.ts';
import { type ChangeKind, changeOf } from './changes.ts';
import type { DataFlow } from './data-flow.ts';

const kinds: Readonly<Record<ChangeKind, { readonly paint: Paint; readonly meaning: string }>> = {
  removed: { paint: { fill: '#ffebe9', stroke: '#cf222e', strokeWidth: 2 }, meaning: 'removed' },
  added: { paint: { fill: '#dafbe1', stroke: '#1a7f37', strokeWidth: 2 }, meaning: 'added' },
  exchanged: { paint: { fill: '#fff1e5', stroke: '#bc4c00', strokeWidth: 2 }, meaning: 'another module' },
  changed: { paint: { fill: '#fbefff', stroke: '#8250df', strokeWidth: 2 }, meaning: 'other parameters or equations' },
  follows: { paint: { stroke: '#8250df', strokeWidth: 1.5, dash: [3, 3] }, meaning: 'other sizes, which follow' },
};

/** Space for the names of the models, between the pictures, and for the legend. */
const head = 40;
const gap = 40;
const foot = 44;

/** Draws two models side by side, with colours for what differs. */
export function differencesPicture(
  found: ModelDifferences,
  [before, after]: readonly [DataFlow, DataFlow],
  names: readonly [string, string],
  fonts: Fonts,
): Drawing {
  const left = drawn(before, fonts, { changeOf: changesOf(found, 'before', before) });
  const right = drawn(after, fonts, { changeOf: changesOf(found, 'after', after) });
  const middle = Math.max(left.width, fonts.width(names[0], textSize, 'bold') + 16);
  const height = head + Math.max(left.height, right.height) + foot;
  const key = legend(height - 30, fonts);
  const title = (name: string, x: number) => text(name, x, 26, { weight: 'bold' });
  return {
    title: `${names.join(' and ')}: what differs`,
    width: Math.max(middle + gap + right.width, key.width, middle + gap + 32 + fonts.width(names[1], textSize, 'bold')),
    height,
    marks: [
      title(names[0], 16),
      title(names[1], middle + gap + 16),
      group(0, head, left.marks),
      line(middle + gap / 2, 16, middle + gap / 2, height - foot, { stroke: '#6e7781' }),
      group(middle + gap, head, right.marks),
      ...key.marks,
    ],
  };
}

/** What the colours mean, in a row. */
function legend(y: number, fonts: Fonts): { readonly marks: readonly Mark[]; readonly width: number } {
  const marks: Mark[] = [];
  let x = 16;
  for (const [role, { paint, meaning }] of Object.entries(kinds)) {
    marks.push(
      rectangle({ x, y, width: 16, height: 14 }, { ...partPaint, ...paint }, { round: 3, role: `part ${role}` }),
    );
    marks.push(text(meaning, x + 22, y + 11, { size: 11 }));
    x += 22 + fonts.width(meaning, 11) + 26;
  }
  return { marks, width: x };
}

/** Returns how a box or group differs, by its id. */
function changesOf(
  found: ModelDifferences,
  side: 'before' | 'after',
  { boxes, groups }: DataFlow,
): (id: string) => { readonly role: string; readonly paint: Paint } | undefined {
  const parts = new Map([
    ...groups.map(({ id, part }) => [id, part] as const),
    ...boxes.flatMap(({ id, kind, part }) => (kind === 'part' ? [[id, part] as const] : [])),
  ]);
  const ports = new Map(found.ports.map(({ role, name, before, after }) => [`${role} ${name}`, { before, after }]));
  const titles = new Map(boxes.map(({ id, kind, name }) => [id, `${kind} ${name}`]));
  const kindOf = (id: string): ChangeKind | undefined => {
    const part = parts.get(id);
    if (part !== undefined) return changeOf(found, side, part);
    const port = ports.get(titles.get(id) ?? '');
    if (!port) return undefined;
    if (port.before !== undefined && port.after !== undefined) return 'changed';
    return side === 'before' ? 'removed' : 'added';
  };
  return (id) => {
    const role = kindOf(id);
    return role && { role, paint: kinds[role].paint };
  };
}
