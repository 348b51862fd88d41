import { FileError } from './file-error.ts';
import type { FileKind } from './open-file.ts';
import { readBytes } from './read-file.ts';

/** Most objects and lists, which bounds the memory. RefCOCO has less than a million. */
const MOST_CONTAINERS = 10_000_000;

/**
 * Reads a JSON file of others that may be large. Counts its levels and its objects and lists before it is parsed, since
 * the parser would need memory for each. Throws a FileError.
 */
export async function readShallowJson(path: string, kind: FileKind, levels: number): Promise<unknown> {
  const bytes = await readBytes(path, kind);
  const fault = nestingFault(bytes, levels);
  if (fault !== undefined) throw new FileError('read', path, fault, undefined);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FileError('read', path, 'it is not JSON', undefined);
  }
}

function nestingFault(bytes: Uint8Array, levels: number): string | undefined {
  let [depth, containers, within] = [0, 0, false];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (within) {
      if (byte === 92) at++;
      else if (byte === 34) within = false;
    } else if (byte === 34) within = true;
    else if (byte === 91 || byte === 123) {
      if (++depth > levels) return `it has more than ${levels} levels`;
      if (++containers > MOST_CONTAINERS) return `it has more than ${MOST_CONTAINERS} objects and lists`;
    } else if (byte === 93 || byte === 125) depth--;
  }
  return undefined;
}
