import { createHash } from 'node:crypto';
import { createContext, Script } from 'node:vm';
import { readUtf8 } from '../files/read-file.ts';
import { quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { mostPieces, parseTokenizerJson, type Refuse, type TokenizerJson, tooMany } from './tokenizer-json.ts';

/** A sentence as a BERT text encoder takes it. */
export interface EncodedText {
  /** [CLS] … [SEP] and then padding: as many ids as were asked for. */
  readonly ids: readonly number[];
  /** 1 where there is a token, 0 where padding. */
  readonly mask: Uint8Array;
  /** Tokens of the sentence itself, before truncation. */
  readonly tokens: readonly string[];
  /** The sentence had more tokens than fit; the rest was cut off. */
  readonly truncated: boolean;
}

export interface Tokenizer {
  /** One more than the largest id: what a word embedding must have rows for. */
  readonly vocabularySize: number;
  /** SHA-256 of the file. */
  readonly hash: string;
  /** `words` counts [CLS] and [SEP]. Throws a UserError for a sentence without a token. */
  encode(text: string, words: number): EncodedText;
}

/** How a model takes sentences. */
export interface TextInput {
  /** Tokens of a sentence, [CLS] and [SEP] among them. */
  readonly words: number;
  readonly tokenizer: Tokenizer;
}

/**
 * A WordPiece tokenizer from a BERT `vocab.txt` (a word piece a line) or a Hugging Face `tokenizer.json`.
 * Throws a UserError that names the file where it is neither.
 */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  const text = await readUtf8(path, 'vocabulary');
  const refuse = (why: string) => new UserError(`${path} is not a WordPiece vocabulary: ${why}`);
  const json = text.trimStart().startsWith('{') ? parseTokenizerJson(text, refuse) : fromVocabulary(text, refuse);
  return { ...(await tokenizerFrom(json, refuse)), hash: createHash('sha256').update(text).digest('hex') };
}

const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

/**
 * BERT's own `vocab.txt` says nothing of how text is split; it is BERT's BasicTokenizer: clean, split CJK characters,
 * and lower-case without accents. A vocabulary with capital letters is of a cased model, which keeps both.
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

async function tokenizerFrom(json: TokenizerJson, refuse: Refuse): Promise<Omit<Tokenizer, 'hash'>> {
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
  // Patterns are compiled when they first match, so a text is tried at once.
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
      // A lone surrogate is no text; through UTF-8 and back it becomes U+FFFD.
      const plain = Buffer.from(text).toString();
      const encoded = attempt(() => guarded(() => engine.encode(plain, { add_special_tokens: false })), refuse);
      if (encoded.ids.length === 0) throw new UserError('the sentence is empty');
      const kept = encoded.ids.slice(0, words - 2).map((value: number | undefined) => value ?? unknown);
      const ids = [cls, ...kept, sep];
      const mask = new Uint8Array(words).fill(1, 0, ids.length);
      while (ids.length < words) ids.push(pad);
      return { ids, mask, tokens: encoded.tokens, truncated: encoded.ids.length > words - 2 };
    },
  };
}

/** Milliseconds for one sentence, which takes less than one where a pattern is what it should be. */
const longestMatching = 5_000;

const scope: { work?: () => unknown } = createContext({});
const call = new Script('work()');

/** Runs something that is stopped where it takes too long, as patterns that backtrack do. */
function inTime<T>(work: () => T): T {
  scope.work = work;
  return call.runInContext(scope, { timeout: longestMatching }) as T;
}

/** What the engine throws is about the file. */
function attempt<T>(work: () => T, refuse: Refuse): T {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw refuse(`its patterns take more than ${longestMatching / 1000} s for one sentence`);
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}
