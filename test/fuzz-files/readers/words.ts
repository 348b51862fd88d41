import { join } from 'node:path';
import { openTokenizer } from '../../../runtime/text/tokenizer.ts';
import { allJson, type OpenReader, type Reader } from '../reader.ts';

const pieces = [
  ...[
    '[PAD]',
    '[UNK]',
    '[CLS]',
    '[SEP]',
    '[MASK]',
    'the',
    'white',
    'ship',
    'on',
    'left',
    '##s',
    '##hip',
    'pl',
    '##ane',
  ],
  ...['a', '##a', 'b', '##b', ',', '.', 'é', '海'],
];

const ids = Object.fromEntries(pieces.map((piece, id) => [piece, id]));

const added = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((content, id) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
}));

const bert = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: added,
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {},
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: ids,
  },
};

const withPatterns = {
  ...bert,
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'NFD' },
      { type: 'StripAccents' },
      { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
      { type: 'Replace', pattern: { String: '--' }, content: '-' },
      { type: 'Strip', strip_left: true, strip_right: true },
      { type: 'Lowercase' },
    ],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\d+' }, behavior: 'Isolated', invert: false },
      { type: 'Digits', individual_digits: true },
      { type: 'Punctuation', behavior: 'Isolated' },
      { type: 'WhitespaceSplit' },
    ],
  },
  post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
};

const phrases = [
  'the white ship on the left',
  'a Plane, 海 é 12 [MASK] \u0000',
  `${'ab'.repeat(200)} -- ${'a '.repeat(50)}`,
];

/** A vocabulary may leave nothing of a sentence, which is then said of the sentence. */
const names = ['the sentence'];

async function readWords(path: string): Promise<void> {
  const tokenizer = await openTokenizer(path);
  for (const phrase of phrases) {
    const { ids, mask } = tokenizer.encode(phrase, 20);
    const right = ids.length === 20 && mask.length === 20 && ids.every((id) => id < tokenizer.vocabularySize);
    if (!right) throw new Error(`ids ${ids.join()} of ${tokenizer.vocabularySize}`);
  }
}

/** tokenizer.json, and sentences that it splits. */
export const tokenizer: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'tokenizer.json');
    const samples = [bert, withPatterns].map((file) => Buffer.from(JSON.stringify(file)));
    return { path, samples, json: allJson, names, read: () => readWords(path) };
  },
};

/** vocab.txt, and sentences that it splits. */
export const vocabulary: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'vocab.txt');
    const samples = ['\n', '\r\n'].map((end) => Buffer.from(`${pieces.join(end)}${end}`));
    return { path, samples, names, read: () => readWords(path) };
  },
};
