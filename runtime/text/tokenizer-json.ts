import { isObject } from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { cut, quoted, shownValue } from '../files/shown.ts';
import type { UserError } from '../files/user-error.ts';

/** A checked `tokenizer.json`, in the form that the tokenizer library accepts. */
export interface TokenizerJson {
  readonly model: {
    readonly type: 'WordPiece';
    readonly unk_token: string;
    readonly continuing_subword_prefix: string;
    readonly max_input_chars_per_word: number;
    readonly vocab: Readonly<Record<string, number>>;
  };
  readonly normalizer: Step | null;
  readonly pre_tokenizer: Step | null;
  /** Null, because crobc itself adds [CLS] and [SEP]. */
  readonly post_processor: null;
  /** Null, because tokens are never converted back to text. */
  readonly decoder: null;
  readonly added_tokens: readonly AddedToken[];
  /** Whether the file contains regular expressions, whose matching time is unbounded. */
  readonly hasPatterns: boolean;
}

type Step = Readonly<Record<string, unknown>> & { readonly type: string };

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

export type Refuse = (why: string) => UserError;

/** Maximum number of word pieces. The largest vocabulary in use, BERT's multilingual one, has 120,000. */
export const mostPieces = 1_000_000;
const mostAdded = 10_000;
const mostSteps = 32;
/** Maximum length of a pattern, of a replacement and of a piece, in characters. */
const longestText = 1_000;
/** Maximum length of a word in characters. Splitting a word takes quadratic time; BERT's limit is 100. */
const longestWord = 256;
/** Maximum factor by which all replacements together may lengthen a text. */
const mostGrowth = 1_000;

/**
 * Parses a `tokenizer.json` and checks all parts that crobc uses. Throws the
 * error that `refuse` creates from the reason.
 */
export function parseTokenizerJson(text: string, refuse: Refuse): TokenizerJson {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    throw refuse('it begins like JSON and does not go on like it');
  }
  const file = objectOf(json, 'the file', refuse);
  const model = modelOf(file.model, refuse);
  const found: Found = { steps: 0, growth: 1, hasPatterns: false };
  const normalizer = stepOf(file.normalizer, 'normalizer', normalizers, found, refuse);
  const pre_tokenizer = stepOf(file.pre_tokenizer, 'pre_tokenizer', preTokenizers, found, refuse);
  checkPostProcessor(file.post_processor, refuse);
  const added_tokens = addedTokens(file.added_tokens, model.vocab, refuse);
  const { hasPatterns } = found;
  return { model, normalizer, pre_tokenizer, post_processor: null, decoder: null, added_tokens, hasPatterns };
}

function modelOf(value: unknown, refuse: Refuse): TokenizerJson['model'] {
  if (typeof value !== 'object' || value === null) throw refuse('it has no "model"');
  const model = objectOf(value, '"model"', refuse);
  // Files from before tokenizers 0.9 have no type; their prefix identifies WordPiece.
  const type = model.type ?? ('continuing_subword_prefix' in model ? 'WordPiece' : 'unknown');
  if (type !== 'WordPiece') throw refuse(`its model is ${shown(type)}`);
  const { vocab, unk_token = '[UNK]', continuing_subword_prefix = '##', max_input_chars_per_word = 100 } = model;
  if (!isObject(vocab)) throw refuse('its model has no "vocab"');
  const pieces = Object.entries(vocab);
  if (pieces.length > mostPieces) throw tooMany(pieces.length, refuse);
  const ids = new Set<unknown>();
  for (const [piece, id] of pieces) {
    if (!isId(id)) throw refuse(`the id of ${quoted(piece)} is not a whole number below ${count(mostIds)}`);
    if (piece.length > longestText) throw refuse(`the word piece ${quoted(piece)} is too long`);
    if (ids.has(id)) throw refuse(`the id ${id} belongs to ${quoted(piece)} and to another word piece`);
    ids.add(id);
  }
  if (typeof unk_token !== 'string' || !Object.hasOwn(vocab, unk_token)) {
    // A vocabulary without [UNK] is refused together with the other special tokens.
    if (unk_token !== '[UNK]') throw refuse(`its "unk_token" ${shownValue(unk_token)} is none of its word pieces`);
  }
  if (typeof continuing_subword_prefix !== 'string' || continuing_subword_prefix.length > longestText)
    throw refuse('its "continuing_subword_prefix" is not a short text');
  const longest = max_input_chars_per_word;
  if (typeof longest !== 'number' || !Number.isInteger(longest) || longest < 1 || longest > longestWord)
    throw refuse(
      `its "max_input_chars_per_word" is ${shown(longest)}: must be a whole number from 1 to ${longestWord}`,
    );
  return {
    type: 'WordPiece',
    unk_token: unk_token as string,
    continuing_subword_prefix,
    max_input_chars_per_word: longest,
    vocab: vocab as Record<string, number>,
  };
}

export function tooMany(pieces: number, refuse: Refuse): UserError {
  return refuse(`it has ${count(pieces)} word pieces, and ${count(mostPieces)} at most are read`);
}

/** Limit for ids, which are rows of a table that has hardly more rows than there are pieces. */
const mostIds = 2 * mostPieces;

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < mostIds;
}

/** Totals over the checks of all steps. */
interface Found {
  steps: number;
  growth: number;
  hasPatterns: boolean;
}

type Check = (value: unknown) => boolean;
const flag: Check = (value) => typeof value === 'boolean';
const flagOrNull: Check = (value) => value === null || typeof value === 'boolean';
const shortText: Check = (value) => typeof value === 'string' && value.length <= longestText;
const any: Check = () => true;

/** The supported steps, each with checks of its settings; `pattern` and lists of steps are checked further. */
type Steps = Readonly<Record<string, Readonly<Record<string, Check>>>>;

const normalizers: Steps = {
  BertNormalizer: { clean_text: flag, handle_chinese_chars: flag, strip_accents: flagOrNull, lowercase: flag },
  Lowercase: {},
  NFC: {},
  NFD: {},
  NFKC: {},
  NFKD: {},
  Strip: { strip_left: flag, strip_right: flag },
  StripAccents: {},
  Replace: { pattern: any, content: shortText },
  Sequence: { normalizers: Array.isArray },
};

const preTokenizers: Steps = {
  BertPreTokenizer: {},
  Whitespace: {},
  WhitespaceSplit: {},
  Punctuation: { behavior: shortText },
  Digits: { individual_digits: flag },
  Split: { pattern: any, behavior: shortText, invert: flag },
  Sequence: { pretokenizers: Array.isArray },
};

function stepOf(value: unknown, where: string, known: Steps, found: Found, refuse: Refuse): Step | null {
  if (value === undefined || value === null) return null;
  const step = objectOf(value, `"${where}"`, refuse);
  const { type, ...settings } = step;
  const checks = typeof type === 'string' && Object.hasOwn(known, type) ? known[type] : undefined;
  if (checks === undefined || typeof type !== 'string')
    throw refuse(`its ${where} is ${shown(type)}, which crobc does not have`);
  if (++found.steps > mostSteps) throw refuse(`its ${where} has more than ${mostSteps} steps`);
  const checked: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check?.(setting)) throw refuse(`${quoted(name)} of its ${where} ${type} is ${shown(setting)}`);
    checked[name] = setting;
  }
  if ('pattern' in checks) Object.assign(checked, patternOf(type, step, where, found, refuse));
  for (const list of ['normalizers', 'pretokenizers'])
    if (list in checks) {
      if (!Array.isArray(step[list])) throw refuse(`its ${where} has no list "${list}"`);
      checked[list] = step[list].map((one: unknown) => stepOf(one, where, known, found, refuse));
    }
  return { type, ...checked };
}

/** Checks the pattern of a step and its replacement, and updates the growth factor of all replacements. */
function patternOf(type: string, step: Record<string, unknown>, where: string, found: Found, refuse: Refuse) {
  const pattern = objectOf(step.pattern, `the pattern of its ${where}`, refuse);
  const { String: plain, Regex: expression } = pattern;
  const text = plain ?? expression;
  if (typeof text !== 'string' || text === '' || text.length > longestText || Object.keys(pattern).length !== 1)
    throw refuse(`the pattern of its ${where} ${type} is ${shown(step.pattern)}: must be a short "String" or "Regex"`);
  if (expression !== undefined) found.hasPatterns = true;
  if (type !== 'Replace') return {};
  const { content = '' } = step as { content?: string };
  // A regular expression may match the empty text between any two characters.
  found.growth *= plain === undefined ? 1 + content.length : Math.max(1, content.length / text.length);
  if (found.growth > mostGrowth)
    throw refuse(`what its ${where} replaces makes a text more than ${count(mostGrowth)} times longer`);
  // JavaScript interprets "$&" in a replacement; tokenizers use it literally.
  return { content: content.replaceAll('$', '$$$$') };
}

/** Throws unless the post-processor adds [CLS] and [SEP] as every BERT does: crobc always adds these two. */
function checkPostProcessor(value: unknown, refuse: Refuse): void {
  if (value === undefined || value === null) return;
  const { type, cls, sep, single } = objectOf(value, '"post_processor"', refuse);
  const names = (list: unknown): unknown => (Array.isArray(list) ? list[0] : undefined);
  const nameOf = (item: unknown): unknown => {
    if (!isObject(item)) return undefined;
    const part = item.SpecialToken ?? item.Sequence;
    return isObject(part) ? part.id : undefined;
  };
  const around =
    type === 'BertProcessing'
      ? [names(cls), 'A', names(sep)]
      : type === 'TemplateProcessing' && Array.isArray(single)
        ? single.map(nameOf)
        : undefined;
  if (around === undefined) throw refuse(`its post_processor is ${shown(type)}, which crobc does not have`);
  if (around.length !== 3 || !['[CLS]', 'A', '[SEP]'].every((name, i) => around[i] === name))
    throw refuse('its post_processor does not put [CLS] in front of a sentence and [SEP] behind it');
}

function addedTokens(value: unknown, vocab: Readonly<Record<string, number>>, refuse: Refuse): AddedToken[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw refuse('its "added_tokens" are not a list');
  if (value.length > mostAdded)
    throw refuse(`it has ${count(value.length)} added tokens, and ${count(mostAdded)} at most are read`);
  return value.map((item: unknown, i) => {
    const { id, content, ...flags } = objectOf(item, `added token ${i + 1}`, refuse);
    if (!isId(id)) throw refuse(`the id of added token ${i + 1} is not a whole number below ${count(mostIds)}`);
    if (typeof content !== 'string' || content === '' || content.length > longestText)
      throw refuse(`added token ${i + 1} has no short "content"`);
    if (Object.hasOwn(vocab, content) && vocab[content] !== id)
      throw refuse(`${quoted(content)} has the id ${vocab[content]} in the vocabulary and ${id} in "added_tokens"`);
    const is = (name: string): boolean => {
      const set = flags[name] ?? false;
      if (typeof set !== 'boolean') throw refuse(`"${name}" of added token ${i + 1} is ${shown(set)}`);
      return set;
    };
    return {
      id,
      content,
      single_word: is('single_word'),
      lstrip: is('lstrip'),
      rstrip: is('rstrip'),
      normalized: is('normalized'),
      special: is('special'),
    };
  });
}

function objectOf(value: unknown, what: string, refuse: Refuse): Record<string, unknown> {
  if (!isObject(value)) throw refuse(`${what} is not a JSON object`);
  return value;
}

function count(n: number): string {
  return n.toLocaleString('en');
}

/** Formats a value of the file for a message; plain names without quotes. */
function shown(value: unknown): string {
  return typeof value === 'string' && /^[\w.-]+$/.test(value) ? cut(value) : shownValue(value);
}
