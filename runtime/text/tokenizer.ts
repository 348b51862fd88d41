import { createHash } from 'node:crypto';
import { createContext, Script } from 'node:vm';
import { readUtf8 } from '../files/read-file.ts';
import { quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { mostPieces, parseTokenizerJson, type Refuse, type TokenizerJson, tooMany } from './tokenizer-json.ts';
import type { Truncation } from './truncation.ts';

/** A sentence encoded for a BERT text encoder. */
export interface EncodedText {
  /** [CLS] … [SEP] followed by padding, with the requested length; without [SEP] if that is truncated away. */
  readonly ids: readonly number[];
  /** 1 for tokens, 0 for padding. */
  readonly mask: Uint8Array;
  /** Tokens of the sentence itself, before truncation. */
  readonly tokens: readonly string[];
  /** Whether the sentence had too many tokens and was truncated. */
  readonly truncated: boolean;
}

/** A vocabulary as text; the file that it came from need not exist any more. */
export interface VocabularyText {
  /** Path or name of the vocabulary file. */
  readonly name: string;
  readonly text: string;
  /** The file of trained weights that contains it, if it is not a file of its own. */
  readonly within?: string;
  /** The truncation of the training whose weights contain it; absent if it is `keep-sep`. */
  readonly truncation?: Truncation;
}

/** Names a vocabulary in messages. */
export function vocabularyName({ name, within }: VocabularyText): string {
  return within === undefined ? name : `${name} in ${within}`;
}

export interface Tokenizer {
  /** The vocabulary that it was made from. */
  readonly source: VocabularyText;
  /** SHA-256 of the word pieces in the order of their ids, so independent of the file's format. */
  readonly pieces: string;
  /** The largest id plus one: the minimum number of rows of the word embedding. */
  readonly vocabularySize: number;
  /** SHA-256 of the vocabulary file. */
  readonly hash: string;
  readonly truncation: Truncation;
  /** `words` counts [CLS] and [SEP]. Throws a UserError for a sentence without a token. */
  encode(text: string, words: number): EncodedText;
}

/** The tokenizer of a model and the number of tokens that the model reads. */
export interface TextInput {
  /** Number of tokens of a sentence, including [CLS] and [SEP]. */
  readonly words: number;
  readonly tokenizer: Tokenizer;
}

/**
 * Opens a WordPiece tokenizer from a BERT `vocab.txt` (one word piece per line) or a Hugging Face `tokenizer.json`, given
 * by its path or as text. By default, `truncation` is that of the vocabulary. Throws a UserError that names the
 * vocabulary if it is neither.
 */
export async function openTokenizer(from: string | VocabularyText, wanted?: Truncation): Promise<Tokenizer> {
  const source = typeof from === 'string' ? { name: from, text: await readUtf8(from, 'vocabulary') } : from;
  const { text } = source;
  const refuse = (why: string) => new UserError(`${vocabularyName(source)} is not a WordPiece vocabulary: ${why}`);
  const json = isTokenizerJson(text) ? parseTokenizerJson(text, refuse) : fromVocabulary(text, refuse);
  const truncation = wanted ?? (typeof from === 'string' ? undefined : from.truncation) ?? 'keep-sep';
  const made = await tokenizerFrom(json, truncation, refuse);
  return { ...made, source, truncation, hash: sha256(text), pieces: sha256(JSON.stringify(piecesById(json))) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function piecesById({ model: { vocab } }: TokenizerJson): readonly (readonly [id: number, piece: string])[] {
  return Object.entries(vocab)
    .map(([piece, id]) => [id, piece] as const)
    .sort(([a], [b]) => a - b);
}

/** Whether a vocabulary is a `tokenizer.json` instead of a list of word pieces. */
export function isTokenizerJson(text: string): boolean {
  return text.trimStart().startsWith('{');
}

const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

/**
 * Creates a tokenizer from BERT's `vocab.txt`, which does not define how text is split. Uses BERT's BasicTokenizer:
 * clean the text, split CJK characters, convert to lower case, remove accents. A vocabulary with capital letters is for
 * a cased model; then case and accents are kept.
 */
function fromVocabulary(text: string, refuse: Refuse): TokenizerJson {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > mostPieces) throw tooMany(lines.length, refuse);
  const vocab: Record<string, number> = Object.create(null);
  for (const [id, line] of lines.entries()) {
    if (line in vocab) throw refuse(`${quoted(line)} is in lines ${vocab[line]! + 1} and ${id + 1}`);
    vocab[line] = id;
  }
  const cased = lines.some((line) => !/^\[.*\]$/.test(line) && /\p{Lu}/u.test(line));
  const added = specials.filter((token) => token in vocab);
  return {
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: !cased,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: null,
    added_tokens: added.map((content) => ({
      id: vocab[content]!,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    hasPatterns: false,
  };
}

async function tokenizerFrom(
  json: TokenizerJson,
  truncation: Truncation,
  refuse: Refuse,
): Promise<Pick<Tokenizer, 'vocabularySize' | 'encode'>> {
  const { vocab } = json.model;
  const id = (token: string): number => {
    const found = Object.hasOwn(vocab, token) ? vocab[token] : undefined;
    if (found === undefined) throw refuse(`it has no ${token}`);
    return found;
  };
  const [pad, unknown, cls, sep] = [id('[PAD]'), id('[UNK]'), id('[CLS]'), id('[SEP]')];
  const { Tokenizer: Engine } = await import('@huggingface/tokenizers');
  const { hasPatterns, ...parts } = json;
  const guarded = hasPatterns ? inTime : <T>(work: () => T): T => work();
  // Patterns are compiled at their first match, so a text is encoded here to find errors.
  const engine = attempt(
    () =>
      guarded(() => {
        const made = new Engine(parts, {});
        made.encode('a b', { add_special_tokens: false });
        return made;
      }),
    refuse,
  );
  let largest = 0;
  for (const value of Object.values(vocab)) largest = Math.max(largest, value);
  for (const added of json.added_tokens) largest = Math.max(largest, added.id);
  return {
    vocabularySize: largest + 1,
    encode(text, words) {
      if (words < 3)
        throw new UserError(`a sentence needs room for 3 tokens, [CLS] and [SEP] among them, and has ${words}`);
      // Converting to UTF-8 and back replaces lone surrogates, which are not valid text, by U+FFFD.
      const plain = Buffer.from(text).toString();
      const encoded = attempt(() => guarded(() => engine.encode(plain, { add_special_tokens: false })), refuse);
      if (encoded.ids.length === 0) throw new UserError('the sentence is empty');
      const most = truncation === 'plain' ? words - 1 : words - 2;
      const kept = encoded.ids.slice(0, most).map((value: number | undefined) => value ?? unknown);
      const ids = [cls, ...kept, sep].slice(0, words);
      const mask = new Uint8Array(words).fill(1, 0, ids.length);
      while (ids.length < words) ids.push(pad);
      return { ids, mask, tokens: encoded.tokens, truncated: encoded.ids.length > words - 2 };
    },
  };
}

/** Time limit for one sentence in milliseconds. Without problematic patterns, a sentence takes less than one. */
const longestMatching = 5_000;

const scope: { work?: () => unknown } = createContext({});
const call = new Script('work()');

/** Runs `work` with a time limit, because patterns may backtrack for very long. */
function inTime<T>(work: () => T): T {
  scope.work = work;
  return call.runInContext(scope, { timeout: longestMatching }) as T;
}

/** Converts errors of the tokenizer library to errors about the file. */
function attempt<T>(work: () => T, refuse: Refuse): T {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw refuse(`its patterns take more than ${longestMatching / 1000} s for one sentence`);
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}
