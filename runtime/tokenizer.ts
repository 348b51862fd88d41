import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fileError } from './file-error.ts';
import { UserError } from './user-error.ts';

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

const MAX_FILE_BYTES = 1 << 27;

/**
 * A WordPiece tokenizer from a BERT `vocab.txt` (a word piece a line) or a Hugging Face `tokenizer.json`.
 * Throws a UserError that names the file where it is neither.
 */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new UserError(`cannot read ${path}: ${size} bytes are too many for a vocabulary`);
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof TypeError) throw new UserError(`cannot read ${path}: it is not UTF-8 text`);
    throw fileError('read', path, error);
  }
  const refuse = (why: string) => new UserError(`${path} is not a WordPiece vocabulary: ${why}`);
  const json = text.trimStart().startsWith('{') ? fromJson(text, refuse) : fromVocabulary(text, refuse);
  return { ...(await tokenizerFrom(json, refuse)), hash: createHash('sha256').update(text).digest('hex') };
}

/** The part of `tokenizer.json` that is looked at here; the rest is @huggingface/tokenizers' business. */
interface TokenizerJson {
  readonly model: { readonly type?: string; readonly vocab: Readonly<Record<string, number>> };
}

type Refuse = (why: string) => UserError;

function fromJson(text: string, refuse: Refuse): TokenizerJson {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse('it begins like JSON and does not go on like it');
  }
  const model = (json as Partial<TokenizerJson>).model;
  if (typeof model !== 'object' || model === null) throw refuse('it has no "model"');
  // Files from before tokenizers 0.9 name no type; WordPiece is known by its prefix.
  const type = model.type ?? ('continuing_subword_prefix' in model ? 'WordPiece' : 'unknown');
  if (type !== 'WordPiece') throw refuse(`its model is ${type}`);
  const { vocab } = model;
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab)) throw refuse('its model has no "vocab"');
  for (const [token, id] of Object.entries(vocab)) {
    if (!Number.isInteger(id) || id < 0) throw refuse(`the id of ${JSON.stringify(token)} is not a whole number`);
  }
  return json as TokenizerJson;
}

const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

/**
 * BERT's own `vocab.txt` says nothing of how text is split; it is BERT's BasicTokenizer: clean, split CJK characters,
 * and lower-case without accents. A vocabulary with capital letters is of a cased model, which keeps both.
 */
function fromVocabulary(text: string, refuse: Refuse): TokenizerJson {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const vocab: Record<string, number> = Object.create(null);
  for (const [id, line] of lines.entries()) {
    if (line in vocab) throw refuse(`${JSON.stringify(line)} is in lines ${vocab[line]! + 1} and ${id + 1}`);
    vocab[line] = id;
  }
  const cased = lines.some((line) => !/^\[.*\]$/.test(line) && /\p{Lu}/u.test(line));
  const added = specials.filter((token) => token in vocab);
  const json = {
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
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    added_tokens: added.map((content) => ({
      id: vocab[content],
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
  };
  return json;
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
  let engine: InstanceType<typeof Engine>;
  try {
    engine = new Engine(json, {});
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  let largest = 0;
  for (const value of Object.values(vocab)) largest = Math.max(largest, value);
  return {
    vocabularySize: largest + 1,
    encode(text, words) {
      if (words < 3)
        throw new UserError(`a sentence needs room for 3 tokens, [CLS] and [SEP] among them, and has ${words}`);
      // A lone surrogate is no text; through UTF-8 and back it becomes U+FFFD.
      const encoded = engine.encode(Buffer.from(text).toString(), { add_special_tokens: false });
      if (encoded.ids.length === 0) throw new UserError('the sentence is empty');
      const kept = encoded.ids.slice(0, words - 2).map((value: number | undefined) => value ?? unknown);
      const ids = [cls, ...kept, sep];
      const mask = new Uint8Array(words).fill(1, 0, ids.length);
      while (ids.length < words) ids.push(pad);
      return { ids, mask, tokens: encoded.tokens, truncated: encoded.ids.length > words - 2 };
    },
  };
}
