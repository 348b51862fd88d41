import { readParts } from '../files/read-file.ts';

/**
 * Maximum number of lines of a phrase or attributes file, which bounds memory to a few gigabytes. RISBench has 52,472.
 */
export const MAX_LINES = 5_000_000;

/** A line of a text file, without its end (LF or CRLF). */
export interface Line {
  /** Line number, from 1. */
  readonly number: number;
  /** Undefined if the line is too long or not UTF-8; `fault` then holds the reason. */
  readonly text: string | undefined;
  readonly fault?: string;
}

/**
 * Yields the lines of a UTF-8 file and drops a leading byte order mark. A line over `limit` bytes or with invalid UTF-8
 * is yielded as a fault, and reading continues. Holds at most one chunk and one line in memory. Throws a UserError if
 * the file cannot be read.
 */
export async function* readLines(path: string, limit: number): AsyncGenerator<Line, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let held: Buffer[] = [];
  let size = 0;
  let number = 0;
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
      return { number, text: decoder.decode(Buffer.concat(bytes)).replace(/\r$/, '') };
    } catch {
      return { number, text: undefined, fault: 'the line is not UTF-8' };
    }
  };
  for await (const part of readParts(path, 'lines', 1 << 16)) {
    let from = 0;
    for (let end = part.indexOf(10); end >= 0; end = part.indexOf(10, from)) {
      take(part.subarray(from, end));
      from = end + 1;
      yield finish();
    }
    take(part.subarray(from));
  }
  if (size > 0) yield finish();
}
