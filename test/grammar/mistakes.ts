import type { IToken } from 'chevrotain';
import { FaultSink } from '../../grammar/faults.ts';
import { lex } from '../../grammar/lex.ts';
import { position } from '../../grammar/span.ts';
import { memberWords, reservedWords, Separator } from '../../grammar/tokens.ts';

/** One slip of the pen in a file that was right. */
export interface Mistake {
  readonly kind: MistakeKind;
  /** The file with it. */
  readonly text: string;
  /** Lines on which it is right to complain: of the slip, its neighbours, the other bracket of a pair, the statement's start. */
  readonly lines: ReadonlySet<number>;
  /** The line as it became, for a reader. */
  readonly shown: string;
}

const openers = new Set(['(', '[', '{']);
const closers = new Set([')', ']', '}']);
const operators = new Set(['=', '+', '-', '*', '/', '->', ':', '==', '%', '^', '<=', '~']);
const declarations = new Set(['module', 'model', 'interface', 'fn', 'recipe', 'weights', 'use', 'extends', 'example']);

const isBracket = ({ image }: IToken) => openers.has(image) || closers.has(image);
const isKeyword = ({ image, tokenType }: IToken) =>
  reservedWords.has(tokenType) || memberWords.has(tokenType) || declarations.has(image);

/** What can be done to which tokens; `seed` chooses among ways to do it. */
const kinds = {
  'bracket dropped': { at: isBracket, put: () => ' ' },
  'bracket doubled': { at: isBracket, put: (image) => image + image },
  'bracket of another kind': {
    at: ({ image }) => image === ')' || image === ']',
    put: (image) => (image === ')' ? ']' : ')'),
  },
  'comma dropped': { at: ({ image }) => image === ',', put: () => '' },
  'comma doubled': { at: ({ image }) => image === ',', put: () => ',,' },
  'operator dropped': { at: ({ image }) => operators.has(image), put: () => '' },
  'operator doubled': { at: ({ image }) => operators.has(image), put: (image) => `${image} ${image}` },
  'keyword misspelt': { at: isKeyword, put: misspelt },
  'keyword dropped': { at: isKeyword, put: () => '' },
  'quote dropped': { at: ({ image }) => image.startsWith('"'), put: (image) => image.slice(0, -1) },
  'operand dropped': { at: ({ image }) => /^[A-Za-z_]\w*$|^\d+$/.test(image), put: () => '' },
} as const satisfies Record<
  string,
  { readonly at: (token: IToken) => boolean; readonly put: (image: string, seed: number) => string }
>;

export type MistakeKind = keyof typeof kinds;
export const mistakeKinds = Object.keys(kinds) as MistakeKind[];

/** A letter left out, doubled, or swapped with the next. */
function misspelt(word: string, seed: number): string {
  const at = seed % (word.length - 1);
  const [a, b] = [word[at]!, word[at + 1]!];
  const ways = [a, a + a + b, b + a];
  const way = ways[Math.floor(seed / word.length) % 3]!;
  return word.slice(0, at) + (way === a + b ? a : way) + word.slice(at + 2);
}

/** The `seed`-th mistake of a kind; undefined where the file has no place for it. */
export function mistake(text: string, kind: MistakeKind, seed: number): Mistake | undefined {
  const all = lex('x.crob', text, new FaultSink()).tokens;
  const tokens = all.filter(({ tokenType }) => tokenType !== Separator);
  const { at, put } = kinds[kind];
  const places = tokens.flatMap((token, i) => (at(token) ? [i] : []));
  const place = places[seed % places.length];
  if (place === undefined) return undefined;
  const token = tokens[place]!;
  const end = token.startOffset + token.image.length;
  const changed = text.slice(0, token.startOffset) + put(token.image, seed) + text.slice(end);
  const neighbours = [tokens[place - 1], token, tokens[place + 1], partner(tokens, place), statement(all, token)];
  const lines = new Set(neighbours.flatMap((one) => (one ? [position(text, one.startOffset).line] : [])));
  const { line } = position(text, token.startOffset);
  return { kind, text: changed, lines, shown: changed.split('\n')[line - 1]! };
}

/** The first token of the statement around a token, or of the header of a block that ends with it. */
function statement(tokens: readonly IToken[], token: IToken): IToken | undefined {
  const { payload } = token;
  let first = tokens.indexOf(token);
  const starts = ({ tokenType, image, payload: depth }: IToken) =>
    depth <= payload && (tokenType === Separator || (image === '{' && depth < payload));
  while (first > 0 && !starts(tokens[first - 1]!)) first--;
  return tokens[first];
}

/** The other bracket of a pair. */
function partner(tokens: readonly IToken[], place: number): IToken | undefined {
  const { image } = tokens[place]!;
  const step = openers.has(image) ? 1 : closers.has(image) ? -1 : 0;
  let depth = 0;
  for (let i = place; step !== 0 && i >= 0 && i < tokens.length; i += step) {
    if (openers.has(tokens[i]!.image)) depth += step;
    if (closers.has(tokens[i]!.image)) depth -= step;
    if (depth === 0) return tokens[i];
  }
  return undefined;
}
