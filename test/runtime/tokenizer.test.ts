import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTokenizer, type Tokenizer } from '../../runtime/tokenizer.ts';
import { UserError } from '../../runtime/user-error.ts';
import { temporaryFolder } from './temporary-folder.ts';

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
  golden = JSON.parse(await readFile(here('../goldens/tokenizer.json'), 'utf8')) as Golden;
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

describe('models/vocab/aerial.txt', () => {
  let tokenizer: Tokenizer;
  let lines: string[];
  beforeAll(async () => {
    tokenizer = await openTokenizer(here('../../models/vocab/aerial.txt'));
    lines = (await readFile(here('../../models/vocab/aerial.txt'), 'utf8')).trimEnd().split('\n');
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
    const script = await readFile(here('../../models/vocab/make-aerial.mjs'), 'utf8');
    const moved = at('make-aerial.mjs');
    await writeFile(moved, script);
    await import(moved);
    expect(await readFile(at('aerial.txt'), 'utf8')).toBe(lines.join('\n') + '\n');
  });
});
