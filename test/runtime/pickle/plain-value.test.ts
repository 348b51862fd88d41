import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type PlainValue, readPlainPickle } from '../../../runtime/pickle/plain-value.ts';
import { PickleFault } from '../../../runtime/pickle/read-opcodes.ts';

const { json, pickles } = JSON.parse(readFileSync('test/goldens/pickles.json', 'utf8')) as {
  readonly json: unknown;
  /** Base64, by protocol. */
  readonly pickles: readonly string[];
};

/** As the golden has it: dicts as objects, large integers and infinity as texts. */
function plain(value: PlainValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  if (Array.isArray(value)) return value.map(plain);
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  return typeof value === 'bigint' ? String(value) : value;
}

const latin = (text: string) => Buffer.from(text, 'latin1');
const fault = (bytes: Uint8Array): string => {
  try {
    readPlainPickle(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(PickleFault);
    return (error as Error).message;
  }
  return expect.unreachable('it was read');
};

describe('what Python wrote', () => {
  test.each([0, 1, 2, 3, 4, 5])('protocol %i', (protocol) => {
    const value = readPlainPickle(Buffer.from(pickles[protocol]!, 'base64'));
    const found = plain(value) as Record<string, unknown>[];
    const expected = structuredClone(json) as Record<string, unknown>[];
    expected[3]!['7'] = 'a number';
    expected[3]!.None = 'none';
    // The golden has all numbers as texts there, as JSON has no large ones.
    (found[1] as { numbers: unknown[] }).numbers = (found[1] as { numbers: unknown[] }).numbers.map(String);
    // `None` as a key is null, and the text of it.
    found[3]!.None = found[3]!.null;
    delete found[3]!.null;
    expect(found).toEqual(expected);
  });

  test('a value that occurs twice is one value', () => {
    const value = readPlainPickle(Buffer.from(pickles[4]!, 'base64')) as Map<string, PlainValue[]>[];
    const [one, two] = value[3]!.get('again')!;
    expect(one).toBe(two);
  });

  test('strings and truth values of Python 2, by their opcodes', () => {
    expect(readPlainPickle(latin("S'it\\'s \\x41\\n\\101\\\\'\n."))).toBe("it's A\nA\\");
    expect(readPlainPickle(latin('U\x03a\xe9b.'))).toBe('aéb');
    expect(readPlainPickle(latin('T\x02\x00\x00\x00\xe9b.'))).toBe('éb');
    expect(readPlainPickle(latin('(I00\nI01\nL-12L\nF1e3\nt.'))).toEqual([false, true, -12, 1000]);
    expect(readPlainPickle(latin('V\\u4e2d\\U0001f6f3\xe9\n.'))).toBe('\u4e2d\u{1f6f3}é');
  });
});

describe('what is refused', () => {
  test('anything that would be imported, called or built', () => {
    expect(fault(latin("cos\nsystem\n(S'true'\ntR."))).toBe(
      'byte 0: it would import "os.system", and crobc runs no code of a file',
    );
    expect(fault(latin('\x80\x04\x8c\x08builtins\x8c\x04eval\x93.'))).toMatch(/it would import "builtins\.eval"/);
    expect(fault(latin("(S'true'\nios\nsystem\n."))).toMatch(/it would import "os\.system"/);
    expect(fault(latin(`cos\n${'x'.repeat(1000)}\n.`)).length).toBeLessThan(200);
    expect(fault(latin(']}b.'))).toBe('byte 2: BUILD sets the state of a list');
    expect(fault(latin('}}b.'))).toBe('byte 2: BUILD sets the state of a dict');
    expect(fault(latin('(]o.'))).toBe('byte 2: OBJ calls a list');
    expect(fault(latin('])\x81.'))).toBe('byte 2: NEWOBJ calls a list');
    expect(fault(latin('])}\x92.'))).toBe('byte 3: NEWOBJ_EX calls a list');
    expect(fault(latin('](]tR.'))).toBe('byte 4: REDUCE calls a list');
    expect(fault(latin('P12\n.'))).toBe('it refers to something outside of the file');
    expect(fault(latin('NQ.'))).toBe('it refers to something outside of the file');
    expect(fault(latin('\x82\x01.'))).toMatch(/extension registry/);
    expect(fault(latin('\x97.'))).toMatch(/buffers outside of the file/);
    expect(fault(latin('C\x01a.'))).toBe('it contains bytes, which is not read');
    expect(fault(latin('](C\x01ae.'))).toBe('it contains bytes, which is not read');
    expect(fault(latin('\x8f.'))).toBe('it contains a set, which is not read');
  });

  test('lengths beyond the file, without a try to hold them', () => {
    for (const head of [
      'T\xff\xff\xff\x7f',
      'X\xff\xff\xff\xff',
      '\x8d\xff\xff\xff\xff\xff\xff\xff\x7f',
      '\x8b\xff\xff\xff\x7f',
    ])
      expect(fault(latin(`${head}a.`))).toMatch(/too early|an integer of/);
    expect(fault(latin('T\xff\xff\xff\xffa.'))).toMatch(/a length of -1/);
    expect(fault(latin(`I${'9'.repeat(5000)}\n.`))).toMatch(/an integer of 5000 digits/);
  });

  test('a stack that does not fit, and ends', () => {
    expect(fault(latin(''))).toMatch(/ends at byte 0/);
    expect(fault(latin('K\x01K\x02.'))).toMatch(/leaves 1 value on the stack/);
    for (const bytes of [
      '.',
      '0',
      't.',
      'a.',
      '(a.',
      ']Ka',
      's.',
      'g1\n.',
      'h\x05.',
      '\x94',
      '2.',
      '(2.',
      '\x85.',
      '\x01',
    ])
      expect(fault(latin(bytes))).toMatch(/^[ -~]+$/);
    expect(fault(latin('(K\x01d.'))).toMatch(/a key without a value/);
    expect(fault(latin('(]K\x01d.'))).toBe('a dict has a list as a key, and only strings and numbers are read');
    expect(fault(latin('\x80\x09N.'))).toMatch(/protocol 9/);
  });

  test('lists that double with each line take no more memory than the file', () => {
    // Each list has the one before twice: as a tree, it would have 2^60 items.
    const doubled = Array.from({ length: 60 }, (_, i) => `(g${i}\ng${i}\nlp${i + 1}\n0`).join('');
    const value = readPlainPickle(latin(`(lp0\n0${doubled}g60\n.`)) as PlainValue[];
    expect(value[0]).toBe(value[1]);
    // A list within itself.
    const self = readPlainPickle(latin(']q\x00h\x00a.')) as PlainValue[];
    expect(self[0]).toBe(self);
  });

  test('the memo takes no more memory than what is stored in it', () => {
    // The largest index, and then more values than fit.
    expect(readPlainPickle(latin('K\x07r\xff\xff\xff\xff0j\xff\xff\xff\xff.'))).toBe(7);
    const many = Buffer.alloc(8_000_003, '\x94', 'latin1');
    many.write('N', 0);
    expect(fault(many)).toMatch(/needs more than 8,000,000 remembered values/);
  });

  test('more values than fit on the stack', () => {
    expect(fault(Buffer.alloc(8_000_001, 'N'))).toMatch(/needs more than 8,000,000 values on the stack/);
    expect(fault(Buffer.alloc(8_000_001, '('))).toMatch(/needs more than 8,000,000 values on the stack/);
  });

  test('a million lists in each other take no stack', () => {
    const value = readPlainPickle(latin(`${']'.repeat(900_000)}${'a'.repeat(899_999)}.`));
    expect((value as PlainValue[]).length).toBe(1);
  });

  test('more lists than a file of references has', () => {
    expect(fault(Buffer.alloc(2_000_001, ']'))).toMatch(/makes more than 2,000,000 lists and dicts/);
  });
});
