import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import { openTokenizer, type Tokenizer } from '../../../runtime/text/tokenizer.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

interface Golden {
  readonly texts: readonly string[];
  readonly cases: Readonly<
    Record<
      'uncased' | 'cased',
      { readonly vocabulary: readonly string[]; readonly ids: readonly number[][]; readonly tokenizer: unknown }
    >
  >;
}
let golden: Golden;
beforeAll(async () => {
  golden = JSON.parse(await readFile(here('../../goldens/tokenizer.json'), 'utf8')) as Golden;
});

const content = (tokenizer: Tokenizer, text: string): number[] => {
  const { ids, mask } = tokenizer.encode(text, 200);
  const count = mask.reduce((sum, m) => sum + m, 0);
  return ids.slice(1, count - 1);
};

describe('the same ids as transformers’ BertTokenizer', () => {
  test.each(['uncased', 'cased'] as const)('from vocab.txt, %s', async (name) => {
    const { vocabulary, ids } = golden.cases[name];
    await writeFile(at(`${name}.txt`), vocabulary.join('\n') + '\n');
    const tokenizer = await openTokenizer(at(`${name}.txt`));
    for (const [i, text] of golden.texts.entries()) {
      expect({ text, tokens: content(tokenizer, text).map((id) => vocabulary[id]) }).toEqual({
        text,
        tokens: ids[i]!.map((id) => vocabulary[id]),
      });
    }
    expect(tokenizer.vocabularySize).toBe(vocabulary.length);
  });

  test('from the tokenizer.json that transformers saves', async () => {
    const { vocabulary, ids, tokenizer: json } = golden.cases.uncased;
    await writeFile(at('tokenizer.json'), JSON.stringify(json));
    const tokenizer = await openTokenizer(at('tokenizer.json'));
    for (const [i, text] of golden.texts.entries()) {
      expect({ text, ids: content(tokenizer, text) }).toEqual({ text, ids: ids[i] });
    }
    expect(tokenizer.vocabularySize).toBe(vocabulary.length);
  });

  test('vocab.txt with Windows line ends', async () => {
    await writeFile(at('crlf.txt'), golden.cases.uncased.vocabulary.join('\r\n'));
    const tokenizer = await openTokenizer(at('crlf.txt'));
    expect(content(tokenizer, golden.texts[1]!)).toEqual(golden.cases.uncased.ids[1]);
  });
});

describe('padding and truncation', () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    await writeFile(at('tiny.txt'), ['[PAD]', 'red', '[UNK]', '[CLS]', '[SEP]', 'car', '##s'].join('\n'));
    tokenizer = await openTokenizer(at('tiny.txt'));
  });

  test('short text is padded behind [SEP]', () => {
    expect(tokenizer.encode('Red cars', 8)).toEqual({
      ids: [3, 1, 5, 6, 4, 0, 0, 0],
      mask: Uint8Array.of(1, 1, 1, 1, 1, 0, 0, 0),
      tokens: ['red', 'car', '##s'],
      truncated: false,
    });
  });

  test('long text keeps [SEP], and says that it was cut', () => {
    const { ids, mask, truncated } = tokenizer.encode('red red red cars', 5);
    expect(ids).toEqual([3, 1, 1, 1, 4]);
    expect([...mask]).toEqual([1, 1, 1, 1, 1]);
    expect(truncated).toBe(true);
    expect(tokenizer.encode('red red car', 5).truncated).toBe(false);
  });

  test('unknown words, and a lone surrogate, are [UNK]', () => {
    expect(tokenizer.encode('blue \ud800', 6).ids).toEqual([3, 2, 4, 0, 0, 0]);
  });

  test('no sentence, or no room for one', () => {
    for (const empty of ['', ' \t\n', '\u0000', '\u200b']) {
      expect(() => tokenizer.encode(empty, 20)).toThrow(new UserError('the sentence is empty'));
    }
    expect(() => tokenizer.encode('red', 2)).toThrow('needs room for 3 tokens');
  });
});

describe('files that are no vocabulary', () => {
  const cases: [string, string | Uint8Array, RegExp][] = [
    ['empty', '', /has no \[PAD\]/],
    ['prose', 'once upon\na time\n', /has no \[PAD\]/],
    ['twice', '[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n', /"a" is in lines 5 and 6/],
    ['binary', Uint8Array.of(0xff, 0xfe, 0x00), /it is not UTF-8 text/],
    ['cut JSON', '{"model": {"type": "WordPiece", "vocab": {"[PAD]"', /begins like JSON/],
    ['no model', '{"version": "1.0"}', /it has no "model"/],
    ['BPE', '{"model": {"type": "BPE", "vocab": {}, "merges": []}}', /its model is BPE/],
    ['no vocab', '{"model": {"type": "WordPiece"}}', /has no "vocab"/],
    ['bad id', '{"model": {"type": "WordPiece", "vocab": {"a": "1"}}}', /the id of "a" is not a whole number/],
    ['no specials', '{"model": {"type": "WordPiece", "vocab": {"toString": 0}}}', /has no \[PAD\]/],
  ];
  test.each(cases)('%s', async (_name, bytes, message) => {
    await writeFile(at('bad'), bytes);
    const error = await openTokenizer(at('bad')).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(message);
    expect((error as UserError).message).not.toContain('\n');
  });

  test('missing', async () => {
    await expect(openTokenizer(at('none.txt'))).rejects.toThrow(/^cannot read .*none\.txt: no such file or folder$/);
  });
});

describe('a tokenizer.json is checked before it is used', () => {
  const vocab = { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, red: 4, '##s': 5 };
  const model = { type: 'WordPiece', unk_token: '[UNK]', vocab };
  const open = async (json: object) => {
    await writeFile(at('checked.json'), JSON.stringify({ model, ...json }));
    return openTokenizer(at('checked.json'));
  };
  const nested = (depth: number): object =>
    depth === 0 ? { type: 'Lowercase' } : { type: 'Sequence', normalizers: [nested(depth - 1)] };
  const replace = (pattern: object, content: unknown) => ({ type: 'Replace', pattern, content });
  const wrong: [string, object, RegExp][] = [
    [
      'an id that is no whole number',
      { model: { ...model, vocab: { ...vocab, a: 1.5 } } },
      /the id of "a" is not a whole number/,
    ],
    [
      'an id that is an object',
      { model: { ...model, vocab: { ...vocab, a: {} } } },
      /the id of "a" is not a whole number/,
    ],
    [
      'an id beyond any table',
      { model: { ...model, vocab: { ...vocab, a: 2 ** 40 } } },
      /the id of "a" is not a whole number/,
    ],
    [
      'an id of two pieces',
      { model: { ...model, vocab: { ...vocab, a: 4 } } },
      /the id 4 belongs to "a" and to another/,
    ],
    [
      'words without an end',
      { model: { ...model, max_input_chars_per_word: 1e9 } },
      /must be a whole number from 1 to 256/,
    ],
    ['a prefix that is no text', { model: { ...model, continuing_subword_prefix: {} } }, /"continuing_subword_prefix"/],
    ['an unknown piece that is none', { model: { ...model, unk_token: 'what' } }, /"unk_token" "what" is none/],
    ['added tokens that are no list', { added_tokens: {} }, /"added_tokens" are not a list/],
    ['an added id that is text', { added_tokens: [{ id: 'x', content: 'a' }] }, /the id of added token 1/],
    [
      'an added token of another id',
      { added_tokens: [{ id: 5, content: 'red' }] },
      /"red" has the id 4 in the vocabulary and 5/,
    ],
    ['an added token without text', { added_tokens: [null] }, /added token 1 is not a JSON object/],
    [
      'a post-processor of nothing',
      { post_processor: { type: 'TemplateProcessing' } },
      /post_processor is TemplateProcessing/,
    ],
    [
      'another post-processor',
      { post_processor: { type: 'BertProcessing', cls: 5, sep: ['[SEP]', 3] } },
      /does not put \[CLS\]/,
    ],
    [
      'another template',
      { post_processor: { type: 'TemplateProcessing', single: [null, { Sequence: { id: 'A' } }] } },
      /does not put \[CLS\]/,
    ],
    [
      'a normalizer of another kind',
      { normalizer: { type: 'Precompiled', precompiled_charsmap: '' } },
      /normalizer is Precompiled/,
    ],
    [
      'a setting of another type',
      { normalizer: { type: 'BertNormalizer', lowercase: 'yes' } },
      /"lowercase" of its normalizer BertNormalizer is yes/,
    ],
    [
      'an unknown setting',
      { pre_tokenizer: { type: 'Digits', toString: 1 } },
      /"toString" of its pre_tokenizer Digits/,
    ],
    ['steps without an end', { normalizer: nested(100) }, /more than 32 steps/],
    ['no pattern', { normalizer: replace({}, 'b') }, /the pattern of its normalizer Replace/],
    ['an empty pattern', { normalizer: replace({ String: '' }, 'b') }, /the pattern of its normalizer Replace/],
    ['a pattern that is none', { pre_tokenizer: { type: 'Split', pattern: { Regex: '(' } } }, /regular expression/i],
    [
      'replacements that multiply',
      {
        normalizer: { type: 'Sequence', normalizers: Array.from({ length: 20 }, () => replace({ String: 'a' }, 'aa')) },
      },
      /more than 1,000 times longer/,
    ],
  ];
  test.each(wrong)('%s', async (_name, json, message) => {
    const error = await open(json).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(message);
    expect((error as UserError).message).not.toContain('\n');
  });

  test('a pattern that backtracks without end is one line', async () => {
    const tokenizer = await open({
      pre_tokenizer: { type: 'Split', pattern: { Regex: '^(a+)+$' }, behavior: 'Isolated' },
    });
    expect(() => tokenizer.encode('a'.repeat(60) + '!', 8)).toThrow(/its patterns take more than 5 s for one sentence/);
  });

  test('what replaces a pattern is taken as it is', async () => {
    const json = {
      model: { ...model, vocab: { ...vocab, $: 6, '&': 7 } },
      normalizer: replace({ Regex: 'b+' }, ' $& '),
      pre_tokenizer: { type: 'BertPreTokenizer' },
    };
    expect((await open(json)).encode('bb', 8).tokens).toEqual(['$', '&']);
  });

  test('ids of added tokens are rows, too', async () => {
    const tokenizer = await open({ added_tokens: [{ id: 9, content: '<ship>', special: true }] });
    expect(tokenizer.vocabularySize).toBe(10);
    expect(tokenizer.encode('<ship>', 4).ids).toEqual([2, 9, 3, 0]);
  });

  test('a vocabulary of millions of lines is refused', async () => {
    await writeFile(at('many.txt'), Array.from({ length: 1_000_001 }, (_, i) => i).join('\n'));
    await expect(openTokenizer(at('many.txt'))).rejects.toThrow(
      'it has 1,000,001 word pieces, and 1,000,000 at most are read',
    );
  });
});

describe('models/vocab/aerial.txt', () => {
  let tokenizer: Tokenizer;
  let lines: string[];
  beforeAll(async () => {
    tokenizer = await openTokenizer(here('../../../models/vocab/aerial.txt'));
    lines = (await readFile(here('../../../models/vocab/aerial.txt'), 'utf8')).trimEnd().split('\n');
  });

  test('special tokens sit where bert-base-uncased has them', () => {
    expect([0, 100, 101, 102, 103].map((i) => lines[i])).toEqual(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']);
    expect(tokenizer.vocabularySize).toBe(lines.length);
  });

  test('sentences about aerial images are whole words', () => {
    for (const text of [
      'the red car parked on the upper left of the storage tanks',
      'a light gray ship moored at the harbor on the right',
      'the tennis court below the baseball field',
      'vehicles driving in the lane with road marking',
      'a golf field near the expressway toll station',
      'the impervious surface along the bikeway',
    ]) {
      expect(tokenizer.encode(text, 40).tokens).toEqual(text.split(' '));
    }
  });

  test('nothing written in Latin letters is unknown', () => {
    for (const text of ['Zyzzyva-wharf’s naïve 42nd', 'quixotic jackdaws; love (my) big sphinx!', 'x'.repeat(100)]) {
      expect(tokenizer.encode(text.replace('’', "'"), 200).ids).not.toContain(100);
    }
  });

  test('is what its script writes', async () => {
    const script = await readFile(here('../../../models/vocab/make-aerial.mjs'), 'utf8');
    const moved = at('make-aerial.mjs');
    await writeFile(moved, script);
    await import(moved);
    expect(await readFile(at('aerial.txt'), 'utf8')).toBe(lines.join('\n') + '\n');
  });
});
