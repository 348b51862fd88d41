import type { Draw } from '../../draws.ts';
import { pathText, type Settable, type Step } from './places.ts';
import { float, hasLiteral, int, list, literal, same, type Value } from './value.ts';
import { choices, functions, implementers } from './words.ts';

/** The right side of an override: its text, what it reads, and what it is for what was read. */
export interface RightSide {
  readonly text: string;
  readonly reads: readonly (readonly Step[])[];
  compute(read: readonly Value[]): Value | undefined;
}

export interface Readable {
  readonly steps: readonly Step[];
  readonly value: Value;
}

/** A literal; what stands there already, once in a few times. */
export function drawLiteral(draw: Draw, { steps, value }: Settable): RightSide | undefined {
  const name = steps.at(-1);
  const target = draw.once(6) ? value : alternative(draw, typeof name === 'string' ? name : '', value);
  return hasLiteral(target) ? constantly(target) : undefined;
}

export function constantly(value: Value): RightSide {
  return { text: literal(value), reads: [], compute: () => value };
}

function alternative(draw: Draw, name: string, value: Value): Value {
  switch (value.kind) {
    case 'number': {
      const { n } = value;
      if (value.float) return float(draw.of([n / 2, 0.1, 0.25, 1e-6, n + 0.125]));
      return int(draw.of([n + 1, n - 1, n + 2, 2 * n, 2 * n, Math.max(1, Math.floor(n / 2)), 1, 2, 3, 4, 8, 12, 48]));
    }
    case 'bool':
      return { kind: 'bool', is: !value.is };
    case 'string':
      return { kind: 'string', text: draw.of(choices.get(name) ?? [value.text]) };
    case 'list': {
      const { items } = value;
      if (items.length === 0 || !hasLiteral(value)) return value;
      const i = draw.below(items.length);
      const other = alternative(draw, name, items[i]!);
      return list(
        draw.of([
          items.filter((_, at) => at !== i),
          items.map((item, at) => (at === i ? other : item)),
          [...items].reverse(),
        ]),
      );
    }
    case 'name': {
      const group = (value.spec ? [...implementers.values()] : functions).find((names) => names.includes(value.name));
      return { ...value, name: draw.of(group ?? [value.name]) };
    }
    case 'other':
      return name.endsWith('init') ? { kind: 'name', name: draw.of(['zeros', 'ones']), spec: false } : value;
    case 'none':
      return value;
  }
}

/** An expression of what stands at `from`, for a parameter that holds `value` now; undefined where none fits. */
export function drawReading(draw: Draw, value: Value, from: Readable): RightSide | undefined {
  const path = pathText(from.steps);
  const one = (text: string, compute: (read: Value) => Value | undefined): RightSide => ({
    text,
    reads: [from.steps],
    compute: ([read]) => read && compute(read),
  });
  const asIs = one(path, (read) => (read.kind === from.value.kind && hasLiteral(read) ? read : undefined));
  const held = from.value;
  if (value.kind === 'number' && held.kind === 'list') {
    const i = draw.below(held.items.length || 1);
    const item = held.items[i];
    if (item?.kind !== 'number' || item.float !== value.float) return undefined;
    const at = (read: Value) => (read.kind === 'list' ? read.items[i] : undefined);
    const arithmetic = drawNumber(draw, value, item, `${path}[${i}]`);
    return one(arithmetic.text, (read) => {
      const found = at(read);
      return found?.kind === 'number' ? arithmetic.of(found) : undefined;
    });
  }
  if (value.kind !== held.kind || !hasLiteral(held)) return undefined;
  if (value.kind === 'number' && held.kind === 'number') {
    if (value.float !== held.float) return undefined;
    const arithmetic = drawNumber(draw, value, held, path);
    return one(arithmetic.text, (read) => (read.kind === 'number' ? arithmetic.of(read) : undefined));
  }
  if (value.kind === 'bool')
    return draw.once(2)
      ? asIs
      : one(`!${path}`, (read) => (read.kind === 'bool' ? { kind: 'bool', is: !read.is } : undefined));
  if (value.kind === 'list' && held.kind === 'list') {
    const ints = held.items.length > 0 && held.items.every((item) => item.kind === 'number' && !item.float);
    const length = value.items.length;
    if (!ints) return asIs;
    return draw.of([
      asIs,
      one(`${path}[0..${length}]`, (read) =>
        read.kind === 'list' && read.items.length >= length ? list(read.items.slice(0, length)) : undefined,
      ),
      one(`[2 * x for x in ${path}]`, (read) =>
        read.kind === 'list' ? list(read.items.map((x) => (x.kind === 'number' ? int(2 * x.n) : x))) : undefined,
      ),
    ]);
  }
  if (value.kind === 'name' && held.kind === 'name') {
    const group = (value.spec ? [...implementers.values()] : functions).find((names) => names.includes(value.name));
    return !value.spec && group?.includes(held.name) ? asIs : undefined;
  }
  if (value.kind === 'string' && held.kind === 'string')
    return same(value, held) || from.steps.at(-1) === path ? asIs : undefined;
  return undefined;
}

type Number_ = Extract<Value, { kind: 'number' }>;

/** Arithmetic on a number that comes out near a likely value of the parameter. */
function drawNumber(
  draw: Draw,
  value: Number_,
  from: Number_,
  path: string,
): { text: string; of(read: Number_): Value } {
  if (from.float)
    return draw.of([
      { text: path, of: (read: Number_): Value => read },
      { text: `0.5 * ${path}`, of: (read: Number_): Value => float(0.5 * read.n) },
    ]);
  const target = alternative(draw, '', value);
  const wanted = target.kind === 'number' ? target.n : value.n;
  const c = wanted - from.n;
  const forms: { text: string; of(read: Number_): Value }[] = [
    c < 0
      ? { text: `${path} - ${-c}`, of: (read) => int(read.n + c) }
      : { text: `${path} + ${c}`, of: (read) => int(read.n + c) },
  ];
  if (from.n > 0 && wanted % from.n === 0)
    forms.push({ text: `${wanted / from.n} * ${path}`, of: (read) => int((wanted / from.n) * read.n) });
  if (wanted > 0 && from.n > wanted) {
    const k = Math.floor(from.n / wanted);
    forms.push({ text: `floor(${path} / ${k})`, of: (read) => int(Math.floor(read.n / k)) });
  }
  if (wanted === from.n) forms.push({ text: path, of: (read) => read });
  return draw.of(forms);
}
