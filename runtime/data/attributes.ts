import { stat } from 'node:fs/promises';
import { isObject } from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { MAX_LINES, readLines } from './lines.ts';

/** Properties of a sample besides its phrase; evaluation reports scores for each. */
export interface Attributes {
  readonly category?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

const MAX_LINE_BYTES = 1 << 16;

/**
 * Reads `attributes_{split}.jsonl`, which has one JSON object for each line of the phrase file. Returns for each line
 * the attributes, or what is wrong with the line as text; undefined if there is no such file.
 */
export async function readAttributes(path: string): Promise<(Attributes | string)[] | undefined> {
  try {
    await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // Other errors are reported when the file is read.
  }
  const all: (Attributes | string)[] = [];
  for await (const { number, text, fault } of readLines(path, MAX_LINE_BYTES)) {
    if (number > MAX_LINES) throw new UserError(`${path} has more than ${MAX_LINES.toLocaleString('en')} lines`);
    all.push(text === undefined ? fault! : parse(text));
  }
  return all;
}

function parse(text: string): Attributes | string {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    return 'the line is not JSON';
  }
  return isObject(json) ? readAttributeMembers(json) : 'the line is not a JSON object';
}

/** Reads the category and the attributes of an object; what is wrong with them is returned as text. */
export function readAttributeMembers({ category, attributes }: Readonly<Record<string, unknown>>): Attributes | string {
  if (category !== undefined && typeof category !== 'string') return '"category" is not a string';
  if (attributes !== undefined && !isObject(attributes)) return '"attributes" is not an object';
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value !== 'string') return `the attribute ${quoted(name)} is not a string`;
  }
  return {
    ...(category === undefined ? {} : { category }),
    ...(attributes === undefined ? {} : { attributes: attributes as Record<string, string> }),
  };
}
