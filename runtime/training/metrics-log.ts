import type { FileHandle } from 'node:fs/promises';
import { fileError } from '../files/file-error.ts';
import { openToAppend } from '../files/open-file.ts';
import { parseJson } from '../files/parse-json.ts';
import type { Progress } from './checkpoint.ts';

/** One line of metrics.jsonl; NaN and infinity become null. */
export type MetricsLine = Readonly<Record<string, unknown>> & { readonly step: number };

/** metrics.jsonl: one JSON object per line, append-only. */
export interface MetricsLog {
  readonly path: string;
  append(line: MetricsLine): Promise<void>;
  /** Flushes all appended lines to disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a log to continue from a checkpoint. Drops what the checkpoint does not include (lines of later steps, later
 * evaluations, and an incomplete last line), so that the file is the same as that of an unbroken run. Throws a
 * UserError if it is not writable.
 */
export async function openMetricsLog(path: string, seen: Pick<Progress, 'step' | 'evaluated'>): Promise<MetricsLog> {
  let handle: FileHandle | undefined;
  try {
    handle = (await openToAppend(path, 'log')).handle;
    const text = await handle.readFile('utf8');
    const keep = Buffer.byteLength(text.slice(0, lengthUpTo(text, seen)));
    if (keep < Buffer.byteLength(text)) await handle.truncate(keep);
  } catch (error) {
    await handle?.close().catch(() => undefined);
    throw fileError('write', path, error);
  }
  const guarded = async (work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      throw fileError('write', path, error);
    }
  };
  return {
    path,
    append: (line) => guarded(() => handle.appendFile(`${JSON.stringify(line)}\n`)),
    sync: () => guarded(() => handle.sync()),
    close: () => handle.close(),
  };
}

/**
 * Returns the length of the complete lines up to and including `step`. A step's line precedes that of its evaluation.
 */
function lengthUpTo(text: string, { step, evaluated }: Pick<Progress, 'step' | 'evaluated'>): number {
  let at = 0;
  let last = 0;
  for (;;) {
    const end = text.indexOf('\n', at);
    if (end < 0) return at;
    const found = stepOf(text.slice(at, end));
    if (found === undefined || found > step) return at;
    if (found === last && found > evaluated) return at;
    last = found;
    at = end + 1;
  }
}

function stepOf(line: string): number | undefined {
  try {
    const { step } = parseJson(line) as Partial<MetricsLine>;
    return typeof step === 'number' ? step : undefined;
  } catch {
    return undefined;
  }
}
