import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import { PickleEnd } from '../../../runtime/pickle/read-opcodes.ts';
import { shownPickle } from '../../../runtime/pickle/show-pickle.ts';
import { readTorchPickle } from '../../../runtime/weights/torch-host.ts';

// Written by Python's own pickle: test/goldens/make-checkpoints.py.
const { shown, bad } = JSON.parse(
  readFileSync(new URL('../../goldens/checkpoints/pickles.json', import.meta.url), 'utf8'),
) as Readonly<Record<'shown' | 'bad', Readonly<Record<string, Readonly<Record<string, string>>>>>>;

const read = (bytes: Uint8Array) => readTorchPickle(bytes);
const ofPython = (text: string) => read(Buffer.from(text, 'base64')).value;

describe.each(Object.keys(shown))('protocol %s', (protocol) => {
  test.each([
    ['none', 'None'],
    ['flags', '[True, False]'],
    [
      'numbers',
      `[0, 1, -1, 255, 256, 65535, 65536, -2147483648, 2147483648, ${2n ** 53n}, ${2n ** 64n}, ${-(2n ** 100n)}, 0.5, -1e+300, Infinity]`,
    ],
    ['texts', `["", "plain", "ünï ☃ 𝄞", ${JSON.stringify('a\nb\\u0041\'"')}, "${'x'.repeat(60)}……]`],
    ['tuples', '[(), (1), (1, 2), (1, 2, 3), (1, 2, 3, 4)]'],
    ['ordered', '{"b": 1, "a": 2}'],
    ['bytes', '[0 bytes, 4 bytes, 300 bytes]'],
    ['set', '{7}'],
    ['nested', '[[[{"a": {"b": …}}]]]'],
  ])('%s', (name, text) => {
    expect(shownPickle(ofPython(shown[protocol]![name]!))).toBe(text);
  });

  test('an object that occurs twice is one value', () => {
    const value = ofPython(shown[protocol]!.same!);
    const items = typeof value === 'object' && value?.kind === 'list' ? value.items : [];
    expect(items).toHaveLength(2);
    expect(items[0]).toBe(items[1]);
    expect(shownPickle(items[0]!)).toMatch(/^Namespace\(/);
  });
});

describe.each([
  ['os.system', /posix\.system|nt\.system/],
  ['eval', /(__builtin__|builtins)\.eval/],
  ['getattr', /(__builtin__|builtins)\.getattr/],
  ['nested reduce', /posix\.system/],
  ['exec in state', /(__builtin__|builtins)\.exec/],
  ['import', /(__builtin__|builtins)\.__import__/],
  ['load from bytes', /torch\.storage\._load_from_bytes/],
  ['numpy load', /numpy\..*load/],
])('a pickle that would call %s', (name, called) => {
  test.each(['0', '2', '4'])('is refused by that name, in protocol %s', (protocol) => {
    const refusal = expect(() => ofPython(bad[name]![protocol]!));
    refusal.toThrow(UserError);
    expect(() => ofPython(bad[name]![protocol]!)).toThrow(called);
    expect(() => ofPython(bad[name]![protocol]!)).toThrow(/crobc runs no code of a file$/);
  });
});

const ascii = (text: string) => Buffer.from(text, 'latin1');
const u32 = (n: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n);
  return bytes;
};
const u64 = (n: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(n);
  return bytes;
};

describe('a fault is a message of one line', () => {
  test.each<[string, Buffer, string]>([
    ['a length beyond the end', Buffer.concat([ascii('\x8e'), u64(2n ** 63n), ascii('abc.')]), 'bytes too early'],
    ['a text of 4 GB', Buffer.concat([ascii('X'), u32(0xffffffff), ascii('abc.')]), 'bytes too early'],
    ['an integer of 2 GB', Buffer.concat([ascii('\x8b'), u32(2 ** 31), ascii('.')]), 'a length of -2147483648'],
    ['an integer of many digits', ascii(`L${'9'.repeat(60_000)}L\n.`), 'an integer of 60000 digits'],
    ['a line without an end', ascii(`c${'a'.repeat(100_000)}`), 'a line without an end'],
    ['no end', ascii('N'), 'it ends at byte 1'],
    ['an empty stack', ascii('.'), 'its pickle cannot be read: byte 0: STOP finds no value on the stack'],
    ['a value of a mark', ascii('(0.'), 'byte 2: STOP finds no value on the stack'],
    ['no mark', ascii('t.'), 'byte 0: TUPLE finds no mark on the stack'],
    ['a value below a mark', ascii('N(a.'), 'byte 2: APPEND finds no value on the stack'],
    ['more than one value', ascii('NN.'), 'byte 2: STOP leaves 1 value on the stack'],
    ['a mark at the end', ascii('(N.'), 'byte 2: STOP leaves 1 value on the stack'],
    ['a value that was not stored', ascii('h\x07.'), 'byte 0: BINGET asks for the value 7, which was not stored'],
    ['a call of what is no function', ascii('])R.'), 'byte 2: REDUCE calls a list'],
    ['arguments that are no tuple', ascii('ccollections\nOrderedDict\n]R.'), 'with a list'],
    ['a key without a value', ascii('}(Nu.'), 'a key without a value'],
    ['items of a tuple', ascii('))a.'), 'byte 2: APPEND appends to a tuple'],
    ['items of a list in a set', ascii('\x8f(Ne.'), 'byte 3: APPENDS appends to a set'],
    ['a state of a list', ascii(']}b.'), 'byte 2: BUILD sets the state of a list'],
    ['a state of a plain dict', ascii('}}b.'), 'byte 2: BUILD sets the state of a dict'],
    ['the extension registry', ascii('\x82\x01.'), 'the extension registry'],
    ['buffers', ascii('\x97.'), 'buffers outside of the file'],
    ['an opcode that does not exist', ascii('\xff'), 'byte 0 is 0xff, no opcode'],
    ['protocol 6', ascii('\x80\x06N.'), 'it is of protocol 6, and 5 is the highest that is read'],
    ['text that is not UTF-8', ascii('X\x01\x00\x00\x00\xff.'), 'a text that is not UTF-8'],
    ['a persistent text', ascii('P12\n.'), 'where a list is needed'],
    ['another persistent id', ascii(')Q.'), 'something outside of it that is not a storage'],
    ['a class as a tensor', ascii('ctorch\nfloat32\n)R.'), 'a call of torch.float32'],
    ['a name from the prototype of objects', ascii('c__builtin__\nconstructor\n.'), '__builtin__.constructor'],
    ['a tensor without a storage', ascii('ctorch._utils\n_rebuild_tensor_v2\n(K\x05tR.'), 'has no storage'],
  ])('%s', (_, bytes, reason) => {
    let error: unknown;
    try {
      read(bytes);
    } catch (thrown) {
      error = thrown;
    }
    // Where more bytes could follow, the caller decides.
    expect(error instanceof UserError || error instanceof PickleEnd).toBe(true);
    expect((error as Error).message).toContain(reason);
  });

  const storage = (length: string) =>
    `(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x00aX\x03\x00\x00\x00cpu${length}tQ`;
  const tensor = (length: string, offset: string, size: string, stride: string) =>
    ascii(`ctorch._utils\n_rebuild_tensor_v2\n(${storage(length)}${offset}${size}${stride}I00\nNtR.`);

  test.each<[string, Buffer, string]>([
    [
      'too small a storage',
      tensor('I5\n', 'I0\n', '(I2\nI3\nt', '(I3\nI1\nt'),
      'reaches to element 5 of a storage of 5',
    ],
    ['a negative offset', tensor('I6\n', 'I-1\n', '(I2\nt', '(I1\nt'), 'an offset that is not a whole number from 0'],
    ['a negative stride', tensor('I6\n', 'I3\n', '(I2\nt', '(I-1\nt'), 'not a whole number from 0'],
    [
      'sizes whose product overflows',
      tensor('I6\n', 'I0\n', '(I4294967296\nI4294967296\nt', '(I0\nI0\nt'),
      'a storage of 6',
    ],
    ['one element very often', tensor('I1\n', 'I0\n', '(I1000000000\nt', '(I0\nt'), 'repeats a storage of 1 elements'],
    ['a stride that overflows', tensor('I6\n', 'I0\n', '(I2\nt', '(I9007199254740991\nt'), 'a storage of 6'],
    ['fewer strides than sizes', tensor('I6\n', 'I0\n', '(I2\nt', ')'), 'has 1 sizes and 0 strides'],
    ['a float as a size', tensor('I6\n', 'I0\n', '(F0.5\nt', '(I1\nt'), 'not a whole number from 0'],
    ['a storage of negative length', tensor('I-6\n', 'I0\n', '(I2\nt', '(I1\nt'), 'has no length'],
  ])('a tensor with %s', (_, bytes, reason) => {
    expect(() => read(bytes)).toThrow(UserError);
    expect(() => read(bytes)).toThrow(reason);
  });

  test('a value that holds the one before it twice, a hundred times over, takes no time', () => {
    const doubled = Array.from(
      { length: 100 },
      (_, i) => `(h${String.fromCharCode(i)}h${String.fromCharCode(i)}lq${String.fromCharCode(i + 1)}0`,
    );
    const { value } = read(ascii(`]q\x000${doubled.join('')}hd.`));
    expect(shownPickle(value).length).toBeLessThan(500);
  });

  test('a value that holds itself', () => {
    expect(shownPickle(read(ascii(']q\x00h\x00a.')).value)).toBe('[[[[[…]]]]]');
  });

  test('a million lists in each other', () => {
    expect(shownPickle(read(ascii(`${']'.repeat(900_000)}${'a'.repeat(899_999)}.`)).value)).toBe('[[[[[…]]]]]');
  });

  test('more instructions than a checkpoint has', () => {
    expect(() => read(Buffer.alloc(3_000_000, 'N'))).toThrow('it has more than 2,000,000 instructions');
  });
});
