import { crc32, deflateRawSync } from 'node:zlib';

/** A file of an archive to be made; the fields replace those of a right one. */
export interface ZipPart {
  readonly name: string;
  readonly data: Buffer;
  readonly deflate?: boolean;
  readonly crc?: number;
  readonly size?: number;
  readonly packed?: number;
  readonly at?: number;
  readonly flags?: number;
  readonly method?: number;
}

/** The bytes of a zip archive. */
export function zipBytes(parts: readonly ZipPart[], count = parts.length): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const part of parts) {
    const name = Buffer.from(part.name);
    const data = part.deflate ? deflateRawSync(part.data) : part.data;
    const [method, crc] = [part.method ?? (part.deflate ? 8 : 0), part.crc ?? crc32(part.data)];
    const [packed, size] = [part.packed ?? data.length, part.size ?? part.data.length];
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(part.flags ?? 0, 2);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt32LE(crc, 10);
    fields.writeUInt32LE(packed, 14);
    fields.writeUInt32LE(size, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, name, data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(part.at ?? at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), fields, rest, name);
    files.push(local);
    at += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...files, list, Buffer.from('PK\x05\x06'), end]);
}
