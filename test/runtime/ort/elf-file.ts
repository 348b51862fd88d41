/** The bytes of a 64-bit little-endian ELF file for x64 (`e_machine` 62) that needs these libraries, and has nothing else. */
export function elfFile(needed: readonly string[], machine = 62): Uint8Array {
  const [headerSize, segmentSize] = [64, 56];
  const texts = ['', ...needed].map((name) => Buffer.from(`${name}\0`, 'latin1'));
  const names = Buffer.concat(texts);
  const offsets = texts.map((_, i) => texts.slice(0, i).reduce((sum, { length }) => sum + length, 0));
  const dynamicSize = 16 * (needed.length + 3);
  const dynamicAt = headerSize + 2 * segmentSize;
  const namesAt = dynamicAt + dynamicSize;
  // Loaded at another address than its offset.
  const base = 0x400000;
  const file = Buffer.alloc(namesAt + names.length);
  const word = (value: number, at: number) => file.writeBigUInt64LE(BigInt(value), at);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(machine, 18);
  word(headerSize, 32);
  file.writeUInt16LE(segmentSize, 54);
  file.writeUInt16LE(2, 56);
  const segment = (i: number, type: number, offset: number, size: number) => {
    const at = headerSize + i * segmentSize;
    file.writeUInt32LE(type, at);
    word(offset, at + 8);
    word(base + offset, at + 16);
    word(size, at + 32);
  };
  segment(0, 1, 0, file.length);
  segment(1, 2, dynamicAt, dynamicSize);
  const entries = [
    ...needed.map((_, i) => [1, offsets[i + 1]!] as const),
    [5, base + namesAt] as const,
    [10, names.length] as const,
    [0, 0] as const,
  ];
  for (const [i, [tag, value]] of entries.entries()) {
    word(tag, dynamicAt + 16 * i);
    word(value, dynamicAt + 16 * i + 8);
  }
  file.set(names, namesAt);
  return file;
}
