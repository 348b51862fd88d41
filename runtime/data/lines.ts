import { readParts } from '../files/read-file.ts';

/**
 * Maximum number of lines of a phrase or attributes file, which bounds memory to a few gigabytes. RISBench has 52,472.
 */
export const MAX_LINES = 5_000_000;

/** A line of a text file, without its end (LF, CRLF or CR). */
export interface Line {
  /** Line number, from 1. */
  readonly number: number;
  /** Undefined if the line is too long or not UTF-8; `fault` then holds the reason. */
  readonly text: string | undefined;
  readonly fault?: string;
}

/** Ends of lines as Python's text mode has them: LF, CRLF, and CR alone. */
const LF = 10;
const CR = 13;

/**
 * Yields the lines of a text file in UTF-8, or in UTF-16 with a byte order mark, and drops the mark. A line over `limit`
 * bytes (of UTF-8) or with invalid text is yielded as a fault, and reading continues. Holds at most one chunk and one line
 * in memory. Throws a UserError if the file cannot be read.
 */
export async function* readLines(path: string, limit: number): AsyncGenerator<Line, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let held: Buffer[] = [];
  let size = 0;
  let number = 0;
  /** Whether the last byte was a CR, whose line goes on with an LF. */
  let ended = false;
  const take = (part: Buffer) => {
    size += part.length;
    // The bytes of a line that is too long are counted and not kept.
    if (size <= limit) held.push(part);
  };
  const finish = (): Line => {
    number++;
    const [bytes, length] = [held, size];
    held = [];
    size = 0;
    if (length > limit) return { number, text: undefined, fault: `the line has ${length} bytes, over ${limit}` };
    try {
      return { number, text: decoder.decode(Buffer.concat(bytes)) };
    } catch {
      return { number, text: undefined, fault: 'the line is not UTF-8' };
    }
  };
  for await (const part of utf8Parts(readParts(path, 'lines', 1 << 16))) {
    let from = 0;
    for (let at = 0; at < part.length; at++) {
      const byte = part[at];
      if (byte === LF && ended) from = at + 1;
      else if (byte === LF || byte === CR) {
        take(part.subarray(from, at));
        from = at + 1;
        yield finish();
      }
      ended = byte === CR;
    }
    take(part.subarray(from));
  }
  if (size > 0) yield finish();
}

/** Converts UTF-16, which begins with a byte order mark, to UTF-8. A surrogate alone becomes U+FFFD. */
async function* utf8Parts(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let decoder: ReturnType<typeof utf16Decoder>;
  let first = true;
  for await (const part of parts) {
    if (first) decoder = utf16Decoder(part);
    first = false;
    yield decoder ? Buffer.from(decoder.decode(part, { stream: true })) : part;
  }
  if (decoder) yield Buffer.from(decoder.decode());
}

function utf16Decoder(start: Buffer) {
  const mark = start.toString('latin1', 0, 2);
  if (mark === '\xff\xfe') return new TextDecoder('utf-16le');
  return mark === '\xfe\xff' ? new TextDecoder('utf-16be') : undefined;
}
