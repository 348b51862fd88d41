import { readParts } from '../files/read-file.ts';

/** Lines of a phrase file or of its attributes. RISBench, the largest, has 52,472; this bounds memory at some gigabytes. */
export const MAX_LINES = 5_000_000;

/** A line of a text file, without its end (LF or CRLF). */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Undefined where the line cannot be taken as text; then `fault` says why. */
  readonly text: string | undefined;
  readonly fault?: string;
}

/**
 * The lines of a UTF-8 file as they are read; a byte order mark in front is dropped. A line over `limit` bytes or with
 * bytes that are not UTF-8 comes as a fault, and what follows it is read on: no more than one chunk and one line is held.
 * Throws a UserError where the file cannot be read.
 */
export async function* readLines(path: string, limit: number): AsyncGenerator<Line, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let held: Buffer[] = [];
  let size = 0;
  let number = 0;
  const take = (part: Buffer) => {
    size += part.length;
    // What is too long is counted and not kept.
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
