import { writeFileSync } from 'node:fs';
import { visible } from '../../compiler/diagnostics/visible.ts';
import { systemFailure } from '../../runtime/files/system-failure.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { type Draw, draws } from '../draws.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import type { OpenReader } from './reader.ts';

/** What became of one changed file. */
export type Outcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly message: string }
  /** Neither: a crash, or a message that does not help. */
  | { readonly kind: 'fault'; readonly message: string };

/** Bytes: changes that repeat one another make files that take longer to write than to read. */
const largest = 1_000_000;

/** The file of a number: the same for the same reader on every machine. */
export function changedFile({ samples, json, repair }: OpenReader, number: number): Buffer {
  const draw = draws(number);
  const sample = draw.of(samples);
  const bytes = json && !draw.once(3) ? throughJson(sample, json, draw) : mutateBytes(sample, draw, samples);
  return (repair && draw.once(2) ? repair(bytes) : bytes).subarray(0, largest);
}

function throughJson(sample: Buffer, json: NonNullable<OpenReader['json']>, draw: Draw): Buffer {
  return json.replaced(sample, mutateJson(json.text(sample), draw));
}

/** Reads a changed file as the commands do, and judges what comes of it. */
export async function trial(reader: OpenReader, number: number): Promise<Outcome> {
  writeFileSync(reader.path, changedFile(reader, number));
  const lines: string[] = [];
  const names = [reader.path, ...(reader.names ?? [])];
  try {
    await reader.read((line) => lines.push(line));
  } catch (error) {
    if (!(error instanceof UserError)) {
      // Memory that the system refuses is a line too, but no small file should ask for so much.
      const said = systemFailure(error) ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
      return { kind: 'fault', message: said };
    }
    const fault = faultOf(error.message, names);
    return fault === undefined
      ? { kind: 'refused', message: visible(error.message) }
      : { kind: 'fault', message: `${fault}: ${visible(error.message)}` };
  }
  for (const line of lines) {
    const fault = faultOf(line, names);
    if (fault !== undefined) return { kind: 'fault', message: `${fault}: ${visible(line)}` };
  }
  return lines.length > 0 ? { kind: 'refused', message: visible(lines.join('; ')) } : { kind: 'accepted' };
}

/** Characters of a message besides the file's name. */
const longest = 1000;

/** Words that come from a program and not from its author. */
const unclear =
  /\bundefined\b|\bNaN\b|\[object |bug in crobc|\bis not a function\b|Cannot (read|convert)|\bat .+:\d+:\d+\)?$/;

/** Why a message does not help; undefined where it does. */
function faultOf(message: string, names: readonly string[]): string | undefined {
  if (message.startsWith('and ') && message.endsWith('more problems like these')) return undefined;
  const named = names.filter((name) => message.includes(name));
  if (named.length === 0) return 'the message does not name the file';
  const rest = named.reduce((text, name) => text.replaceAll(name, ''), message);
  if (rest.length > longest) return `the message has ${rest.length} characters`;
  if (/\n./.test(message) && /^\s+at /m.test(message)) return 'the message has a stack trace';
  // What is quoted from the file may be anything.
  if (unclear.test(rest.replaceAll(/"(\\.|[^"\\])*"/g, ''))) return 'the message is unclear';
  return undefined;
}
