import { type Draw, draws } from '../../draws.ts';

/** One thing changed in a source. */
export interface Mutation {
  readonly kind: Kind;
  readonly text: string;
  /** Where the change is, in the new text; of a removed line, where it was. */
  readonly line: number;
  readonly before: string;
  readonly after: string;
  /** The declaration that it is in: `recipe micro`. */
  readonly within: string;
  /** Names that the old line gave or used and the new text lacks there. */
  readonly lost: readonly string[];
}

export type Kind = 'number' | 'name' | 'dim' | 'path' | 'line' | 'operator' | 'argument' | 'pattern' | 'word';

interface Token {
  readonly text: string;
  readonly start: number;
  readonly kind: 'name' | 'number' | 'string' | 'sign';
}

const lexemes =
  /\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:e-?\d+)?|\.\.\.|\.\.|->|<-|==|!=|<=|>=|&&|\|\||\+=|-=|\*=|\S/g;

function tokensOf(text: string): readonly Token[] {
  return [...text.matchAll(lexemes)].flatMap(({ 0: found, index }) => {
    if (found.startsWith('//')) return [];
    const kind = /^\d/.test(found)
      ? 'number'
      : /^"/.test(found)
        ? 'string'
        : /^[A-Za-z_]/.test(found)
          ? 'name'
          : 'sign';
    return [{ text: found, start: index, kind } as const];
  });
}

const declarations = /^(?:model|module|fn|recipe|weights|interface|example) \w+/gm;

/** The mutation of a source that a seed gives; undefined where what was drawn changes nothing. */
export function mutate(source: string, seed: number): Mutation | undefined {
  const draw = draws(seed);
  const tokens = tokensOf(source);
  const kind = draw.of<Kind>([
    'number',
    'number',
    'name',
    'name',
    'name',
    'dim',
    'path',
    'line',
    'line',
    'operator',
    'argument',
    'pattern',
    'word',
  ]);
  const found = changes[kind](draw, tokens, source);
  if (!found) return undefined;
  const { start, end, to } = found;
  const text = source.slice(0, start) + to + source.slice(end);
  if (text === source) return undefined;
  const line = source.slice(0, start).split('\n').length;
  const before = source.slice(start, end);
  const words = (of: string) => new Set(of.match(/[A-Za-z_]\w*/g) ?? []);
  const kept = words(to);
  const old = source.split('\n')[line - 1]!;
  return {
    kind,
    text,
    line,
    before: kind === 'line' ? before : old,
    after: kind === 'line' ? '' : text.split('\n')[line - 1]!,
    within:
      [...source.slice(0, source.indexOf('\n', start)).matchAll(declarations)].at(-1)?.[0] ??
      old.match(/^\w+ \w+/)?.[0] ??
      '',
    lost: [...words(before)].filter((word) => !kept.has(word)),
  };
}

interface Change {
  readonly start: number;
  readonly end: number;
  readonly to: string;
}

const reserved = new Set(
  'use module fn interface model recipe weights example let return if else for in as where true false none static param buffer input output forward method extends without term tensor typeof for at'.split(
    ' ',
  ),
);

const changes: Readonly<Record<Kind, (draw: Draw, tokens: readonly Token[], source: string) => Change | undefined>> = {
  number(draw, tokens) {
    const token = some(draw, tokens, ({ kind }) => kind === 'number');
    if (!token) return undefined;
    const n = Number(token.text);
    if (/[.e]/.test(token.text)) return replaced(token, draw.of([String(2 * n || 0.5), String(n + 1), '-0.5', '7']));
    return replaced(token, String(draw.of([n + 1, Math.max(0, n - 1), 2 * n, 0, n + 3, `${n}.5`])));
  },
  name(draw, tokens) {
    const token = some(draw, tokens, ({ kind, text }) => kind === 'name' && !reserved.has(text) && !isDim(text));
    if (!token) return undefined;
    if (draw.once(3)) return replaced(token, misspelt(draw, token.text));
    const sameCase = (text: string) => /^[A-Z]/.test(text) === /^[A-Z]/.test(token.text);
    const other = some(
      draw,
      tokens,
      (one) =>
        one.kind === 'name' &&
        !reserved.has(one.text) &&
        !isDim(one.text) &&
        one.text !== token.text &&
        sameCase(one.text),
    );
    return other && replaced(token, other.text);
  },
  dim(draw, tokens) {
    const token = some(draw, tokens, ({ kind, text }) => kind === 'name' && isDim(text));
    return token && replaced(token, draw.of(['B', 'C', 'H', 'W', 'T', 'N', 'S'].filter((dim) => dim !== token.text)));
  },
  path(draw, tokens) {
    const at = tokens.flatMap((token, i) => {
      const next = tokens[i + 1];
      const isStep = token.text === '.' && next?.kind === 'name';
      const isIndex =
        token.text === '[' && (next?.kind === 'number' || next?.text === '*') && tokens[i + 2]?.text === ']';
      return isStep || isIndex ? [i] : [];
    });
    if (at.length === 0) return undefined;
    const i = draw.of(at);
    const step = tokens[i + 1]!;
    if (tokens[i]!.text === '[') {
      if (draw.once(3)) return { start: tokens[i]!.start, end: tokens[i + 2]!.start + 1, to: '' };
      return replaced(step, draw.of(['0', '1', '2', '4', '9', '-1', '1.5', '*']));
    }
    if (draw.once(3)) return { start: tokens[i]!.start, end: step.start + step.text.length, to: '' };
    if (draw.once(3)) return replaced(step, misspelt(draw, step.text));
    const other = tokens[draw.of(at.filter((one) => tokens[one]!.text === '.')) + 1];
    return other && replaced(step, other.text);
  },
  line(draw, _, source) {
    const lines = source.split('\n');
    const at = draw.of(
      lines.flatMap((line, i) => (/^\s*(\/\/|$)/.test(line) || /^\s*[)}\]]+\s*$/.test(line) ? [] : [i])),
    );
    const start = lines.slice(0, at).reduce((n, line) => n + line.length + 1, 0);
    return { start, end: start + lines[at]!.length + 1, to: '' };
  },
  operator(draw, tokens) {
    const groups = [
      ['+', '-', '*', '/', '%'],
      ['==', '!=', '<=', '<', '>=', '>'],
      ['&&', '||'],
    ];
    const token = some(draw, tokens, ({ text }) => groups.some((group) => group.includes(text)));
    const group = token && groups.find((one) => one.includes(token.text));
    return group && replaced(token, draw.of(group.filter((sign) => sign !== token.text)));
  },
  argument(draw, tokens, source) {
    const lists = argumentLists(tokens).filter((list) => list.length > 0);
    if (lists.length === 0) return undefined;
    const list = draw.of(lists);
    const i = draw.below(list.length);
    const one = list[i]!;
    if (draw.once(2)) {
      const next = list[i + 1];
      const start = next || i === 0 ? one.start : list[i - 1]!.end;
      return { start, end: next ? next.start : one.end, to: '' };
    }
    const other = list[(i + 1) % list.length]!;
    if (other === one) return undefined;
    const [a, b] = one.start < other.start ? [one, other] : [other, one];
    const text = (part: typeof a) => source.slice(part.start, part.end);
    return { start: a.start, end: b.end, to: text(b) + source.slice(a.end, b.start) + text(a) };
  },
  pattern(draw, tokens) {
    const token = some(draw, tokens, ({ kind, text }) => kind === 'string' && /^"[^"]* [^"]*"$/.test(text));
    if (!token) return undefined;
    const parts = token.text.slice(1, -1).split(/(\s+|->|[()*])/);
    const letters = parts.flatMap((part, i) => (/^[a-z0-9.]+$/.test(part) ? [i] : []));
    if (letters.length < 2) return undefined;
    const i = draw.of(letters);
    const j = draw.of(letters.filter((one) => one !== i));
    if (draw.once(2)) [parts[i], parts[j]] = [parts[j]!, parts[i]!];
    else parts[i] = draw.of(['', 'z', parts[j]!]);
    return replaced(token, `"${parts.join('')}"`);
  },
  word(draw, tokens) {
    const token = some(
      draw,
      tokens,
      ({ kind, text }) =>
        (kind === 'string' && /^"\w+"$/.test(text)) || /^(true|false|f32|i32|i64|bool|int|float|none)$/.test(text),
    );
    if (!token) return undefined;
    if (token.kind === 'string') return replaced(token, `"${misspelt(draw, token.text.slice(1, -1))}"`);
    const groups = [
      ['true', 'false', 'none'],
      ['f32', 'i32', 'i64', 'bool'],
      ['int', 'float', 'bool'],
    ];
    const group = draw.of(groups.filter((one) => one.includes(token.text)));
    return replaced(token, draw.of(group.filter((word) => word !== token.text)));
  },
};

const isDim = (text: string) => /^[A-Z]\d?$/.test(text);

function some(draw: Draw, tokens: readonly Token[], fits: (token: Token) => boolean): Token | undefined {
  const fitting = tokens.filter(fits);
  return fitting.length === 0 ? undefined : draw.of(fitting);
}

function replaced({ start, text }: Token, to: string): Change {
  return { start, end: start + text.length, to };
}

function misspelt(draw: Draw, name: string): string {
  const i = draw.below(name.length);
  return draw.once(2) && name.length > 2
    ? name.slice(0, i) + name.slice(i + 1)
    : `${name.slice(0, i + 1)}${name[i]}${name.slice(i + 1)}`;
}

/** The stretches between the commas of each pair of brackets. */
function argumentLists(tokens: readonly Token[]): readonly { readonly start: number; readonly end: number }[][] {
  const lists: { start: number; end: number }[][] = [];
  const open: { from: number; list: { start: number; end: number }[] }[] = [];
  const close = (i: number, last: boolean) => {
    const top = open.at(-1);
    if (!top) return;
    if (i > top.from)
      top.list.push({ start: tokens[top.from]!.start, end: tokens[i - 1]!.start + tokens[i - 1]!.text.length });
    if (last) open.pop();
    else top.from = i + 1;
  };
  for (const [i, { text }] of tokens.entries()) {
    if (text === '(' || text === '[' || text === '{') {
      const list: { start: number; end: number }[] = [];
      if (text !== '{') lists.push(list);
      open.push({ from: i + 1, list });
    } else if (text === ')' || text === ']' || text === '}') close(i, true);
    else if (text === ',') close(i, false);
  }
  return lists;
}
